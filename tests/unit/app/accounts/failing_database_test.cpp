// These tests let each single call of a database fail, and then repeat the change. A change that failed must have left
// nothing behind, so the repeated change succeeds and the end is the same as without a failure.
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/account_store.hpp"
#include "app/accounts/migrations.hpp"
#include "tests/support/accounts_database.hpp"
#include "tests/unit/app/accounts/failing_database.hpp"
#include "tests/unit/app/accounts/store_helpers.hpp"

namespace yolod::app::accounts {
namespace {

// The changes of a small household, in order. Each returns the store's status.
class Household {
 public:
  explicit Household(AccountStore& store) : store_(store) {}

  std::vector<std::pair<std::string, std::function<Status()>>> steps() {
    return {
        {"an invitation", [this] { return store_.create_invite(digest_with(1), kNow, kNow + 100); }},
        {"anna by invitation",
         [this] {
           const Digest invite = digest_with(1);
           return store_.add_person("anna", "hash of anna", Role::kAdmin, kNow, &invite, anna_);
         }},
        {"otto", [this] { return store_.add_person("otto", "hash of otto", Role::kUser, kNow, nullptr, otto_); }},
        {"anna logs in",
         [this] { return store_.open_session(digest_with(2), anna_, "hash of anna", kNow, kNow + 100, removed_); }},
        {"anna logs in again",
         [this] { return store_.open_session(digest_with(3), anna_, "hash of anna", kNow, kNow + 100, removed_); }},
        {"a key of otto", [this] { return store_.create_key(draft_of(otto_, 4), key_); }},
        {"another key of otto", [this] { return store_.create_key(draft_of(otto_, 5), other_key_); }},
        {"a key without an owner", [this] { return store_.create_key(draft_of(0, 6), ownerless_); }},
        {"uses",
         [this] {
           return store_.touch({{digest_with(2), kNow + 5}, {digest_with(4), kNow + 6}});
         }},
        {"a revoked key", [this] { return store_.revoke_key(other_key_, otto_, kNow, gone_); }},
        {"a stronger hash", [this] { return store_.rehash(otto_, "hash of otto", "strong hash of otto"); }},
        {"a new password",
         [this] {
           const Digest kept = digest_with(3);
           return store_.set_password(anna_, "hash of anna", "new hash", &kept, removed_);
         }},
        {"otto is disabled", [this] { return store_.set_disabled(otto_, true, kNow, removed_); }},
        {"otto is enabled", [this] { return store_.set_disabled(otto_, false, kNow, removed_); }},
        {"a log-out", [this] { return store_.close_session(digest_with(3)); }},
        {"expired entries", [this] { return store_.purge(kNow + 10, removed_); }},
        {"anna is found",
         [this] {
           std::optional<Person> found;
           return store_.find_person("anna", found);
         }},
        {"otto is found by id",
         [this] {
           std::optional<Person> found;
           return store_.find_person(otto_, found);
         }},
        {"the entries of otto",
         [this] {
           std::vector<AccessEntry> entries;
           return store_.read_entries_of(otto_, kNow, entries);
         }},
        {"an entry",
         [this] {
           std::optional<AccessEntry> entry;
           return store_.read_entry(digest_with(6), kNow, entry);
         }},
        {"the rights of a key",
         [this] {
           bool is = false;
           return store_.is_admin_key(ownerless_, kNow, is);
         }},
        {"otto is removed", [this] { return store_.remove_person(otto_, removed_); }},
    };
  }

 private:
  AccountStore& store_;
  PersonId anna_{0};
  PersonId otto_{0};
  KeyId key_{0};
  KeyId other_key_{0};
  KeyId ownerless_{0};
  Digest gone_{};
  std::vector<Digest> removed_;
};

// The end of the household: people, keys and entries.
struct End {
  std::vector<PersonRecord> people;
  std::vector<KeyRecord> keys;
  std::vector<AccessEntry> entries;
};

End end_of(const tests::AccountsDatabase& database) {
  const auto store = database.open_store();
  End end;
  REQUIRE(store->list_people(0, 100, end.people) == Status::kOk);
  REQUIRE(store->list_keys(std::nullopt, 0, 100, end.keys) == Status::kOk);
  end.entries = entries(*store);
  return end;
}

// Runs the household with a failure at the call `at`. Returns whether there was a call with that number.
bool run_with_failure(tests::AccountsDatabase& database, int at, Ran how) {
  (void)database.open_store();  // makes the tables
  auto failing = std::make_unique<FailingDatabase>(database.open(), at, how);
  const FailingDatabase& watched = *failing;
  AccountStore store(std::move(failing));
  Household household(store);
  for (const auto& [name, step] : household.steps()) {
    CAPTURE(name);
    const bool failed_before = watched.has_failed();
    Status status = step();
    if (status != Status::kOk) {
      REQUIRE((watched.has_failed() && !failed_before));  // nothing else failed
      REQUIRE(status == Status::kUnavailable);
      if (how == Ran::kUnavailable) CHECK(store.lost());
      status = step();
    } else if (watched.has_failed() && !failed_before) {
      CHECK(how == Ran::kAgain);  // no call may end without an answer unnoticed
    }
    REQUIRE(status == Status::kOk);
  }
  return watched.has_failed();
}

TEST_CASE("FailingDatabase: whichever call fails, a change is whole or absent, and can be repeated",
          "[accounts][unit]") {
  const Ran how = GENERATE(Ran::kUnavailable, Ran::kAgain);
  tests::AccountsDatabase undisturbed(tests::Backend::kSqlite);
  REQUIRE_FALSE(run_with_failure(undisturbed, 1'000'000, how));
  const End expected = end_of(undisturbed);
  REQUIRE(expected.people.size() == 1);
  int at = 0;
  for (bool failed = true; failed; ++at) {
    CAPTURE(at);
    tests::AccountsDatabase database(tests::Backend::kSqlite);
    failed = run_with_failure(database, at, how);
    const End end = end_of(database);
    CHECK(end.people == expected.people);
    CHECK(end.keys == expected.keys);
    CHECK(end.entries == expected.entries);
  }
  CHECK(at > 40);
}

TEST_CASE("FailingDatabase: whichever call of a migration fails, the next start migrates", "[accounts][unit]") {
  const Ran how = GENERATE(Ran::kUnavailable, Ran::kAgain);
  int at = 0;
  for (bool failed = true; failed; ++at) {
    CAPTURE(at);
    tests::AccountsDatabase database(tests::Backend::kSqlite);
    FailingDatabase failing(database.open(), at, how);
    const bool done = migrate(failing).ok();
    failed = failing.has_failed();
    CHECK((done || failed));
    const auto store = database.open_store();
    CHECK(add(*store, "anna") > 0);
  }
  CHECK(at > 3);
}

}  // namespace
}  // namespace yolod::app::accounts
