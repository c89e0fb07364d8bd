#include "app/accounts/commands.hpp"

#include <algorithm>
#include <utility>

#include "app/accounts/password_hash.hpp"
#include "app/accounts/wall_clock.hpp"

namespace yolod::app::accounts {

protocol::Reply plain_reply(Status status, std::string reason) {
  protocol::Reply reply;
  reply.status = status;
  reply.reason = std::move(reason);
  if (status == Status::kBusy) reply.retry_after_ms = 1000;
  return reply;
}

protocol::Reply retry_reply(Status status, common::Clock::duration wait) {
  protocol::Reply reply = plain_reply(status);
  const auto milliseconds = std::chrono::ceil<common::milliseconds>(wait).count();
  reply.retry_after_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(milliseconds, 1000, 3'600'000));
  return reply;
}

protocol::Reply no_right(const protocol::Actor& actor) {
  if (actor.may_administer) return plain_reply(Status::kNotAllowed);
  return plain_reply(Status::kNotAllowed, "people and the keys of others are managed only at server.admin_listen");
}

std::string describe(const protocol::Actor& actor) {
  switch (actor.kind) {
    case protocol::ActorKind::kOperator: return "the operator";
    case protocol::ActorKind::kPerson: return "person " + std::to_string(actor.id);
    case protocol::ActorKind::kKey: return "key " + std::to_string(actor.id);
  }
  return "nobody";
}

Task<protocol::Reply> Commands::run(protocol::Command& command, Deadline deadline) {
  return std::visit([this, deadline](auto& request) { return handle(request, deadline); }, command);
}

Task<Status> Commands::hash(const protocol::Secret& password, std::string& hash, const HashingThread::Place& place,
                            Deadline deadline) {
  bool in_time = false;
  auto work = [&](HashingThread::Nothing& /*nothing*/) {
    in_time = common::Clock::now() < deadline;
    if (in_time) hash = hash_password(password.view());
  };
  const WorkEnd end = co_await parts_.hashing.run(work, place);
  if (end != WorkEnd::kDone) co_return Status::kBusy;
  if (!in_time) co_return Status::kDeadlineExceeded;
  co_return hash.empty() ? Status::kBusy : Status::kOk;  // no memory
}

std::optional<protocol::Reply> Commands::begin(Attempt& attempt) {
  const auto now = common::Clock::now();
  if (const auto wait = parts_.attempts.wait(attempt.name, attempt.origin, now);
      wait > common::Clock::duration::zero()) {
    return retry_reply(Status::kTooManyAttempts, wait);
  }
  const auto known = parts_.attempts.known(attempt.name, attempt.origin);
  using Client = HashingThread::Client;
  attempt.place = parts_.hashing.take_place(known ? Client::kKnown : Client::kUnknown, known.value_or(0));
  if (!attempt.place) return plain_reply(Status::kBusy);
  attempt.rank = attempt.place->rank();
  attempt.counted = parts_.attempts.begins(attempt.name, attempt.origin, now);
  return std::nullopt;
}

Task<protocol::Reply> Commands::check_password(Attempt& attempt, Deadline deadline) {
  const std::optional<Person>& person = attempt.person;
  bool matches = false;
  bool in_time = false;
  auto work = [&](HashingThread::Nothing& /*nothing*/) {
    in_time = common::Clock::now() < deadline;
    if (!in_time) return;
    if (!person) return verify_dummy(attempt.password.view());
    matches = password_matches(attempt.password.view(), person->password_hash) && person->record.disabled == 0;
    if (!matches) return;
    if (attempt.new_password != nullptr) {
      attempt.new_hash = hash_password(attempt.new_password->view());
    } else if (needs_rehash(person->password_hash)) {
      attempt.new_hash = hash_password(attempt.password.view());
    }
  };
  const WorkEnd end = co_await parts_.hashing.run(work, *attempt.place);
  if (end != WorkEnd::kDone || !in_time) {
    parts_.attempts.not_tried(attempt.counted);
    co_return plain_reply(end != WorkEnd::kDone ? Status::kBusy : Status::kDeadlineExceeded);
  }
  if (!matches) co_return plain_reply(Status::kWrongCredentials);
  parts_.attempts.succeeded(attempt.counted, common::Clock::now());
  co_return plain_reply(Status::kOk);
}

WorkRank Commands::rank_of(const protocol::Actor& actor) {
  return actor.may_administer ? WorkRank::kFirst : WorkRank::kNormal;
}

Task<Commands::Rights> Commands::rights_of(protocol::Actor actor) {
  Rights rights;
  if (!actor.may_administer && actor.kind != protocol::ActorKind::kPerson) co_return rights;
  if (actor.kind == protocol::ActorKind::kOperator) {
    rights.status = Status::kOk;
    rights.admin = true;
    co_return rights;
  }
  auto look = [&](AccountStore& store) {
    if (actor.kind == protocol::ActorKind::kKey)
      return store.is_admin_key(actor.id, wall_clock_seconds(), rights.admin);
    return store.find_person(actor.id, rights.person);
  };
  rights.status = co_await ask(look, rank_of(actor));
  if (rights.status != Status::kOk) co_return rights;
  if (actor.kind == protocol::ActorKind::kKey) {
    if (!rights.admin) rights.status = Status::kNotAllowed;
  } else if (!rights.person || rights.person->record.disabled != 0) {
    rights.status = Status::kNotAllowed;
  } else {
    rights.admin = actor.may_administer && rights.person->record.role == Role::kAdmin;
  }
  co_return rights;
}

Task<Status> Commands::require_admin(protocol::Actor actor) {
  const Rights rights = co_await rights_of(actor);
  if (rights.status != Status::kOk) co_return rights.status;
  co_return rights.admin ? Status::kOk : Status::kNotAllowed;
}

Task<Status> Commands::find(const std::string& name, std::optional<Person>& person, WorkRank rank) {
  if (name.empty()) co_return Status::kNotFound;
  auto look = [&](AccountStore& store) { return store.find_person(name, person); };
  const Status status = co_await ask(look, rank);
  if (status != Status::kOk) co_return status;
  co_return person ? Status::kOk : Status::kNotFound;
}

}  // namespace yolod::app::accounts
