// The commands of people, admins and keys, over SQLite and over PostgreSQL ([postgres]). The process tests
// (tests/process/accounts_test.cpp) ask them of a real yolod-accounts.
#include "app/accounts/commands.hpp"

#include <sodium.h>

#include <array>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/protocol/tokens.hpp"
#include "tests/unit/app/accounts/serving.hpp"

namespace yolod::app::accounts::commands_test {
namespace {

using namespace protocol;

constexpr const char* kNewPassword = "cloud desk apple 4";
constexpr const char* kOrigin = "10.0.0.1";

Status register_as(Serving& serving, const std::string& name, const std::string& password = kPassword,
                   const Secret& invite = {}) {
  return serving.ask(Register{name, Secret(password), Secret(invite.view()), kOrigin}).status;
}

SessionOpened log_in(Serving& serving, const std::string& name, const std::string& password = kPassword) {
  auto reply = serving.ask(LogIn{name, Secret(password), kOrigin});
  REQUIRE(reply.status == Status::kOk);
  REQUIRE(std::holds_alternative<SessionOpened>(reply.result));
  return std::get<SessionOpened>(std::move(reply.result));
}

// Returns whether the front-end lets this token in, at the latest when all messages have come.
bool comes_in(Serving& serving, const Secret& token) { return serving.table.find(digest_of(token.view())) != nullptr; }

Actor admin(Serving& serving) {
  AddPerson added = person("emma");
  added.role = Role::kAdmin;
  REQUIRE(serving.ask(std::move(added)).status == Status::kOk);
  return {ActorKind::kPerson, log_in(serving, "emma").person};
}

CreateKey key_for(Actor actor, const std::string& owner = {}) {
  CreateKey command;
  command.actor = actor;
  command.owner = owner;
  command.name = "camera";
  return command;
}

KeyCreated make_key(Serving& serving, CreateKey command) {
  auto reply = serving.ask(std::move(command));
  REQUIRE(reply.status == Status::kOk);
  REQUIRE(std::holds_alternative<KeyCreated>(reply.result));
  return std::get<KeyCreated>(std::move(reply.result));
}

}  // namespace

YOLOD_TEST_OVER_BOTH(registers, "who may register depends on the policy, the name and the password",
                     "[accounts][unit]") {
  SECTION("open") {
    Serving serving(database);
    REQUIRE(serving.run_until_ready());
    CHECK(register_as(serving, "no name") == Status::kBadRequest);
    CHECK(register_as(serving, "anna", "short") == Status::kWeakPassword);
    CHECK(register_as(serving, "anna") == Status::kOk);
    CHECK(register_as(serving, "Anna") == Status::kNameTaken);  // upper case makes no other name
    CHECK(comes_in(serving, log_in(serving, "anna").token));
  }
  SECTION("by invitation") {
    Serving serving(database, [](Settings& settings) { settings.register_policy = RegisterPolicy::kInvite; });
    REQUIRE(serving.run_until_ready());
    CHECK(register_as(serving, "anna") == Status::kInviteRefused);
    auto reply = serving.ask(CreateInvite{{}, 60});
    REQUIRE(std::holds_alternative<InviteCreated>(reply.result));
    const auto& invite = std::get<InviteCreated>(reply.result).invite;
    CHECK(register_as(serving, "anna", kPassword, make_invite()) == Status::kInviteRefused);
    CHECK(register_as(serving, "anna", kPassword, invite) == Status::kOk);
    CHECK(register_as(serving, "otto", kPassword, invite) == Status::kInviteRefused);
    constexpr Seconds kTooLong = 91LL * 24 * 3600;
    CHECK(serving.ask(CreateInvite{{}, kTooLong}).status == Status::kBadRequest);
    CHECK(serving.ask(CreateInvite{{}, -1}).status == Status::kBadRequest);
  }
  SECTION("closed") {
    Serving serving(database, [](Settings& settings) { settings.register_policy = RegisterPolicy::kClosed; });
    REQUIRE(serving.run_until_ready());
    CHECK(register_as(serving, "anna") == Status::kRegistrationClosed);
  }
}

YOLOD_TEST_OVER_BOTH(registers_often, "an origin cannot register without end", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  std::vector<std::uint64_t> ids;
  constexpr int kFree = 20;
  for (int i = 0; i <= kFree; ++i) {
    ids.push_back(serving.send(Register{"anna" + std::to_string(i), Secret(kPassword), {}, kOrigin}));
  }
  REQUIRE(serving.run_until([&] { return serving.replies.count(ids.back()) != 0; }));
  CHECK(serving.replies.at(ids.back()).status == Status::kTooManyAttempts);
  CHECK(serving.replies.at(ids.back()).retry_after_ms > 1000);
}

YOLOD_TEST_OVER_BOTH(logs_out, "a session ends when its person logs out, and it may end twice", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const auto session = log_in(serving, "anna");
  REQUIRE(serving.run_until([&] { return comes_in(serving, session.token); }));
  for (int i = 0; i < 2; ++i) CHECK(serving.ask(LogOut{digest_of(session.token.view())}).status == Status::kOk);
  CHECK(serving.run_until([&] { return !comes_in(serving, session.token); }));
}

YOLOD_TEST_OVER_BOTH(changes_password, "a new password ends the other sessions, and needs the old one",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const auto kept = log_in(serving, "anna");
  const auto other = log_in(serving, "anna");
  const auto change = [&](PersonId who, const char* old_password, const char* new_password) {
    return serving
        .ask(ChangePassword{who, Secret(old_password), Secret(new_password), digest_of(kept.token.view()), kOrigin})
        .status;
  };
  CHECK(change(999, kPassword, kNewPassword) == Status::kNotFound);
  CHECK(change(kept.person, kPassword, "short") == Status::kWeakPassword);
  CHECK(change(kept.person, kNewPassword, kNewPassword) == Status::kWrongCredentials);
  CHECK(change(kept.person, kPassword, kNewPassword) == Status::kOk);
  CHECK(serving.run_until([&] { return !comes_in(serving, other.token); }));
  CHECK(comes_in(serving, kept.token));
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), "10.0.0.2"}).status == Status::kWrongCredentials);
  CHECK(comes_in(serving, log_in(serving, "anna", kNewPassword).token));
}

