// The tests of keys, invitations and entries run over SQLite and over PostgreSQL ([postgres]).
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "app/accounts/account_store.hpp"
#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"
#include "tests/unit/app/accounts/store_helpers.hpp"

namespace yolod::app::accounts {
namespace {

std::vector<KeyRecord> keys(AccountStore& store, std::optional<PersonId> owner, KeyId after = 0) {
  std::vector<KeyRecord> listed;
  REQUIRE(store.list_keys(owner, after, 100, listed) == Status::kOk);
  return listed;
}

}  // namespace

YOLOD_TEST_OVER_BOTH(creates_key, "a key is listed with its owner and comes in until it expires", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna", Role::kAdmin);
  const KeyId id = add_key(*store, draft_of(anna, 1));
  KeyRecord record = draft_of(anna, 1).record;
  record.id = id;
  record.owner = "anna";
  CHECK(keys(*store, anna) == std::vector<KeyRecord>{record});
  const auto read = entries(*store, kNow + 99);
  REQUIRE(read.size() == 1);
  CHECK(read[0] == AccessEntry{digest_with(1), protocol::EntryKind::kKey, id, anna, "camera", Role::kAdmin,
                               protocol::kAllScopes, 10, UINT32_MAX, kNow, kNow + 100, 0});
  CHECK(entries(*store, kNow + 100).empty());
}

YOLOD_TEST_OVER_BOTH(nobodys_key, "a key may have no owner", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  const KeyId id = add_key(*store, draft_of(0, 1));
  CHECK(keys(*store, anna).empty());
  REQUIRE(keys(*store, {}).size() == 1);
  CHECK(keys(*store, {})[0].owner.empty());
  const auto read = entries(*store);
  REQUIRE(read.size() == 1);
  CHECK(read[0].person == 0);
  CHECK(read[0].scopes == protocol::kAllScopes);
  CHECK(keys(*store, {}, id).empty());
}

YOLOD_TEST_OVER_BOTH(key_is_no_more_than_owner, "a key allows no more than its owner may do", "[accounts][unit]") {
  const auto store = database.open_store();
  add_key(*store, draft_of(add(*store, "anna"), 1));
  REQUIRE(entries(*store).size() == 1);
  CHECK(entries(*store)[0].scopes == (protocol::kScopeModels | protocol::kScopePredict));
}

YOLOD_TEST_OVER_BOTH(key_needs_owner, "a key needs an owner who is there", "[accounts][unit]") {
  const auto store = database.open_store();
  KeyId id = 0;
  CHECK(store->create_key(draft_of(999, 1), id) == Status::kNotFound);
  const PersonId anna = add(*store, "anna");
  std::vector<Digest> removed;
  REQUIRE(store->set_disabled(anna, true, kNow, removed) == Status::kOk);
  CHECK(store->create_key(draft_of(anna, 1), id) == Status::kNotFound);
}

YOLOD_TEST_OVER_BOTH(bounds_keys, "an owner has no more keys than there may be, revoked ones not counted",
                     "[accounts][unit]") {
  StoreLimits limits;
  limits.keys_of_owner = 2;
  limits.keys = 4;
  const auto store = database.open_store(limits);
  const PersonId anna = add(*store, "anna");
  const KeyId first = add_key(*store, draft_of(anna, 1));
  add_key(*store, draft_of(anna, 2));
  KeyId id = 0;
  CHECK(store->create_key(draft_of(anna, 3), id) == Status::kLimitReached);
  Digest removed{};
  REQUIRE(store->revoke_key(first, {}, kNow, removed) == Status::kOk);
  add_key(*store, draft_of(anna, 3));
  add_key(*store, draft_of(0, 4));
  CHECK(store->create_key(draft_of(0, 5), id) == Status::kLimitReached);  // four in all
}

YOLOD_TEST_OVER_BOTH(revokes_key, "a key is revoked once, by its owner or for an admin", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  const PersonId otto = add(*store, "otto");
  const KeyId id = add_key(*store, draft_of(anna, 1));
  Digest removed{};
  CHECK(store->revoke_key(id, otto, kNow, removed) == Status::kNotFound);
  CHECK(store->revoke_key(999, {}, kNow, removed) == Status::kNotFound);
  REQUIRE(store->revoke_key(id, anna, kNow + 1, removed) == Status::kOk);
  CHECK(removed == digest_with(1));
  CHECK(store->revoke_key(id, {}, kNow, removed) == Status::kNotFound);
  CHECK(entries(*store).empty());
  REQUIRE(keys(*store, anna).size() == 1);
  CHECK(keys(*store, anna)[0].revoked == kNow + 1);
  std::vector<Digest> ended;
  REQUIRE(store->purge(kNow + 1 + StoreLimits{}.remembered, ended) == Status::kOk);
  CHECK(keys(*store, anna).empty());
}

YOLOD_TEST_OVER_BOTH(admin_key, "a key may administer as long as it has the scope and is good", "[accounts][unit]") {
  const auto store = database.open_store();
  const KeyId of_admin = add_key(*store, draft_of(add(*store, "anna", Role::kAdmin), 1));
  const KeyId of_user = add_key(*store, draft_of(add(*store, "otto"), 2));
  const KeyId nobodys = add_key(*store, draft_of(0, 3));
  auto weak = draft_of(0, 4);
  weak.record.scopes = protocol::kScopePredict;
  const KeyId without_scope = add_key(*store, weak);
  const auto may = [&](KeyId id, Seconds now) {
    bool is = false;
    REQUIRE(store->is_admin_key(id, now, is) == Status::kOk);
    return is;
  };
  CHECK(may(of_admin, kNow));
  CHECK_FALSE(may(of_admin, kNow + 100));  // expired
  CHECK_FALSE(may(of_user, kNow));
  CHECK(may(nobodys, kNow));
  CHECK_FALSE(may(without_scope, kNow));
  CHECK_FALSE(may(999, kNow));
  Digest removed{};
  REQUIRE(store->revoke_key(nobodys, {}, kNow, removed) == Status::kOk);
  CHECK_FALSE(may(nobodys, kNow));
}

YOLOD_TEST_OVER_BOTH(invites, "an invitation lets one person in, until it expires", "[accounts][unit]") {
  const auto store = database.open_store();
  const Digest invite = digest_with(1);
  PersonId id = 0;
  CHECK(store->add_person("anna", "hash", Role::kUser, kNow, &invite, id) == Status::kInviteRefused);
  REQUIRE(store->create_invite(invite, kNow, kNow + 10) == Status::kOk);
  CHECK(store->add_person("anna", "hash", Role::kUser, kNow + 10, &invite, id) == Status::kInviteRefused);
  add(*store, "otto");
  // A name that is taken does not use it up.
  CHECK(store->add_person("otto", "hash", Role::kUser, kNow, &invite, id) == Status::kNameTaken);
  REQUIRE(store->add_person("anna", "hash", Role::kUser, kNow, &invite, id) == Status::kOk);
  CHECK(store->add_person("emma", "hash", Role::kUser, kNow, &invite, id) == Status::kInviteRefused);
}

YOLOD_TEST_OVER_BOTH(bounds_invites, "there are no more invitations than there may be, until they expire",
                     "[accounts][unit]") {
  StoreLimits limits;
  limits.invites = 1;
  const auto store = database.open_store(limits);
  REQUIRE(store->create_invite(digest_with(1), kNow, kNow + 10) == Status::kOk);
  CHECK(store->create_invite(digest_with(2), kNow, kNow + 10) == Status::kLimitReached);
  std::vector<Digest> removed;
  REQUIRE(store->purge(kNow + 10, removed) == Status::kOk);
  CHECK(store->create_invite(digest_with(2), kNow, kNow + 10) == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(touches, "when a key or session was used moves forwards alone", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  std::vector<Digest> removed;
  REQUIRE(store->open_session(digest_with(1), anna, "hash of anna", kNow, kNow + 1000, removed) == Status::kOk);
  add_key(*store, draft_of(anna, 2));
  REQUIRE(store->touch({{digest_with(1), kNow + 5}, {digest_with(2), kNow + 6}, {digest_with(3), kNow}}) ==
          Status::kOk);
  REQUIRE(store->touch({{digest_with(1), kNow + 4}, {digest_with(2), kNow + 3}}) == Status::kOk);
  std::optional<AccessEntry> entry;
  REQUIRE(store->read_entry(digest_with(1), kNow, entry) == Status::kOk);
  REQUIRE(entry);
  CHECK(entry->last_used == kNow + 5);
  REQUIRE(store->read_entry(digest_with(2), kNow, entry) == Status::kOk);
  REQUIRE(entry);
  CHECK(entry->last_used == kNow + 6);
  REQUIRE(store->read_entry(digest_with(3), kNow, entry) == Status::kOk);
  CHECK_FALSE(entry);
  std::vector<AccessEntry> of_anna;
  REQUIRE(store->read_entries_of(anna, kNow, of_anna) == Status::kOk);
  CHECK(of_anna.size() == 2);
}

TEST_CASE("PostgreSQL: a connection hears of the relevant changes of another connection",
          "[accounts][unit][postgres]") {
  if (tests::skips_postgres()) return;
  const tests::AccountsDatabase database(tests::Backend::kPostgres);
  const auto store = database.open_store();
  const auto listener = database.open();
  REQUIRE(listener->listen() == Ran::kDone);
  const auto heard = [&] {
    std::vector<std::string> all;
    // A change of our own on the way back tells that nothing more is to come.
    REQUIRE(store->database().run_script("NOTIFY yolod_accounts, 'end'") == Ran::kDone);
    while (all.empty() || all.back() != "end") {
      REQUIRE(listener->wait_for_changes(-1, tests::kGenerous, all) == Ran::kDone);
    }
    all.pop_back();
    return all;
  };
  const PersonId anna = add(*store, "anna");
  CHECK(heard().empty());
  std::vector<Digest> removed;
  REQUIRE(store->open_session(digest_with(1), anna, "hash of anna", kNow, kNow + 1000, removed) == Status::kOk);
  const KeyId key = add_key(*store, draft_of(anna, 2));
  CHECK(heard() ==
        std::vector<std::string>{"s" + protocol::to_hex(digest_with(1)), "k" + protocol::to_hex(digest_with(2))});
  REQUIRE(store->touch({{digest_with(1), kNow + 5}, {digest_with(2), kNow + 5}}) == Status::kOk);
  CHECK(heard().empty());
  Digest revoked{};
  REQUIRE(store->revoke_key(key, {}, kNow, revoked) == Status::kOk);
  CHECK(heard() == std::vector<std::string>{"k" + protocol::to_hex(digest_with(2))});
  REQUIRE(store->database().run_script("UPDATE yolod_people SET role = 1") == Ran::kDone);
  CHECK(heard() == std::vector<std::string>{"p" + std::to_string(anna)});
  REQUIRE(store->database().run_script("DELETE FROM yolod_people") == Ran::kDone);  // takes its sessions and keys along
  CHECK(heard().size() == 2);
}

}  // namespace yolod::app::accounts
