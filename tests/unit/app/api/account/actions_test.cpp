// Tests what each route about accounts asks yolod-accounts, and its answer.
#include "app/api/account/actions.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/app/api/account/account_bench.hpp"

namespace yolod::app::api::account {
namespace {

namespace protocol = accounts::protocol;
using Next = http::Exchange::Next;
using protocol::Secret;
using protocol::Status;

constexpr protocol::Actor kAnna{protocol::ActorKind::kPerson, 7};

TEST_CASE("AccountActions: register", "[app][account][unit]") {
  AccountBench bench;
  REQUIRE(bench.send(register_actions(), "POST", R"({"name":"Anna","password":"p \"1\"","invite":"yli_x"})") ==
          Next::kWait);
  CHECK(bench.sent<protocol::Register>().name == "Anna");
  CHECK(bench.sent<protocol::Register>().password.view() == "p \"1\"");
  CHECK(bench.sent<protocol::Register>().invite.view() == "yli_x");
  CHECK(bench.sent<protocol::Register>().origin == "unix");
  bench.reply(Status::kOk);
  CHECK(bench.status() == 201);
  CHECK(bench.driver->body() == R"({"success":true})");
}

TEST_CASE("AccountActions: a log-in begins a new session, whatever cookie the client has sent",
          "[app][account][unit]") {
  AccountBench bench;
  bench.fields = "Cookie: yolod=chosen-by-the-client\r\nOrigin: https://yolod.example\r\n";
  REQUIRE(bench.send(login_actions(), "POST", R"({"name":"anna","password":"p"})") == Next::kWait);
  bench.reply(Status::kOk, protocol::SessionOpened{Secret("new-token"), 7, protocol::Role::kAdmin, 1234});
  CHECK(bench.status() == 200);
  CHECK(bench.header().find("Set-Cookie: __Host-yolod=new-token; Path=/; HttpOnly; SameSite=Strict; Secure\r\n") !=
        std::string::npos);
  CHECK(bench.json().at("role") == "admin");
  CHECK(bench.json().at("expires") == 1234);
  const auto token = std::string(bench.json().at("csrf_token").as_string());
  CHECK(token == csrf_token(protocol::digest_of("new-token")));
  CHECK(bench.driver->body().find("new-token") == std::string::npos);
}

TEST_CASE("AccountActions: log out ends the session and the cookie", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  REQUIRE(bench.send(logout_actions(), "POST") == Next::kWait);
  CHECK(bench.sent<protocol::LogOut>().session == bench.caller.credential);
  bench.reply(Status::kOk);
  CHECK(bench.header().find("Set-Cookie: yolod=; ") != std::string::npos);
  CHECK(bench.header().find("Max-Age=0") != std::string::npos);
  // The cookie stays if the session may go on.
  REQUIRE(bench.send(logout_actions(), "POST") == Next::kWait);
  bench.reply(Status::kUnavailable);
  CHECK(bench.status() == 503);
  CHECK(bench.header().find("Set-Cookie") == std::string::npos);
}

TEST_CASE("AccountActions: a new password keeps this session", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  REQUIRE(bench.send(password_actions(), "POST", R"({"old_password":"a","new_password":"b"})") == Next::kWait);
  const auto& sent = bench.sent<protocol::ChangePassword>();
  CHECK(sent.person == 7);
  CHECK(sent.old_password.view() == "a");
  CHECK(sent.new_password.view() == "b");
  CHECK(sent.session == bench.caller.credential);
  SECTION("done") {
    bench.reply(Status::kOk);
    CHECK(bench.status() == 200);
  }
  SECTION("a wrong password is not a wrong session") {
    bench.reply(Status::kWrongCredentials);
    CHECK(bench.status() == 403);
    CHECK(bench.message() == "the password is wrong");
  }
}

TEST_CASE("AccountActions: only a person changes or deletes an account", "[app][account][unit]") {
  AccountBench bench;
  bench.be_key();
  CHECK(bench.send(password_actions(), "POST", R"({"old_password":"a","new_password":"b"})") == Next::kRespond);
  CHECK(bench.status() == 403);
  CHECK(bench.send(me_actions(), "DELETE", R"({"password":"a"})") == Next::kRespond);
  CHECK(bench.status() == 403);
  CHECK(bench.send(logout_actions(), "POST") == Next::kRespond);
  CHECK(bench.status() == 403);
  bench.be_person();
  REQUIRE(bench.send(me_actions(), "DELETE", R"({"password":"a"})") == Next::kWait);
  CHECK(bench.sent<protocol::DeleteAccount>().person == 7);
  CHECK(bench.sent<protocol::DeleteAccount>().password.view() == "a");
  bench.reply(Status::kOk);
  CHECK(bench.header().find("Max-Age=0") != std::string::npos);
}

TEST_CASE("AccountActions: me tells a person the token, and a key its scopes", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  CHECK(bench.send(me_actions(), GENERATE("GET", "HEAD")) == Next::kRespond);
  CHECK(bench.json().at("kind") == "person");
  CHECK(bench.json().at("name") == "anna");
  CHECK(bench.json().at("role") == "user");
  CHECK(std::string(bench.json().at("csrf_token").as_string()) == csrf_token(bench.caller.credential));
  bench.be_key();
  CHECK(bench.send(me_actions(), "GET") == Next::kRespond);
  CHECK(bench.json().at("kind") == "key");
  CHECK(bench.json().at("scopes") == boost::json::array{"admin"});
  CHECK(bench.json().as_object().if_contains("csrf_token") == nullptr);
}

TEST_CASE("AccountActions: keys are listed", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  REQUIRE(bench.send(keys_actions(), "GET", "", "", "?after=3&all=1") == Next::kWait);
  CHECK(bench.sent<protocol::ListKeys>().actor == kAnna);
  CHECK(bench.sent<protocol::ListKeys>().all);
  CHECK(bench.sent<protocol::ListKeys>().after == 3);
  protocol::KeyRecord key;
  key.id = 4;
  key.name = "cam\"era";
  key.owner = "anna";
  key.head = "abcd";
  key.tail = "wxyz";
  key.scopes = protocol::kScopeModels | protocol::kScopePredict;
  key.rate = 5;
  key.created = 100;
  key.expires = 200;
  bench.reply(Status::kOk, protocol::KeysPage{{key, key}, true});
  CHECK(bench.json().at("more") == true);
  CHECK(bench.json().at("keys").as_array().size() == 2);
  CHECK(bench.json().at("keys").at(1) == boost::json::value{{"id", 4},
                                                            {"name", "cam\"era"},
                                                            {"owner", "anna"},
                                                            {"head", "abcd"},
                                                            {"tail", "wxyz"},
                                                            {"scopes", {"models", "predict"}},
                                                            {"rate", 5},
                                                            {"in_flight", 0},
                                                            {"created", 100},
                                                            {"expires", 200},
                                                            {"last_used", 0},
                                                            {"revoked", 0}});
  bench.be_operator();
  REQUIRE(bench.send(keys_actions(), "GET") == Next::kWait);
  CHECK(bench.sent<protocol::ListKeys>().all);  // the operator owns no keys
}

TEST_CASE("AccountActions: a new key is shown once", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  REQUIRE(bench.send(keys_actions(), "POST",
                     R"({"name":"camera","owner":"otto","scopes":["predict"],"rate":5,"in_flight":2,"expires":99})") ==
          Next::kWait);
  const auto& sent = bench.sent<protocol::CreateKey>();
  CHECK(sent.actor == kAnna);
  CHECK(sent.name == "camera");
  CHECK(sent.owner == "otto");
  CHECK(sent.scopes == protocol::kScopePredict);
  CHECK(sent.rate == 5);
  CHECK(sent.in_flight == 2);
  CHECK(sent.expires == 99);
  protocol::KeyCreated created{Secret("yld_abc"), {}};
  created.record.id = 8;
  created.record.name = "camera";
  bench.reply(Status::kOk, std::move(created));
  CHECK(bench.status() == 201);
  CHECK(bench.json().at("key") == "yld_abc");
  CHECK(bench.json().at("record").at("id") == 8);
  REQUIRE(bench.send(keys_actions(), "POST", R"({"name":"camera"})") == Next::kWait);
  CHECK(bench.sent<protocol::CreateKey>().scopes == (protocol::kScopeModels | protocol::kScopePredict));
}

TEST_CASE("AccountActions: revoke a key", "[app][account][unit]") {
  AccountBench bench;
  bench.be_key();
  for (const char* wrong : {"x", "0", "-1", "99999999999999999999", "1 "}) {
    CAPTURE(wrong);
    CHECK(bench.send(key_actions(), "DELETE", "", wrong) == Next::kRespond);
    CHECK(bench.status() == 404);
  }
  REQUIRE(bench.send(key_actions(), "DELETE", "", "12") == Next::kWait);
  CHECK(bench.sent<protocol::RevokeKey>().actor == protocol::Actor{protocol::ActorKind::kKey, 4});
  CHECK(bench.sent<protocol::RevokeKey>().key == 12);
  bench.reply(Status::kOk);
  CHECK(bench.status() == 200);
}

TEST_CASE("AccountActions: a key of api_keys_file owns no keys", "[app][account][unit]") {
  AccountBench bench;
  bench.caller.kind = access::Caller::Kind::kFileKey;
  bench.caller.scopes = protocol::kScopePredict;
  CHECK(bench.send(keys_actions(), "GET") == Next::kRespond);
  CHECK(bench.status() == 403);
  CHECK(bench.send(users_actions(), "GET") == Next::kRespond);
  CHECK(bench.status() == 403);
  bench.caller.scopes |= protocol::kScopeAdmin;
  CHECK(bench.send(users_actions(), "GET") == Next::kWait);
}

TEST_CASE("AccountActions: people are listed and added", "[app][account][unit]") {
  AccountBench bench;
  bench.be_operator();
  REQUIRE(bench.send(users_actions(), "GET", "", "", "?after=2") == Next::kWait);
  CHECK(bench.sent<protocol::ListPeople>().actor.kind == protocol::ActorKind::kOperator);
  CHECK(bench.sent<protocol::ListPeople>().after == 2);
  bench.reply(Status::kOk, protocol::PeoplePage{{{3, "anna", protocol::Role::kAdmin, 5, 0}}, false});
  CHECK(bench.json().at("users") ==
        boost::json::value{{{"id", 3}, {"name", "anna"}, {"role", "admin"}, {"created", 5}, {"disabled", 0}}});
  CHECK(bench.json().at("more") == false);

  REQUIRE(bench.send(users_actions(), "POST", R"({"name":"otto","password":"p","role":"admin"})") == Next::kWait);
  CHECK(bench.sent<protocol::AddPerson>().name == "otto");
  CHECK(bench.sent<protocol::AddPerson>().password.view() == "p");
  CHECK(bench.sent<protocol::AddPerson>().role == protocol::Role::kAdmin);
  bench.reply(Status::kOk, protocol::PasswordChosen{});
  CHECK(bench.status() == 201);
  CHECK(bench.driver->body() == R"({"success":true})");

  REQUIRE(bench.send(users_actions(), "POST", R"({"name":"emma"})") == Next::kWait);
  CHECK(bench.sent<protocol::AddPerson>().role == protocol::Role::kUser);
  bench.reply(Status::kOk, protocol::PasswordChosen{Secret("chosen")});
  CHECK(bench.json().at("password") == "chosen");

  CHECK(bench.send(users_actions(), "POST", R"({"name":"emma","role":"king"})") == Next::kRespond);
  CHECK(bench.error_code() == "invalid_parameter");
}

TEST_CASE("AccountActions: people are reset, disabled, removed and invited", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person(protocol::Role::kAdmin);
  REQUIRE(bench.send(reset_actions(), "POST", "", "otto") == Next::kWait);
  CHECK(bench.sent<protocol::ResetPassword>().name == "otto");
  CHECK(bench.sent<protocol::ResetPassword>().password.empty());
  bench.reply(Status::kOk, protocol::PasswordChosen{Secret("chosen")});
  CHECK(bench.json().at("password") == "chosen");
  REQUIRE(bench.send(user_actions(), "PATCH", R"({"disabled":false})", "otto") == Next::kWait);
  CHECK_FALSE(bench.sent<protocol::SetDisabled>().disabled);
  bench.reply(Status::kOk);
  REQUIRE(bench.send(user_actions(), "DELETE", "", "otto") == Next::kWait);
  CHECK(bench.sent<protocol::RemovePerson>().name == "otto");
  bench.reply(Status::kNotFound);
  CHECK(bench.status() == 404);
  REQUIRE(bench.send(invites_actions(), "POST", R"({"valid_for":3600})") == Next::kWait);
  CHECK(bench.sent<protocol::CreateInvite>().valid_for == 3600);
  bench.reply(Status::kOk, protocol::InviteCreated{Secret("yli_abc"), 77});
  CHECK(bench.status() == 201);
  CHECK(bench.json().at("invite") == "yli_abc");
  CHECK(bench.json().at("expires") == 77);
  for (const char* event : {"reset_password", "enable_person", "create_invite"}) {
    CHECK(bench.audit_lines().find(event) != std::string::npos);
  }
  CHECK(bench.audit_lines().find("yli_abc") == std::string::npos);
}

}  // namespace
}  // namespace yolod::app::api::account