// The first log-in after an update renews a weak hash. A browser may send several at once.
YOLOD_TEST_OVER_BOTH(renews_hash, "log-ins at the same moment that renew the hash of a person all succeed",
                     "[accounts][unit]") {
  std::array<char, crypto_pwhash_STRBYTES> weak{};
  const std::string password = kPassword;
  REQUIRE(crypto_pwhash_str(weak.data(), password.data(), password.size(), 1, crypto_pwhash_MEMLIMIT_MIN) == 0);
  {
    PersonId id = 0;
    REQUIRE(database.open_store()->add_person("anna", weak.data(), Role::kUser, 1'700'000'000, nullptr, id) ==
            Status::kOk);
  }
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(serving.send(LogIn{"anna", Secret(kPassword), kOrigin}));
  REQUIRE(serving.run_until([&] { return serving.replies.count(ids.back()) != 0; }));
  for (const auto id : ids) {
    REQUIRE(serving.run_until([&] { return serving.replies.count(id) != 0; }));
    CHECK(serving.replies.at(id).status == Status::kOk);
  }
  std::optional<Person> person;
  REQUIRE(database.open_store()->find_person("anna", person) == Status::kOk);
  CHECK(person->password_hash != weak.data());
}

YOLOD_TEST_OVER_BOTH(guesses_password, "guesses of the old password wait as guesses at a log-in do",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const PersonId anna = log_in(serving, "anna").person;
  const auto change = [&] {
    return serving.ask(ChangePassword{anna, Secret("a wrong one"), Secret(kNewPassword), {}, kOrigin}).status;
  };
  const auto remove = [&] { return serving.ask(DeleteAccount{anna, Secret("a wrong one"), kOrigin}).status; };
  for (int i = 0; i < 3; ++i) CHECK((i % 2 == 0 ? change() : remove()) == Status::kWrongCredentials);
  CHECK(change() == Status::kTooManyAttempts);
  CHECK(remove() == Status::kTooManyAttempts);
}

YOLOD_TEST_OVER_BOTH(deletes_account, "an account goes with its sessions and keys, and needs the password",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const auto session = log_in(serving, "anna");
  const auto key = make_key(serving, key_for({ActorKind::kPerson, session.person}));
  CHECK(serving.ask(DeleteAccount{999, Secret(kPassword), kOrigin}).status == Status::kNotFound);
  CHECK(serving.ask(DeleteAccount{session.person, Secret("a wrong one"), kOrigin}).status == Status::kWrongCredentials);
  CHECK(serving.ask(DeleteAccount{session.person, Secret(kPassword), kOrigin}).status == Status::kOk);
  CHECK(serving.run_until([&] { return !comes_in(serving, session.token) && !comes_in(serving, key.key); }));
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), kOrigin}).status == Status::kWrongCredentials);
}

