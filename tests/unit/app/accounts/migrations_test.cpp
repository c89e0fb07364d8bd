// The schema, over SQLite and over PostgreSQL ([postgres]).
#include "app/accounts/migrations.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "app/accounts/account_store.hpp"
#include "tests/support/accounts_database.hpp"

namespace yolod::app::accounts {
namespace {

constexpr Statement kVersion{"SELECT MAX(version) FROM yolod_schema"};
constexpr Statement kPeople{"SELECT name, password_hash FROM yolod_people ORDER BY id"};
constexpr const char* kAddAnna =
    "INSERT INTO yolod_people (name, password_hash, role, created) VALUES ('anna', 'hash', 1, 5)";

std::int64_t version_of(Database& database) {
  std::vector<Row> rows;
  REQUIRE(database.run(kVersion, {}, &rows) == Ran::kDone);
  REQUIRE(rows.size() == 1);
  return number_in(rows[0], 0);
}

}  // namespace

TEST_CASE("migrations: are numbered from 1 on without a gap", "[accounts][unit]") {
  std::int64_t next = 0;
  for (const Migration& step : all_migrations()) CHECK(step.number == ++next);
  CHECK(next >= 2);
}

YOLOD_TEST_OVER_BOTH(migrates_from_each, "a migration from each older schema keeps the data", "[accounts][unit]") {
  const auto all = all_migrations();
  const auto connection = database.open();
  // Do the first steps, then the others, for each version.
  for (std::size_t older = 1; older <= all.size(); ++older) {
    REQUIRE(migrate(*connection, all.first(older)).ok());
    CHECK(version_of(*connection) == static_cast<std::int64_t>(older));
    if (older == 1) REQUIRE(connection->run_script(kAddAnna) == Ran::kDone);
    std::vector<Row> people;
    REQUIRE(connection->run(kPeople, {}, &people) == Ran::kDone);
    REQUIRE(people.size() == 1);
    CHECK(text_in(people[0], 0) == "anna");
    CHECK(text_in(people[0], 1) == "hash");
  }
  REQUIRE(migrate(*connection).ok());  // again: nothing to do
  AccountStore store(database.open());
  std::optional<Person> anna;
  REQUIRE(store.find_person("anna", anna) == Status::kOk);
  REQUIRE(anna);
  CHECK(anna->record.role == Role::kAdmin);
  REQUIRE(store.create_invite({}, 1, 2) == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(failed_step_changes_nothing, "a step that fails in the middle changes nothing",
                     "[accounts][unit]") {
  const auto connection = database.open();
  constexpr const char* kBroken = "CREATE TABLE yolod_extra (id INTEGER); INSERT INTO no_such_table VALUES (1);";
  constexpr const char* kGood = "CREATE TABLE yolod_extra (id INTEGER);";
  std::vector<Migration> steps(all_migrations().begin(), all_migrations().end());
  const std::int64_t number = steps.back().number + 1;
  steps.push_back({number, kBroken, kBroken});
  const auto failed = migrate(*connection, steps);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message == "the database of accounts cannot change to version " + std::to_string(number));
  steps.back() = {number, kGood, kGood};
  const auto again = database.open();
  CHECK(version_of(*again) == number - 1);
  REQUIRE(migrate(*again, steps).ok());
  CHECK(version_of(*again) == number);
}

YOLOD_TEST_OVER_BOTH(newer_is_refused, "a schema that a newer version made is left alone", "[accounts][unit]") {
  const auto connection = database.open();
  REQUIRE(migrate(*connection).ok());
  REQUIRE(connection->run_script("INSERT INTO yolod_schema VALUES (99)") == Ran::kDone);
  const auto refused = migrate(*connection);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("has version 99 of a newer yolod") != std::string::npos);
}

TEST_CASE("PostgreSQL: several processes that migrate at once do each step once", "[accounts][unit][postgres]") {
  if (tests::skips_postgres()) return;
  const tests::AccountsDatabase database(tests::Backend::kPostgres);
  std::array<bool, 4> done{};
  std::vector<std::thread> threads;
  for (bool& each : done) {
    threads.emplace_back([&database, &each] {
      const auto connection = database.open();
      each = migrate(*connection).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done == std::array<bool, 4>{true, true, true, true});
  const auto connection = database.open();
  CHECK(version_of(*connection) == all_migrations().back().number);
}

}  // namespace yolod::app::accounts
