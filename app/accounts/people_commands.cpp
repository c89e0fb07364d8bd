// This file has the part of Commands with which admins manage people.
#include <utility>

#include "app/accounts/commands.hpp"
#include "app/accounts/password_rules.hpp"
#include "app/accounts/protocol/names.hpp"
#include "app/accounts/protocol/tokens.hpp"
#include "app/accounts/wall_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {

Task<protocol::Reply> Commands::handle(protocol::ResetPassword& request, Deadline deadline) {
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  std::optional<Person> person;
  if (const Status status = co_await find(protocol::canonical_name(request.name), person, rank_of(request.actor));
      status != Status::kOk) {
    co_return plain_reply(status);
  }
  const PersonRecord& record = person->record;
  const bool chosen = request.password.empty();
  if (chosen) request.password = protocol::make_password();
  if (auto wrong = what_is_wrong_with_password(request.password.view(), record.name); !wrong.empty()) {
    co_return plain_reply(Status::kWeakPassword, std::move(wrong));
  }
  auto place = parts_.hashing.take_place(HashingThread::Client::kAdmin);
  if (!place) co_return plain_reply(Status::kBusy);
  std::string hashed;
  if (const Status status = co_await hash(request.password, hashed, *place, deadline); status != Status::kOk) {
    co_return plain_reply(status);
  }
  place.reset();
  std::vector<Digest> removed;
  auto set = [&](AccountStore& store) { return store.set_password(record.id, {}, hashed, nullptr, removed); };
  const Status status = co_await ask(set, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has reset the password of person {} ({})", describe(request.actor), record.id,
                   record.name);
  parts_.feed.changed(std::move(removed), {});
  Reply reply = plain_reply(Status::kOk);
  reply.result = protocol::PasswordChosen{chosen ? std::move(request.password) : protocol::Secret()};
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::ListPeople& request, Deadline /*deadline*/) {
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  protocol::PeoplePage page;
  auto list = [&](AccountStore& store) {
    page.people.clear();
    return store.list_people(request.after, protocol::kMaxEntries + 1, page.people);
  };
  const Status status = co_await ask(list, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  page.more = page.people.size() > protocol::kMaxEntries;
  if (page.more) page.people.pop_back();
  Reply reply = plain_reply(Status::kOk);
  reply.result = std::move(page);
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::AddPerson& request, Deadline deadline) {
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  const std::string name = protocol::canonical_name(request.name);
  if (name.empty()) {
    co_return plain_reply(
        Status::kBadRequest,
        "a name has 1 to 64 letters, digits, '.', '_', '-', '+' and '@', and begins with a letter or a digit");
  }
  const bool chosen = request.password.empty();
  if (chosen) request.password = protocol::make_password();
  if (auto wrong = what_is_wrong_with_password(request.password.view(), name); !wrong.empty()) {
    co_return plain_reply(Status::kWeakPassword, std::move(wrong));
  }
  auto place = parts_.hashing.take_place(HashingThread::Client::kAdmin);
  if (!place) co_return plain_reply(Status::kBusy);
  std::string hashed;
  if (const Status status = co_await hash(request.password, hashed, *place, deadline); status != Status::kOk) {
    co_return plain_reply(status);
  }
  place.reset();
  PersonId id = 0;
  auto add = [&](AccountStore& store) {
    return store.add_person(name, hashed, request.role, wall_clock_seconds(), nullptr, id);
  };
  const Status status = co_await ask(add, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has added person {} ({}){}", describe(request.actor), id, name,
                   request.role == Role::kAdmin ? " as an admin" : "");
  Reply reply = plain_reply(Status::kOk);
  reply.result = protocol::PasswordChosen{chosen ? std::move(request.password) : protocol::Secret()};
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::RemovePerson& request, Deadline /*deadline*/) {
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  std::optional<Person> person;
  if (const Status status = co_await find(protocol::canonical_name(request.name), person, rank_of(request.actor));
      status != Status::kOk) {
    co_return plain_reply(status);
  }
  std::vector<Digest> removed;
  auto remove = [&](AccountStore& store) { return store.remove_person(person->record.id, removed); };
  const Status status = co_await ask(remove, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has removed person {} ({})", describe(request.actor), person->record.id,
                   person->record.name);
  parts_.feed.changed(std::move(removed), {});
  co_return plain_reply(Status::kOk);
}

Task<protocol::Reply> Commands::handle(protocol::SetDisabled& request, Deadline /*deadline*/) {
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  std::optional<Person> person;
  if (const Status status = co_await find(protocol::canonical_name(request.name), person, rank_of(request.actor));
      status != Status::kOk) {
    co_return plain_reply(status);
  }
  std::vector<Digest> removed;
  auto set = [&](AccountStore& store) {
    return store.set_disabled(person->record.id, request.disabled, wall_clock_seconds(), removed);
  };
  const Status status = co_await ask(set, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has {} person {} ({})", describe(request.actor),
                   request.disabled ? "disabled" : "enabled", person->record.id, person->record.name);
  parts_.feed.changed(std::move(removed), {});
  co_return plain_reply(Status::kOk);
}

Task<protocol::Reply> Commands::handle(protocol::CreateInvite& request, Deadline /*deadline*/) {
  constexpr Seconds kDay = 24 * 3600;
  constexpr Seconds kLongest = 90 * kDay;
  constexpr Seconds kUsual = 7 * kDay;
  if (const Status status = co_await require_admin(request.actor); status != Status::kOk) co_return plain_reply(status);
  if (request.valid_for < 0 || request.valid_for > kLongest) {
    co_return plain_reply(Status::kBadRequest, "an invitation is valid for at most 90 days");
  }
  protocol::Secret invite = protocol::make_invite();
  const Digest digest = protocol::digest_of(invite.view());
  const Seconds now = wall_clock_seconds();
  const Seconds expires = now + (request.valid_for == 0 ? kUsual : request.valid_for);
  auto create = [&](AccountStore& store) { return store.create_invite(digest, now, expires); };
  const Status status = co_await ask(create, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has made an invitation", describe(request.actor));
  Reply reply = plain_reply(Status::kOk);
  reply.result = protocol::InviteCreated{std::move(invite), expires};
  co_return reply;
}

}  // namespace yolod::app::accounts