YOLOD_TEST_OVER_BOTH(administers, "an admin resets, disables and removes people, and a user does not",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  const Actor emma = admin(serving);
  REQUIRE(serving.ask(AddPerson{emma, "anna", Secret(kPassword), Role::kUser}).status == Status::kOk);
  CHECK(serving.ask(AddPerson{emma, "no name", Secret(kPassword), Role::kUser}).status == Status::kBadRequest);
  CHECK(serving.ask(AddPerson{emma, "otto", Secret("short"), Role::kUser}).status == Status::kWeakPassword);
  const auto session = log_in(serving, "anna");
  const Actor anna{ActorKind::kPerson, session.person};
  CHECK(serving.ask(AddPerson{anna, "otto", Secret(kPassword), Role::kUser}).status == Status::kNotAllowed);
  CHECK(serving.ask(ListPeople{anna, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(ListPeople{{ActorKind::kPerson, 999}, 0}).status == Status::kNotAllowed);

  CHECK(serving.ask(ResetPassword{emma, "anna", Secret("short")}).status == Status::kWeakPassword);
  CHECK(serving.ask(ResetPassword{emma, "nobody", {}}).status == Status::kNotFound);
  CHECK(serving.ask(ResetPassword{emma, "no name", {}}).status == Status::kNotFound);
  auto reset = serving.ask(ResetPassword{emma, "anna", {}});
  REQUIRE(std::holds_alternative<PasswordChosen>(reset.result));
  CHECK(serving.run_until([&] { return !comes_in(serving, session.token); }));
  const std::string chosen(std::get<PasswordChosen>(reset.result).password.view());
  CHECK(comes_in(serving, log_in(serving, "anna", chosen).token));

  CHECK(serving.ask(SetDisabled{emma, "anna", true}).status == Status::kOk);
  CHECK(serving.ask(LogIn{"anna", Secret(chosen), kOrigin}).status == Status::kWrongCredentials);
  CHECK(serving.ask(ListKeys{anna, false, 0}).status == Status::kNotAllowed);  // a disabled person may nothing
  CHECK(serving.ask(SetDisabled{emma, "anna", false}).status == Status::kOk);
  CHECK(serving.ask(SetDisabled{emma, "nobody", true}).status == Status::kNotFound);
  CHECK(serving.ask(RemovePerson{anna, "emma"}).status == Status::kNotAllowed);
  CHECK(serving.ask(RemovePerson{emma, "anna"}).status == Status::kOk);
  CHECK(serving.ask(RemovePerson{emma, "anna"}).status == Status::kNotFound);
}

YOLOD_TEST_OVER_BOTH(long_people_list, "a list of people that is too long for one answer says that more follow",
                     "[accounts][unit]") {
  const auto store = database.open_store();
  for (std::size_t i = 0; i <= kMaxEntries; ++i) {
    PersonId id = 0;
    const std::string name = "person" + std::to_string(i);
    REQUIRE(store->add_person(name, "hash", Role::kUser, 1, nullptr, id) == Status::kOk);
    KeyDraft draft;
    draft.digest.fill(static_cast<std::uint8_t>(i));
    draft.record.name = "camera";
    KeyId key = 0;
    REQUIRE(store->create_key(draft, key) == Status::kOk);
  }
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  const auto people = serving.ask(ListPeople{});
  REQUIRE(std::holds_alternative<PeoplePage>(people.result));
  const auto& page = std::get<PeoplePage>(people.result);
  CHECK(page.people.size() == kMaxEntries);
  CHECK(page.more);
  const auto rest = serving.ask(ListPeople{{}, page.people.back().id});
  CHECK(std::get<PeoplePage>(rest.result).people.size() == 1);
  CHECK_FALSE(std::get<PeoplePage>(rest.result).more);
  const auto keys = serving.ask(ListKeys{{}, true, 0});
  REQUIRE(std::holds_alternative<KeysPage>(keys.result));
  CHECK(std::get<KeysPage>(keys.result).more);
}

YOLOD_TEST_OVER_BOTH(makes_keys, "a key has a name, known scopes, an expiry to come and an owner who is there",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  const Actor emma = admin(serving);
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const Actor anna{ActorKind::kPerson, log_in(serving, "anna").person};
  const auto refused = [&](CreateKey command) { return serving.ask(std::move(command)).status; };
  auto command = key_for(anna);
  command.name.clear();
  CHECK(refused(command) == Status::kBadRequest);
  command = key_for(anna);
  command.scopes = 0;
  CHECK(refused(command) == Status::kBadRequest);
  command.scopes = 1U << 20U;
  CHECK(refused(command) == Status::kBadRequest);
  command = key_for(anna);
  command.expires = 1;
  CHECK(refused(command) == Status::kBadRequest);
  command = key_for(anna);
  command.scopes = kScopeAdmin;
  CHECK(refused(command) == Status::kNotAllowed);
  CHECK(refused(key_for(anna, "emma")) == Status::kNotAllowed);
  CHECK(refused(key_for(emma, "nobody")) == Status::kNotFound);
  CHECK(refused(key_for({ActorKind::kPerson, 999})) == Status::kNotAllowed);
  const auto created = make_key(serving, key_for(emma, "anna"));
  CHECK(created.record.owner == "anna");
  CHECK(serving.run_until([&] { return comes_in(serving, created.key); }));
}

YOLOD_TEST_OVER_BOTH(lists_and_revokes_keys, "a person lists and revokes own keys, an admin all keys",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  const Actor emma = admin(serving);
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const Actor anna{ActorKind::kPerson, log_in(serving, "anna").person};
  const auto annas = make_key(serving, key_for(anna));
  const auto emmas = make_key(serving, key_for(emma));
  const auto count = [&](Actor actor, bool all) {
    const auto reply = serving.ask(ListKeys{actor, all, 0});
    return std::holds_alternative<KeysPage>(reply.result) ? std::get<KeysPage>(reply.result).keys.size() : 99U;
  };
  CHECK(count(anna, false) == 1);
  CHECK(count(emma, true) == 2);
  CHECK(count({}, false) == 2);  // the operator owns no keys
  CHECK(serving.ask(ListKeys{anna, true, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(RevokeKey{anna, emmas.record.id}).status == Status::kNotFound);
  CHECK(serving.ask(RevokeKey{anna, annas.record.id}).status == Status::kOk);
  CHECK(serving.ask(RevokeKey{emma, annas.record.id}).status == Status::kNotFound);
  CHECK(serving.run_until([&] { return !comes_in(serving, annas.key); }));
  CHECK(comes_in(serving, emmas.key));
}

YOLOD_TEST_OVER_BOTH(admin_key_administers, "a key with the scope admin administers, and another key does not",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  auto command = key_for({});
  command.scopes = kAllScopes;
  const Actor strong{ActorKind::kKey, make_key(serving, command).record.id};
  const Actor weak{ActorKind::kKey, make_key(serving, key_for({})).record.id};
  CHECK(serving.ask(ListPeople{strong, 0}).status == Status::kOk);
  CHECK(serving.ask(ListPeople{weak, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(ListKeys{weak, false, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(RevokeKey{weak, strong.id}).status == Status::kNotAllowed);
  CHECK(serving.ask(RevokeKey{strong, weak.id}).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(touches_and_reads_again, "the front-end reports uses, and gets a snapshot when it asks",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const auto session = log_in(serving, "anna");
  REQUIRE(serving.run_until([&] { return comes_in(serving, session.token); }));
  const Digest digest = digest_of(session.token.view());
  const Seconds opened = serving.table.find(digest)->last_used;
  // A time to come counts as now.
  CHECK(serving.ask(Touch{{{digest, opened + 1'000'000}}}).status == Status::kOk);
  const auto version = serving.table.version();
  CHECK(serving.ask(ReadAgain{}).status == Status::kOk);
  REQUIRE(serving.run_until([&] { return serving.table.version() > version; }));
  REQUIRE(serving.table.find(digest) != nullptr);
  CHECK(serving.table.find(digest)->last_used < opened + 1'000);
}

}  // namespace yolod::app::accounts::commands_test
