// This file has the part of Commands that people use themselves.
#include <utility>

#include "app/accounts/commands.hpp"
#include "app/accounts/password_rules.hpp"
#include "app/accounts/protocol/names.hpp"
#include "app/accounts/protocol/tokens.hpp"
#include "app/accounts/wall_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

// The counters use this name for attempts with an invalid name.
constexpr const char* kNoName = "?";

}  // namespace

Task<protocol::Reply> Commands::handle(protocol::Register& request, Deadline deadline) {
  const auto policy = parts_.settings.register_policy;
  if (policy == protocol::RegisterPolicy::kClosed) co_return plain_reply(Status::kRegistrationClosed);
  const bool invited = policy == protocol::RegisterPolicy::kInvite;
  if (invited && !protocol::is_invite(request.invite.view())) co_return plain_reply(Status::kInviteRefused);
  const std::string name = protocol::canonical_name(request.name);
  if (name.empty()) {
    co_return plain_reply(
        Status::kBadRequest,
        "a name has 1 to 64 letters, digits, '.', '_', '-', '+' and '@', and begins with a letter or a digit");
  }
  if (auto wrong = what_is_wrong_with_password(request.password.view(), name); !wrong.empty()) {
    co_return plain_reply(Status::kWeakPassword, std::move(wrong));
  }
  const auto now = common::Clock::now();
  if (const auto wait = parts_.attempts.wait_to_register(request.origin, now); wait > common::Clock::duration::zero()) {
    co_return retry_reply(Status::kTooManyAttempts, wait);
  }
  auto place = parts_.hashing.take_place(HashingThread::Client::kUnknown);
  if (!place) co_return plain_reply(Status::kBusy);
  parts_.attempts.registered(request.origin, now);
  std::string hashed;
  if (const Status status = co_await hash(request.password, hashed, *place, deadline); status != Status::kOk) {
    co_return plain_reply(status);
  }
  place.reset();
  const Digest invite = protocol::digest_of(request.invite.view());
  PersonId id = 0;
  auto add = [&](AccountStore& store) {
    return store.add_person(name, hashed, Role::kUser, wall_clock_seconds(), invited ? &invite : nullptr, id);
  };
  const Status status = co_await ask(add);
  if (status == Status::kOk) common::log_info("audit: person {} ({}) registered from {}", id, name, request.origin);
  co_return plain_reply(status);
}

Task<protocol::Reply> Commands::handle(protocol::LogIn& request, Deadline deadline) {
  const std::string name = protocol::canonical_name(request.name);
  Attempt attempt{{}, name.empty() ? kNoName : name, request.origin, request.password};
  // A refused attempt costs no query.
  if (auto refusal = begin(attempt)) co_return *std::move(refusal);
  protocol::Secret token = protocol::make_session_token();
  AccessEntry entry;
  entry.digest = protocol::digest_of(token.view());
  std::vector<Digest> removed;
  std::optional<AccessEntry> opened;  // nothing if another log-in has ended the session already
  auto look = [&](AccountStore& store) { return store.find_person(attempt.name, attempt.person); };
  auto open = [&](AccountStore& store) {
    const PersonId person = attempt.person->record.id;
    const std::string* current = &attempt.person->password_hash;
    if (!attempt.new_hash.empty()) {
      const Status rehashed = store.rehash(person, *current, attempt.new_hash);
      // When the pool repeats this work, the first try may have set the hash.
      if (rehashed != Status::kOk && rehashed != Status::kWrongCredentials) return rehashed;
      current = &attempt.new_hash;
    }
    const Status status = store.open_session(entry.digest, person, *current, entry.created, entry.expires, removed);
    return status == Status::kOk ? store.read_entry(entry.digest, entry.created, opened) : status;
  };
  for (bool is_repeated = false;; is_repeated = true) {
    if (const Status status = co_await ask(look, attempt.rank); status != Status::kOk) {
      parts_.attempts.not_tried(attempt.counted);
      co_return plain_reply(status);
    }
    Reply checked = co_await check_password(attempt, deadline);
    if (checked.status != Status::kOk) {
      if (checked.status == Status::kWrongCredentials) {
        common::log_info("audit: a log-in as {} from {} failed", attempt.name, request.origin);
      }
      co_return checked;
    }
    entry.created = wall_clock_seconds();
    entry.expires = entry.created + parts_.settings.session_absolute;
    const Status status = co_await ask(open, attempt.rank);
    if (status == Status::kOk) break;
    // Another log-in of the person may have renewed the hash meanwhile.
    const bool may_be_renewed = status == Status::kWrongCredentials && !attempt.new_hash.empty();
    if (!may_be_renewed || is_repeated) co_return plain_reply(status);
    attempt.new_hash.clear();
    if (auto refusal = begin(attempt)) co_return *std::move(refusal);
  }
  const PersonRecord& person = attempt.person->record;
  common::log_info("audit: person {} ({}) logged in from {}", person.id, person.name, request.origin);
  Reply reply = plain_reply(Status::kOk);
  reply.result = protocol::SessionOpened{std::move(token), person.id, person.role, entry.expires};
  std::vector<AccessEntry> added;
  if (opened) added.push_back(*std::move(opened));
  parts_.feed.changed(std::move(removed), std::move(added));
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::LogOut& request, Deadline /*deadline*/) {
  auto close = [&](AccountStore& store) { return store.close_session(request.session); };
  const Status status = co_await ask(close, WorkRank::kFirst);  // it may end a stolen session
  // A session that no longer exists is closed, too.
  if (status != Status::kOk && status != Status::kNotFound) co_return plain_reply(status);
  parts_.feed.changed({request.session}, {});
  co_return plain_reply(Status::kOk);
}

