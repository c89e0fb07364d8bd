// The tests of people and sessions run over SQLite and over PostgreSQL ([postgres]).
#include "app/accounts/account_store.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/accounts_database.hpp"
#include "tests/unit/app/accounts/store_helpers.hpp"

namespace yolod::app::accounts {
namespace {

constexpr Seconds kHour = 3600;

void open(AccountStore& store, PersonId person, const std::string& name, std::uint8_t byte, Seconds now = kNow) {
  std::vector<Digest> removed;
  REQUIRE(store.open_session(digest_with(byte), person, "hash of " + name, now, now + 12 * kHour, removed) ==
          Status::kOk);
  CHECK(removed.empty());
}

}  // namespace

YOLOD_TEST_OVER_BOTH(finds_person, "a person is found by name and by id", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId id = add(*store, "anna", Role::kAdmin);
  add(*store, "otto");
  std::optional<Person> by_name;
  std::optional<Person> by_id;
  REQUIRE(store->find_person("anna", by_name) == Status::kOk);
  REQUIRE(store->find_person(id, by_id) == Status::kOk);
  REQUIRE((by_name && by_id));
  CHECK(by_name->record == PersonRecord{id, "anna", Role::kAdmin, kNow, 0});
  CHECK(by_name->password_hash == "hash of anna");
  CHECK(by_id->record == by_name->record);
  REQUIRE(store->find_person("nobody", by_name) == Status::kOk);
  CHECK_FALSE(by_name);
}

YOLOD_TEST_OVER_BOTH(name_is_taken, "two people cannot have the same name", "[accounts][unit]") {
  const auto store = database.open_store();
  add(*store, "anna");
  PersonId id = 0;
  CHECK(store->add_person("anna", "another", Role::kUser, kNow, nullptr, id) == Status::kNameTaken);
  add(*store, "otto");  // the connection goes on
  CHECK_FALSE(store->lost());
}

YOLOD_TEST_OVER_BOTH(odd_texts, "quotes and signs in a name are only text", "[accounts][unit]") {
  const auto store = database.open_store();
  const std::string odd = "a'); DROP TABLE yolod_people; -- $1 ? \\ \"";
  const PersonId id = add(*store, odd);
  std::optional<Person> found;
  REQUIRE(store->find_person(odd, found) == Status::kOk);
  REQUIRE(found);
  CHECK(found->record.id == id);
}

YOLOD_TEST_OVER_BOTH(lists_people, "people are listed page by page", "[accounts][unit]") {
  const auto store = database.open_store();
  for (int i = 0; i < 5; ++i) add(*store, "person" + std::to_string(i));
  std::vector<PersonRecord> page;
  REQUIRE(store->list_people(0, 3, page) == Status::kOk);
  REQUIRE(page.size() == 3);
  CHECK(page[0].name == "person0");
  std::vector<PersonRecord> rest;
  REQUIRE(store->list_people(page.back().id, 3, rest) == Status::kOk);
  REQUIRE(rest.size() == 2);
  CHECK(rest[1].name == "person4");
}

YOLOD_TEST_OVER_BOTH(people_are_bounded, "there are no more people than there may be", "[accounts][unit]") {
  StoreLimits limits;
  limits.people = 2;
  const auto store = database.open_store(limits);
  add(*store, "anna");
  add(*store, "otto");
  PersonId id = 0;
  CHECK(store->add_person("emma", "hash", Role::kUser, kNow, nullptr, id) == Status::kLimitReached);
}

YOLOD_TEST_OVER_BOTH(changes_password, "a new password ends the other sessions", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  const PersonId otto = add(*store, "otto");
  open(*store, anna, "anna", 1);
  open(*store, anna, "anna", 2);
  open(*store, otto, "otto", 3);
  const Digest kept = digest_with(1);
  std::vector<Digest> removed;
  CHECK(store->set_password(anna, "not the hash", "new", &kept, removed) == Status::kWrongCredentials);
  CHECK(removed.empty());
  CHECK(entries(*store).size() == 3);
  REQUIRE(store->set_password(anna, "hash of anna", "new", &kept, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(2)});
  CHECK(entries(*store).size() == 2);
  REQUIRE(store->set_password(anna, {}, "newer", nullptr, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(1)});
  CHECK(store->set_password(999, {}, "newer", nullptr, removed) == Status::kNotFound);
}

YOLOD_TEST_OVER_BOTH(rehashes, "rehash() replaces only the hash that was checked", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  open(*store, anna, "anna", 1);
  CHECK(store->rehash(anna, "another", "stronger") == Status::kWrongCredentials);
  REQUIRE(store->rehash(anna, "hash of anna", "stronger") == Status::kOk);
  CHECK(entries(*store).size() == 1);
  std::optional<Person> found;
  REQUIRE(store->find_person(anna, found) == Status::kOk);
  CHECK(found->password_hash == "stronger");
}

YOLOD_TEST_OVER_BOTH(removes_person, "a person goes with sessions and keys", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  const PersonId otto = add(*store, "otto");
  open(*store, anna, "anna", 1);
  open(*store, otto, "otto", 2);
  add_key(*store, draft_of(anna, 3));
  add_key(*store, draft_of(otto, 4));
  add_key(*store, draft_of(0, 5));
  std::vector<Digest> removed;
  REQUIRE(store->remove_person(anna, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(1), digest_with(3)});
  CHECK(entries(*store).size() == 3);
  CHECK(store->remove_person(anna, removed) == Status::kNotFound);
  CHECK(removed.empty());
}

YOLOD_TEST_OVER_BOTH(disables_person, "a disabled person has no session and no key, and cannot log in",
                     "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  open(*store, anna, "anna", 1);
  add_key(*store, draft_of(anna, 2));
  std::vector<Digest> removed;
  REQUIRE(store->set_disabled(anna, true, kNow + 5, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(1), digest_with(2)});
  CHECK(entries(*store).empty());
  CHECK(store->open_session(digest_with(3), anna, "hash of anna", kNow, kNow + 1, removed) ==
        Status::kWrongCredentials);
  std::optional<Person> found;
  REQUIRE(store->find_person(anna, found) == Status::kOk);
  CHECK(found->record.disabled == kNow + 5);
  REQUIRE(store->set_disabled(anna, false, kNow, removed) == Status::kOk);
  open(*store, anna, "anna", 3);
  CHECK(entries(*store).size() == 1);  // the key was revoked for good
  CHECK(store->set_disabled(999, true, kNow, removed) == Status::kNotFound);
}

YOLOD_TEST_OVER_BOTH(opens_session, "a session is opened with the hash that was checked and no other",
                     "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna", Role::kAdmin);
  std::vector<Digest> removed;
  CHECK(store->open_session(digest_with(1), anna, "old hash", kNow, kNow + 1, removed) == Status::kWrongCredentials);
  CHECK(store->open_session(digest_with(1), 999, "hash of anna", kNow, kNow + 1, removed) == Status::kWrongCredentials);
  CHECK(entries(*store).empty());
  open(*store, anna, "anna", 1);
  const auto read = entries(*store);
  REQUIRE(read.size() == 1);
  const AccessEntry& entry = read.front();
  CHECK(entry.digest == digest_with(1));
  CHECK(entry.kind == protocol::EntryKind::kSession);
  CHECK(entry.person == anna);
  CHECK(entry.name == "anna");
  CHECK(entry.role == Role::kAdmin);
  CHECK(entry.scopes == protocol::kAllScopes);
  CHECK(entry.created == kNow);
  CHECK(entry.expires == kNow + 12 * kHour);
  CHECK(entry.last_used == kNow);
}

