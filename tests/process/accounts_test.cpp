// Tests yolod-accounts as the front-end uses it: a process with a socket and a database, SQLite or PostgreSQL. Cases
// with [postgres] need PostgreSQL.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/support/accounts_database.hpp"
#include "tests/support/accounts_process.hpp"
#include "tests/support/accounts_requests.hpp"
#include "tests/support/program.hpp"
#include "tests/support/run_program.hpp"

namespace yolod::tests {
namespace {

using namespace app::accounts::protocol;

Status add(AccountsProcess& accounts, const std::string& name, Role role = Role::kUser) {
  return accounts.ask(AddPerson{{}, name, Secret(kPassword), role}).status;
}

// The change of the table may come shortly after the answer.
bool comes_in_soon(AccountsProcess& accounts, const Secret& token, bool expected = true) {
  return accounts.take_until([&] { return comes_in(accounts, token) == expected; });
}

Actor actor_of(const SessionOpened& session) { return {ActorKind::kPerson, session.person}; }

}  // namespace

YOLOD_TEST_OVER_BOTH(person_comes_and_goes, "a person registers, logs in and out, and deletes the account",
                     "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.ask(Register{"Anna", Secret(kPassword), Secret(), "10.0.0.1"}).status == Status::kOk);
  CHECK(accounts.ask(Register{"anna", Secret(kPassword), Secret(), "10.0.0.1"}).status == Status::kNameTaken);
  CHECK(accounts.ask(LogIn{"anna", Secret(kOtherPassword), "10.0.0.1"}).status == Status::kWrongCredentials);
  CHECK(accounts.ask(LogIn{"otto", Secret(kPassword), "10.0.0.1"}).status == Status::kWrongCredentials);
  const auto session = log_in(accounts, "ANNA");
  CHECK(is_session_token(session.token.view()));
  REQUIRE(comes_in_soon(accounts, session.token));
  const AccessTable::Entry entry = *accounts.table().find(digest_of(session.token.view()));
  CHECK(entry.person == session.person);
  CHECK(entry.name() == "anna");
  CHECK(entry.scopes == (kScopeModels | kScopePredict));
  CHECK(entry.expires == session.expires);
  CHECK(accounts.ask(LogOut{digest_of(session.token.view())}).status == Status::kOk);
  CHECK(comes_in_soon(accounts, session.token, false));
  const auto second = log_in(accounts, "anna");
  CHECK(accounts.ask(DeleteAccount{second.person, Secret(kOtherPassword), "10.0.0.1"}).status ==
        Status::kWrongCredentials);
  CHECK(accounts.ask(DeleteAccount{second.person, Secret(kPassword), "10.0.0.1"}).status == Status::kOk);
  CHECK(comes_in_soon(accounts, second.token, false));
  CHECK(accounts.ask(LogIn{"anna", Secret(kPassword), "10.0.0.1"}).status == Status::kWrongCredentials);
  CHECK_FALSE(accounts.broke_protocol());
  // The log names people, but has no password and no token.
  const std::string log = accounts.log();
  CHECK(log.find("audit: person") != std::string::npos);
  CHECK(log.find("logged in from 10.0.0.1") != std::string::npos);
  CHECK(log.find("audit: a log-in as otto from 10.0.0.1 failed") != std::string::npos);
  for (const std::string& secret : {std::string(kPassword), std::string(session.token.view())}) {
    CHECK(log.find(secret) == std::string::npos);
  }
}

YOLOD_TEST_OVER_BOTH(password_changes, "a new password ends the other sessions and the old password", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  REQUIRE(add(accounts, "anna") == Status::kOk);
  const auto here = log_in(accounts, "anna");
  const auto elsewhere = log_in(accounts, "anna");
  REQUIRE(comes_in_soon(accounts, elsewhere.token));
  const auto change = [&](const char* old_password, const char* new_password) {
    return accounts
        .ask(ChangePassword{here.person, Secret(old_password), Secret(new_password), digest_of(here.token.view()),
                            "10.0.0.1"})
        .status;
  };
  CHECK(change(kOtherPassword, kOtherPassword) == Status::kWrongCredentials);
  CHECK(change(kPassword, "password1234") == Status::kWeakPassword);
  CHECK(change(kPassword, kOtherPassword) == Status::kOk);
  CHECK(comes_in_soon(accounts, elsewhere.token, false));
  CHECK(comes_in(accounts, here.token));
  CHECK(accounts.ask(LogIn{"anna", Secret(kPassword), "10.0.0.2"}).status == Status::kWrongCredentials);
  (void)log_in(accounts, "anna", kOtherPassword);
}

YOLOD_TEST_OVER_BOTH(admin_looks_after_people, "an admin adds, lists, resets, disables and removes people",
                     "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  REQUIRE(add(accounts, "anna", Role::kAdmin) == Status::kOk);
  REQUIRE(add(accounts, "otto") == Status::kOk);
  const Actor admin = actor_of(log_in(accounts, "anna"));
  const auto otto = log_in(accounts, "otto");
  // A user may not do any of these changes.
  const Actor user = actor_of(otto);
  CHECK(accounts.ask(ListPeople{user, 0}).status == Status::kNotAllowed);
  CHECK(accounts.ask(AddPerson{user, "emma", Secret(kPassword), Role::kUser}).status == Status::kNotAllowed);
  CHECK(accounts.ask(RemovePerson{user, "anna"}).status == Status::kNotAllowed);
  CHECK(accounts.ask(SetDisabled{user, "anna", true}).status == Status::kNotAllowed);
  CHECK(accounts.ask(ResetPassword{user, "anna", Secret()}).status == Status::kNotAllowed);
  CHECK(accounts.ask(CreateInvite{user, 0}).status == Status::kNotAllowed);
  CHECK(accounts.ask(ListPeople{{ActorKind::kPerson, 999}, 0}).status == Status::kNotAllowed);

  const auto reset = accounts.ask(ResetPassword{admin, "otto", Secret()});
  REQUIRE(reset.status == Status::kOk);
  const auto* const chosen = std::get_if<PasswordChosen>(&reset.result);
  REQUIRE(chosen != nullptr);
  CHECK(comes_in_soon(accounts, otto.token, false));
  const auto again = log_in(accounts, "otto", std::string(chosen->password.view()));
  CHECK(accounts.ask(SetDisabled{admin, "otto", true}).status == Status::kOk);
  CHECK(comes_in_soon(accounts, again.token, false));
  CHECK(accounts.ask(LogIn{"otto", chosen->password.clone(), "10.0.0.9"}).status == Status::kWrongCredentials);
  CHECK(accounts.ask(SetDisabled{admin, "otto", false}).status == Status::kOk);
  (void)log_in(accounts, "otto", std::string(chosen->password.view()));

  const auto added = accounts.ask(AddPerson{admin, "emma", Secret(), Role::kUser});
  REQUIRE(added.status == Status::kOk);
  CHECK(std::get_if<PasswordChosen>(&added.result)->password.size() == 20);
  const auto listed = accounts.ask(ListPeople{admin, 0});
  const auto* const page = std::get_if<PeoplePage>(&listed.result);
  REQUIRE(page != nullptr);
  CHECK_FALSE(page->more);
  std::vector<std::string> names;
  for (const auto& person : page->people) names.push_back(person.name);
  CHECK(names == std::vector<std::string>{"anna", "otto", "emma"});
  CHECK(accounts.ask(RemovePerson{admin, "emma"}).status == Status::kOk);
  CHECK(accounts.ask(RemovePerson{admin, "emma"}).status == Status::kNotFound);
  CHECK(accounts.ask(AddPerson{admin, "Not a name", Secret(), Role::kUser}).status == Status::kBadRequest);
}

YOLOD_TEST_OVER_BOTH(long_lists, "long lists come page by page", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  constexpr int kKeys = 60;
  for (int i = 0; i < kKeys; ++i) (void)make_key(accounts, CreateKey{{}, "", "key " + std::to_string(i)});
  std::set<KeyId> ids;
  KeyId after = 0;
  int pages = 0;
  for (bool more = true; more; ++pages) {
    const auto reply = accounts.ask(ListKeys{{}, true, after});
    const auto* const page = std::get_if<KeysPage>(&reply.result);
    REQUIRE(page != nullptr);
    for (const auto& key : page->keys) ids.insert(key.id);
    after = page->keys.back().id;
    more = page->more;
  }
  CHECK(ids.size() == kKeys);
  CHECK(pages == 3);
}

YOLOD_TEST_OVER_BOTH(keys, "a key is shown once, comes in, and is revoked", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  REQUIRE(add(accounts, "anna") == Status::kOk);
  REQUIRE(add(accounts, "otto") == Status::kOk);
  const Actor anna = actor_of(log_in(accounts, "anna"));
  const Actor otto = actor_of(log_in(accounts, "otto"));
  CHECK(accounts.ask(CreateKey{anna, "", "loads", kScopeLoad}).status == Status::kNotAllowed);
  CHECK(accounts.ask(CreateKey{anna, "otto", "his"}).status == Status::kNotAllowed);
  CHECK(accounts.ask(CreateKey{anna, "", "two\nlines"}).status == Status::kBadRequest);
  CHECK(accounts.ask(CreateKey{anna, "", "none", 0}).status == Status::kBadRequest);
  CHECK(accounts.ask(CreateKey{anna, "", "old", kScopePredict, 0, 0, 5}).status == Status::kBadRequest);
  CHECK(accounts.ask(CreateKey{anna, "", "fast", kScopePredict, 25, 4, 0}).status == Status::kNotAllowed);
  const auto key = make_key(accounts, CreateKey{Actor{}, "anna", "gate camera", kScopePredict, 25, 4, 0});
  CHECK(is_api_key(key.key.view()));
  CHECK(key.record.owner == "anna");
  CHECK(key.record.head == key.key.view().substr(4, 4));
  CHECK(key.record.tail == key.key.view().substr(36));
  REQUIRE(comes_in_soon(accounts, key.key));
  const AccessTable::Entry entry = *accounts.table().find(digest_of(key.key.view()));
  CHECK(entry.kind == EntryKind::kKey);
  CHECK(entry.key == key.record.id);
  CHECK(entry.scopes == kScopePredict);
  CHECK(entry.rate == 25);
  CHECK(entry.in_flight == 4);
  CHECK(accounts.ask(RevokeKey{otto, key.record.id}).status == Status::kNotFound);
  CHECK(comes_in(accounts, key.key));
  CHECK(accounts.ask(RevokeKey{anna, key.record.id}).status == Status::kOk);
  CHECK(comes_in_soon(accounts, key.key, false));
  CHECK(accounts.log().find(std::string(key.key.view())) == std::string::npos);
}

YOLOD_TEST_OVER_BOTH(admin_keys, "a key with the scope `admin` administers until it is revoked", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  const auto key = make_key(accounts, CreateKey{{}, "", "deployment", kAllScopes});
  const Actor program{ActorKind::kKey, key.record.id};
  CHECK(accounts.ask(AddPerson{program, "anna", Secret(kPassword), Role::kAdmin}).status == Status::kOk);
  CHECK(accounts.ask(RevokeKey{program, key.record.id}).status == Status::kOk);
  CHECK(accounts.ask(ListPeople{program, 0}).status == Status::kNotAllowed);
}

YOLOD_TEST_OVER_BOTH(registration, "registration is closed, by invitation or open, as the settings say", "[accounts]") {
  auto settings = database.settings();
  settings.register_policy = RegisterPolicy::kClosed;
  {
    AccountsProcess accounts(settings);
    REQUIRE(accounts.wait_until_ready());
    CHECK(accounts.ask(Register{"anna", Secret(kPassword), Secret(), "a"}).status == Status::kRegistrationClosed);
  }
  settings.register_policy = RegisterPolicy::kInvite;
  AccountsProcess accounts(settings);
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.ask(Register{"anna", Secret(kPassword), Secret(), "a"}).status == Status::kInviteRefused);
  CHECK(accounts.ask(Register{"anna", Secret(kPassword), make_invite(), "a"}).status == Status::kInviteRefused);
  const auto reply = accounts.ask(CreateInvite{{}, 0});
  const auto* const made = std::get_if<InviteCreated>(&reply.result);
  REQUIRE(made != nullptr);
  CHECK(accounts.ask(Register{"anna", Secret("short"), made->invite.clone(), "a"}).status == Status::kWeakPassword);
  CHECK(accounts.ask(Register{"anna", Secret(kPassword), made->invite.clone(), "a"}).status == Status::kOk);
  CHECK(accounts.ask(Register{"otto", Secret(kPassword), made->invite.clone(), "a"}).status == Status::kInviteRefused);
}