Task<protocol::Reply> Commands::handle(protocol::ChangePassword& request, Deadline deadline) {
  Attempt attempt{{}, kNoName, request.origin, request.old_password, &request.new_password};
  auto look = [&](AccountStore& store) { return store.find_person(request.person, attempt.person); };
  if (const Status status = co_await ask(look); status != Status::kOk) co_return plain_reply(status);
  if (!attempt.person) co_return plain_reply(Status::kNotFound);
  attempt.name = attempt.person->record.name;
  if (auto wrong = what_is_wrong_with_password(request.new_password.view(), attempt.name); !wrong.empty()) {
    co_return plain_reply(Status::kWeakPassword, std::move(wrong));
  }
  if (auto refusal = begin(attempt)) co_return *std::move(refusal);
  Reply checked = co_await check_password(attempt, deadline);
  if (checked.status != Status::kOk) co_return checked;
  if (attempt.new_hash.empty()) co_return plain_reply(Status::kBusy);  // no memory
  std::vector<Digest> removed;
  auto set = [&](AccountStore& store) {
    return store.set_password(request.person, attempt.person->password_hash, attempt.new_hash, &request.session,
                              removed);
  };
  const Status status = co_await ask(set, attempt.rank);
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: person {} ({}) has a new password and {} fewer sessions, as asked from {}", request.person,
                   attempt.name, removed.size(), request.origin);
  parts_.feed.changed(std::move(removed), {});
  co_return plain_reply(Status::kOk);
}

Task<protocol::Reply> Commands::handle(protocol::DeleteAccount& request, Deadline deadline) {
  Attempt attempt{{}, kNoName, request.origin, request.password};
  auto look = [&](AccountStore& store) { return store.find_person(request.person, attempt.person); };
  if (const Status status = co_await ask(look); status != Status::kOk) co_return plain_reply(status);
  if (!attempt.person) co_return plain_reply(Status::kNotFound);
  attempt.name = attempt.person->record.name;
  if (auto refusal = begin(attempt)) co_return *std::move(refusal);
  Reply checked = co_await check_password(attempt, deadline);
  if (checked.status != Status::kOk) co_return checked;
  std::vector<Digest> removed;
  auto remove = [&](AccountStore& store) { return store.remove_person(request.person, removed); };
  const Status status = co_await ask(remove, attempt.rank);
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: person {} ({}) is removed, as they asked from {}", request.person, attempt.name,
                   request.origin);
  parts_.feed.changed(std::move(removed), {});
  co_return plain_reply(Status::kOk);
}

}  // namespace yolod::app::accounts