YOLOD_TEST_OVER_BOTH(bounds_sessions, "one session too many ends the oldest", "[accounts][unit]") {
  StoreLimits limits;
  limits.sessions_of_person = 3;
  const auto store = database.open_store(limits);
  const PersonId anna = add(*store, "anna");
  for (std::uint8_t i = 1; i <= 3; ++i) open(*store, anna, "anna", i, kNow + i);
  std::vector<Digest> removed;
  REQUIRE(store->open_session(digest_with(4), anna, "hash of anna", kNow + 4, kNow + kHour, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(1)});
  CHECK(entries(*store).size() == 3);
}

YOLOD_TEST_OVER_BOTH(opened_session, "the newest of the sessions that begin in one second stays", "[accounts][unit]") {
  StoreLimits limits;
  limits.sessions_of_person = 1;
  const auto store = database.open_store(limits);
  const PersonId anna = add(*store, "anna");
  for (std::uint8_t i = 1; i <= 3; ++i) {
    std::vector<Digest> removed;
    std::optional<AccessEntry> opened;
    REQUIRE(store->open_session(digest_with(i), anna, "hash of anna", kNow, kNow + kHour, removed) == Status::kOk);
    REQUIRE(store->read_entry(digest_with(i), kNow, opened) == Status::kOk);
    REQUIRE(opened);
    CHECK(opened->digest == digest_with(i));
    CHECK(opened->person == anna);
    CHECK(opened->expires == kNow + kHour);
    CHECK(removed.size() == (i == 1 ? 0U : 1U));
  }
}

