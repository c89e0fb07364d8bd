// This file has the part of Commands that handles API keys.
#include <algorithm>
#include <utility>

#include "app/accounts/commands.hpp"
#include "app/accounts/protocol/names.hpp"
#include "app/accounts/protocol/tokens.hpp"
#include "app/accounts/wall_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

constexpr std::uint32_t kScopesOfUsers = protocol::kScopeModels | protocol::kScopePredict;

std::string what_is_wrong_with_key(const protocol::CreateKey& request, Seconds now) {
  if (!protocol::is_key_name(request.name)) return "the name of a key has 1 to 64 bytes and no control characters";
  if (request.scopes == 0 || (request.scopes & ~protocol::kAllScopes) != 0) {
    return "a key has at least one of the scopes models, predict, load and admin";
  }
  if (request.expires != 0 && request.expires <= now) return "the key would have expired already";
  return {};
}

// Returns the entry of a new key for the front-end's table.
AccessEntry entry_of(const KeyDraft& draft, Role role) {
  AccessEntry entry;
  entry.digest = draft.digest;
  entry.kind = protocol::EntryKind::kKey;
  entry.key = draft.record.id;
  entry.person = draft.owner;
  entry.name = draft.record.name;
  entry.role = role;
  entry.scopes = draft.record.scopes;
  entry.rate = draft.record.rate;
  entry.in_flight = draft.record.in_flight;
  entry.created = draft.record.created;
  entry.expires = draft.record.expires;
  return entry;
}

}  // namespace

Task<protocol::Reply> Commands::handle(protocol::CreateKey& request, Deadline /*deadline*/) {
  const Rights rights = co_await rights_of(request.actor);
  if (rights.status == Status::kNotAllowed) co_return no_right(request.actor);
  if (rights.status != Status::kOk) co_return plain_reply(rights.status);
  // The limits of a key replace access.per_key.
  if (!rights.admin && (request.rate != 0 || request.in_flight != 0)) {
    if (!request.actor.may_administer) co_return no_right(request.actor);
    co_return plain_reply(Status::kNotAllowed, "only an admin may give a key its own limits");
  }
  const Seconds now = wall_clock_seconds();
  if (auto wrong = what_is_wrong_with_key(request, now); !wrong.empty()) {
    co_return plain_reply(Status::kBadRequest, std::move(wrong));
  }
  std::optional<Person> owner = rights.person;
  const std::string name = protocol::canonical_name(request.owner);
  if (!request.owner.empty() && !(owner && owner->record.name == name)) {
    if (!rights.admin) co_return no_right(request.actor);
    owner.reset();
    if (const Status status = co_await find(name, owner, rank_of(request.actor)); status != Status::kOk)
      co_return plain_reply(status);
  }
  const Role role = owner ? owner->record.role : Role::kUser;
  if (owner && role != Role::kAdmin && (request.scopes & ~kScopesOfUsers) != 0) {
    co_return plain_reply(Status::kNotAllowed, "only a key of an admin may have the scopes load and admin");
  }

  protocol::Secret key = protocol::make_api_key();
  KeyDraft draft;
  draft.digest = protocol::digest_of(key.view());
  draft.owner = owner ? owner->record.id : 0;
  draft.record.name = request.name;
  draft.record.owner = owner ? owner->record.name : std::string();
  constexpr std::size_t kShown = 4;
  draft.record.head = key.view().substr(protocol::kKeyPrefix.size(), kShown);
  draft.record.tail = key.view().substr(key.size() - kShown);
  draft.record.scopes = request.scopes;
  draft.record.rate = request.rate;
  draft.record.in_flight = request.in_flight;
  draft.record.created = now;
  draft.record.expires = request.expires;
  auto create = [&](AccountStore& store) { return store.create_key(draft, draft.record.id); };
  const Status status = co_await ask(create, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has made key {} ({}...{}) for {}", describe(request.actor), draft.record.id,
                   draft.record.head, draft.record.tail, owner ? owner->record.name : "nobody");
  std::vector<AccessEntry> added;
  added.push_back(entry_of(draft, role));
  parts_.feed.changed({}, std::move(added));
  Reply reply = plain_reply(Status::kOk);
  reply.result = protocol::KeyCreated{std::move(key), std::move(draft.record)};
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::ListKeys& request, Deadline /*deadline*/) {
  const Rights rights = co_await rights_of(request.actor);
  if (rights.status == Status::kNotAllowed) co_return no_right(request.actor);
  if (rights.status != Status::kOk) co_return plain_reply(rights.status);
  if (request.all && !rights.admin) co_return no_right(request.actor);
  std::optional<PersonId> owner;
  if (!request.all && rights.person) owner = rights.person->record.id;
  protocol::KeysPage page;
  auto list = [&](AccountStore& store) {
    page.keys.clear();
    return store.list_keys(owner, request.after, protocol::kMaxEntries + 1, page.keys);
  };
  const Status status = co_await ask(list, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  page.more = page.keys.size() > protocol::kMaxEntries;
  if (page.more) page.keys.pop_back();
  Reply reply = plain_reply(Status::kOk);
  reply.result = std::move(page);
  co_return reply;
}

Task<protocol::Reply> Commands::handle(protocol::RevokeKey& request, Deadline /*deadline*/) {
  const Rights rights = co_await rights_of(request.actor);
  if (rights.status == Status::kNotAllowed) co_return no_right(request.actor);
  if (rights.status != Status::kOk) co_return plain_reply(rights.status);
  std::optional<PersonId> owner;
  if (!rights.admin) owner = rights.person->record.id;
  Digest removed{};
  auto revoke = [&](AccountStore& store) {
    return store.revoke_key(request.key, owner, wall_clock_seconds(), removed);
  };
  const Status status = co_await ask(revoke, rank_of(request.actor));
  if (status != Status::kOk) co_return plain_reply(status);
  common::log_info("audit: {} has revoked key {}", describe(request.actor), request.key);
  parts_.feed.changed({removed}, {});
  co_return plain_reply(Status::kOk);
}

Task<protocol::Reply> Commands::handle(protocol::Touch& request, Deadline /*deadline*/) {
  const Seconds now = wall_clock_seconds();
  for (auto& use : request.uses) use.at = std::min(use.at, now);
  auto touch = [&](AccountStore& store) { return store.touch(request.uses); };
  co_return plain_reply(co_await ask(touch, WorkRank::kFirst));  // no person can keep upkeep out
}

Task<protocol::Reply> Commands::handle(protocol::ReadAgain& /*request*/, Deadline /*deadline*/) {
  common::log_warning("the front-end has missed a message, so all keys and sessions are read again");
  parts_.feed.front_end_missed();
  co_return plain_reply(Status::kOk);
}

}  // namespace yolod::app::accounts
