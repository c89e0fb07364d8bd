// Tests yolod-accounts while its database is away, hangs or is changed by another machine. Cases with [postgres] need
// PostgreSQL.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "tests/support/accounts_database.hpp"
#include "tests/support/accounts_process.hpp"
#include "tests/support/accounts_requests.hpp"
#include "tests/support/promised_time.hpp"

namespace yolod::tests {
namespace {

using namespace app::accounts::protocol;

// Returns a new key that the database holds.
Secret new_key(AccountsProcess& accounts, KeyId* id = nullptr) {
  auto created = make_key(accounts, CreateKey{{}, "", "key"});
  if (id != nullptr) *id = created.record.id;
  return std::move(created.key);
}

// Checks the behaviour while the database is away.
void check_away(AccountsProcess& accounts, const Secret& key) {
  // The process may detect the loss only with this request.
  CHECK(accounts.ask(CreateKey{{}, "", "another"}).status == Status::kUnavailable);
  REQUIRE(accounts.take_until([&] { return !accounts.available(); }));
  for (int i = 0; i < 50; ++i) {
    const auto asked = Clock::now();
    CHECK(accounts.ask(LogIn{"anna", Secret(kPassword), "10.0.0.1"}).status == Status::kUnavailable);
    CHECK(Clock::now() - asked < promised(100ms));
  }
  CHECK(comes_in(accounts, key));  // known keys stay valid
}

void check_back(AccountsProcess& accounts, const Secret& key, Clock::time_point returned) {
  REQUIRE(accounts.take_until([&] { return accounts.available(); }));
  CHECK(Clock::now() - returned < promised(2'000ms));
  REQUIRE(accounts.take_until([&] { return comes_in(accounts, key); }));
  (void)new_key(accounts);
  CHECK_FALSE(accounts.broke_protocol());
}

}  // namespace

YOLOD_TEST_OVER_BOTH(hangs, "a database that hangs is away at once for all others, and back within 2 s", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  const Secret key = new_key(accounts);
  for (int round = 0; round < 2; ++round) {
    database.take_away();
    check_away(accounts, key);
    database.give_back();
    check_back(accounts, key, Clock::now());
  }
}

TEST_CASE("PostgreSQL: a dead server is detected at once, and its return within 2 s", "[accounts][postgres]") {
  if (skips_postgres()) return;
  AccountsDatabase database(Backend::kPostgres);
  auto& server = *PostgresServer::shared();
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  const Secret key = new_key(accounts);
  server.kill();
  check_away(accounts, key);
  server.start();
  check_back(accounts, key, Clock::now());
}

TEST_CASE("PostgreSQL: a server that is away at the start is used when it comes", "[accounts][postgres]") {
  if (skips_postgres()) return;
  AccountsDatabase database(Backend::kPostgres);
  auto& server = *PostgresServer::shared();
  server.kill();
  AccountsProcess accounts(database.settings());
  CHECK(accounts.ask(ListPeople{}).status == Status::kUnavailable);
  server.start();
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.ask(ListPeople{}).status == Status::kOk);
}

TEST_CASE("PostgreSQL: all other machines refuse a revoked key within a second", "[accounts][postgres]") {
  if (skips_postgres()) return;
  const AccountsDatabase database(Backend::kPostgres);
  AccountsProcess here(database.settings());
  AccountsProcess there(database.settings());
  REQUIRE(here.wait_until_ready());
  REQUIRE(there.wait_until_ready());
  KeyId id = 0;
  const Secret key = new_key(here, &id);
  REQUIRE(there.take_until([&] { return comes_in(there, key); }));
  const auto asked = Clock::now();
  REQUIRE(there.ask(RevokeKey{{}, id}).status == Status::kOk);
  REQUIRE(here.take_until([&] { return !comes_in(here, key); }));
  CHECK(Clock::now() - asked < promised(1'000ms));
  // Another program disables a person.
  REQUIRE(here.ask(AddPerson{{}, "anna", Secret(kPassword), Role::kUser}).status == Status::kOk);
  auto reply = here.ask(LogIn{"anna", Secret(kPassword), "10.0.0.1"});
  auto* const session = std::get_if<SessionOpened>(&reply.result);
  REQUIRE(session != nullptr);
  REQUIRE(there.take_until([&] { return comes_in(there, session->token); }));
  REQUIRE(database.open()->run_script("DELETE FROM yolod_sessions") == app::accounts::Ran::kDone);
  CHECK(here.take_until([&] { return !comes_in(here, session->token); }));
  CHECK(there.take_until([&] { return !comes_in(there, session->token); }));
  CHECK_FALSE(here.broke_protocol());
  CHECK_FALSE(there.broke_protocol());
}

TEST_CASE("PostgreSQL: changes during an outage are read after it", "[accounts][postgres]") {
  if (skips_postgres()) return;
  AccountsDatabase database(Backend::kPostgres);
  auto& server = *PostgresServer::shared();
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  const Secret gone = new_key(accounts);
  const Secret stays = new_key(accounts);
  // The process is stopped, so it does not hear of the change and then finds its connections lost.
  ::kill(accounts.pid(), SIGSTOP);
  const std::string digest = to_hex(digest_of(gone.view()));
  REQUIRE(database.open()->run_script("UPDATE yolod_api_keys SET revoked = 1 WHERE digest = decode('" + digest +
                                      "', 'hex')") == app::accounts::Ran::kDone);
  server.kill();
  server.start();
  ::kill(accounts.pid(), SIGCONT);
  CHECK(accounts.take_until([&] { return !comes_in(accounts, gone); }));
  CHECK(comes_in(accounts, stays));
}

TEST_CASE("PostgreSQL: the server is reached over TCP with a password or a password file", "[accounts][postgres]") {
  if (skips_postgres()) return;
  const TemporaryDirectory directory;
  auto& server = *PostgresServer::shared();
  Settings settings;
  settings.sandbox = common::SandboxMode::kRequired;
  settings.postgres = server.settings(server.create_database(), true);
  {
    AccountsProcess accounts(settings);
    REQUIRE(accounts.wait_until_ready());
    CHECK(accounts.log().find(PostgresServer::kPassword) == std::string::npos);
  }
  settings.postgres.password = Secret("wrong");
  {
    AccountsProcess accounts(settings);
    REQUIRE(accounts.take_until(
        [&] { return accounts.log().find("password authentication failed") != std::string::npos; }));
    CHECK(accounts.ask(ListPeople{}).status == Status::kUnavailable);
  }
  settings.postgres.password_file = directory.write("password", std::string(PostgresServer::kPassword) + "\n").string();
  settings.postgres.host = "localhost";  // is looked up
  AccountsProcess accounts(settings);
  CHECK(accounts.wait_until_ready());
}

TEST_CASE("SQLite: a second process waits for the first, and fails while the first runs", "[accounts]") {
  const AccountsDatabase database(Backend::kSqlite);
  AccountsProcess first(database.settings());
  REQUIRE(first.wait_until_ready());
  {
    AccountsProcess second(database.settings());
    CHECK(second.wait_for_exit() == exited(kExitBadDatabase));
    CHECK(second.log().find("another server uses the database of accounts") != std::string::npos);
  }
  AccountsProcess third(database.settings());
  first.hang_up();
  CHECK(third.wait_until_ready());
}

}  // namespace yolod::tests