YOLOD_TEST_OVER_BOTH(closes_session, "a session that is closed is gone", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  open(*store, anna, "anna", 1);
  REQUIRE(store->close_session(digest_with(1)) == Status::kOk);
  CHECK(entries(*store).empty());
  CHECK(store->close_session(digest_with(1)) == Status::kNotFound);
}

YOLOD_TEST_OVER_BOTH(purges, "sessions end when they expire or are idle", "[accounts][unit]") {
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  open(*store, anna, "anna", 1, kNow);
  open(*store, anna, "anna", 2, kNow + 100);
  const Seconds idle = StoreLimits{}.session_idle;
  REQUIRE(store->touch({{digest_with(1), kNow + 300}}) == Status::kOk);
  // An idle session is invalid even before the purge.
  CHECK(entries(*store, kNow + idle + 99).size() == 2);
  CHECK(entries(*store, kNow + 100 + idle).size() == 1);
  std::vector<Digest> removed;
  REQUIRE(store->purge(kNow + idle + 99, removed) == Status::kOk);
  CHECK(removed.empty());
  REQUIRE(store->purge(kNow + 100 + idle, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(2)});
  REQUIRE(store->touch({{digest_with(1), kNow + 12 * kHour}}) == Status::kOk);
  CHECK(entries(*store, kNow + 12 * kHour - 1).size() == 1);
  REQUIRE(store->purge(kNow + 12 * kHour, removed) == Status::kOk);
  CHECK(removed == std::vector<Digest>{digest_with(1)});
}

YOLOD_TEST_OVER_BOTH(changes_are_whole, "what others do at the same time is done before or after", "[accounts][unit]") {
  if (database.is_postgres()) {
    const auto first = database.open_store();
    const PersonId anna = add(*first, "anna");
    // A connection changes the password while another connection opens sessions with the old password.
    std::thread logins([&] {
      const auto store = database.open_store();
      for (std::uint8_t i = 0; i < 40; ++i) {
        std::vector<Digest> removed;
        (void)store->open_session(digest_with(i), anna, "hash of anna", kNow, kNow + kHour, removed);
      }
    });
    std::vector<Digest> removed;
    Status status = Status::kBusy;
    while (status == Status::kBusy) status = first->set_password(anna, "hash of anna", "new", nullptr, removed);
    logins.join();
    CHECK(status == Status::kOk);
    CHECK(entries(*first).empty());  // none was opened with the old password after the new one was there
    return;
  }
  const auto first = database.open_store();
  const auto second = database.open_store();
  REQUIRE(first->database().begin() == Ran::kDone);
  PersonId id = 0;
  CHECK(second->add_person("anna", "hash", Role::kUser, kNow, nullptr, id) == Status::kUnavailable);  // after a second
  first->database().roll_back();
  CHECK(second->lost());
  CHECK_FALSE(second->left_in_doubt());
}

}  // namespace yolod::app::accounts