YOLOD_TEST_OVER_BOTH(guessing, "guessing becomes slow, for unknown names too", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  REQUIRE(add(accounts, "anna") == Status::kOk);
  for (const char* const name : {"anna", "nobody", "\xC3\xA4"}) {
    for (int i = 0; i < 3; ++i) {
      CHECK(accounts.ask(LogIn{name, Secret(kOtherPassword), "10.0.0.1"}).status == Status::kWrongCredentials);
    }
    const auto slowed = accounts.ask(LogIn{name, Secret(kOtherPassword), "10.0.0.1"});
    CHECK(slowed.status == Status::kTooManyAttempts);
    CHECK(slowed.retry_after_ms >= 1000);
  }
  // The person themselves elsewhere.
  CHECK(accounts.ask(LogIn{"anna", Secret(kPassword), "10.0.0.2"}).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(starts_again, "a process that is started again tells of all keys and sessions", "[accounts]") {
  std::vector<Secret> tokens;
  {
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    REQUIRE(add(accounts, "anna") == Status::kOk);
    tokens.push_back(std::move(log_in(accounts, "anna").token));
    for (int i = 0; i < 50; ++i) tokens.push_back(std::move(make_key(accounts, CreateKey{{}, "", "key"}).key));
    const Digest used = digest_of(tokens.back().view());
    CHECK(accounts.ask(Touch{{{used, 1'700'000'000}}}).status == Status::kOk);
    accounts.hang_up();
    CHECK(accounts.wait_for_exit() == exited(kExitStopped));
  }
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.table().size() == tokens.size());
  for (const auto& token : tokens) CHECK(comes_in(accounts, token));
  CHECK(accounts.table().find(digest_of(tokens.back().view()))->last_used == 1'700'000'000);
  CHECK_FALSE(accounts.broke_protocol());
}

YOLOD_TEST_OVER_BOTH(is_sealed, "the process seals itself and reports it", "[accounts]") {
  auto settings = database.settings();
  settings.sandbox = common::SandboxMode::kRequired;
  AccountsProcess accounts(settings);
  REQUIRE(accounts.wait_until_ready());
  REQUIRE(accounts.hello());
  CHECK(accounts.hello()->postgres == database.is_postgres());
  CHECK(accounts.hello()->seccomp);
  CHECK(accounts.hello()->landlock_abi >= 1);
  CHECK(accounts.hello()->missing.empty());
  CHECK(accounts.log().find("not fully sealed") == std::string::npos);
}

YOLOD_TEST_OVER_BOTH(odd_bytes, "bytes that are no request do no harm", "[accounts]") {
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes += static_cast<char>(i * 89);
    accounts.send_bytes(bytes);
  }
  accounts.send_bytes(std::string(100'000, 'x'));
  CHECK(add(accounts, "anna") == Status::kOk);
  CHECK_FALSE(accounts.broke_protocol());
}

TEST_CASE("yolod-accounts: a start by hand ends with a message", "[accounts]") {
  const auto result = run_program({"yolod-accounts"});
  CHECK(result.exit == exited(kExitBadStart));
  CHECK(result.errors == "yolod-accounts is started by yolod; there is nothing to run by hand.\n");
}

TEST_CASE("yolod-accounts: a file that is not a database ends the process, and the log has the reason", "[accounts]") {
  const TemporaryDirectory directory;
  Settings settings;
  settings.sqlite_file = directory.write("garbage.db", std::string(9000, 'x')).string();
  AccountsProcess accounts(settings);
  CHECK(accounts.wait_for_exit() == exited(kExitBadDatabase));
  CHECK(accounts.log().find("file is not a database") != std::string::npos);
}

}  // namespace yolod::tests
