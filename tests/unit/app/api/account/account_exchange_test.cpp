#include "app/api/account/account_exchange.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/unit/app/api/account/account_bench.hpp"

namespace yolod::app::api::account {
namespace {

namespace protocol = accounts::protocol;
using Next = http::Exchange::Next;
using protocol::Status;

const std::string kLogInBody = R"({"name":"anna","password":"tree lamp river 9"})";

TEST_CASE("AccountExchange: the answer tells that a server has no accounts", "[app][account][unit]") {
  AccountBench bench;
  bench.accounts = {};
  CHECK(bench.send(login_actions(), "POST", kLogInBody) == Next::kRespond);
  CHECK(bench.status() == 404);
  CHECK(bench.message().find("no accounts") != std::string::npos);
}

TEST_CASE("AccountExchange: without the database a request is refused before its body is read",
          "[app][account][unit]") {
  AccountBench bench;
  bench.available = false;
  CHECK(bench.send(login_actions(), "POST", kLogInBody) == Next::kRespond);
  CHECK(bench.status() == 503);
  CHECK(bench.error_code() == "not_ready");
  CHECK(bench.header().find("Retry-After: 1\r\n") != std::string::npos);
  CHECK_FALSE(bench.command);
  // The own identity needs no database.
  bench.be_person();
  CHECK(bench.send(me_actions(), "GET") == Next::kRespond);
  CHECK(bench.status() == 200);
}

TEST_CASE("AccountExchange: each status of yolod-accounts has its error", "[app][account][unit]") {
  struct Row {
    Status status;
    int http_status;
    const char* code;
  };
  const auto row =
      GENERATE(Row{Status::kBadRequest, 400, "invalid_parameter"}, Row{Status::kWrongCredentials, 401, "unauthorized"},
               Row{Status::kNotAllowed, 403, "forbidden"}, Row{Status::kNotFound, 404, "not_found"},
               Row{Status::kNameTaken, 409, "conflict"}, Row{Status::kWeakPassword, 400, "invalid_parameter"},
               Row{Status::kInviteRefused, 403, "forbidden"}, Row{Status::kRegistrationClosed, 403, "forbidden"},
               Row{Status::kTooManyAttempts, 429, "too_many_requests"}, Row{Status::kLimitReached, 403, "forbidden"},
               Row{Status::kBusy, 503, "queue_full"}, Row{Status::kUnavailable, 503, "not_ready"},
               Row{Status::kDeadlineExceeded, 504, "deadline_exceeded"});
  AccountBench bench;
  REQUIRE(bench.send(login_actions(), "POST", kLogInBody) == Next::kWait);
  bench.reply(row.status, {}, 2500);
  CHECK(bench.status() == row.http_status);
  CHECK(bench.error_code() == row.code);
  CHECK(bench.header().find("Cache-Control: no-store\r\n") != std::string::npos);
  CHECK(bench.header().find("Set-Cookie") == std::string::npos);
  const bool waits = row.http_status == 429 || row.http_status == 503;
  CHECK((bench.header().find("Retry-After: 3\r\n") != std::string::npos) == waits);
}

TEST_CASE("AccountExchange: a wrong name and a wrong password get the same answer", "[app][account][unit]") {
  std::vector<std::string> answers;
  for (const char* name : {"anna", "nobody"}) {
    AccountBench bench;
    REQUIRE(bench.send(login_actions(), "POST", R"({"name":")" + std::string(name) + R"(","password":"x"})") ==
            Next::kWait);
    bench.reply(Status::kWrongCredentials);
    answers.push_back(std::to_string(bench.status()) + bench.header() + bench.driver->body());
  }
  CHECK(answers[0] == answers[1]);
}

TEST_CASE("AccountExchange: a body is short JSON with the type of JSON", "[app][account][unit]") {
  AccountBench bench;
  CHECK(bench.send(login_actions(), "POST") == Next::kRespond);
  CHECK(bench.error_code() == "invalid_parameter");
  CHECK(bench.send(login_actions(), "POST", "name=anna") == Next::kRespond);
  CHECK(bench.error_code() == "bad_request");
  bench.content_type = "text/plain";
  CHECK(bench.send(login_actions(), "POST", kLogInBody) == Next::kRespond);
  CHECK(bench.status() == 415);
  bench.content_type = "application/json; charset=utf-8";
  CHECK(bench.send(login_actions(), "POST", kLogInBody) == Next::kWait);
  bench.fields = "Content-Encoding: gzip\r\n";
  CHECK(bench.send(login_actions(), "POST", kLogInBody) == Next::kRespond);
  CHECK(bench.status() == 415);
  CHECK(bench.driver->exchange().body_rule().limit_bytes == 8 * 1024);
  CHECK(bench.driver->exchange().body_rule().first_room_bytes == 8 * 1024);
}

TEST_CASE("AccountExchange: the memory of the body is free before yolod-accounts answers", "[app][account][unit]") {
  AccountBench bench;
  REQUIRE(bench.send(login_actions(), "POST", kLogInBody) == Next::kWait);
  CHECK(bench.driver->exchange().room().empty());
  CHECK(bench.sent<protocol::LogIn>().password.view() == "tree lamp river 9");
}

TEST_CASE("AccountExchange: unknown parameters, and a body of a request that reads, are refused",
          "[app][account][unit]") {
  AccountBench bench;
  bench.be_person();
  CHECK(bench.send(me_actions(), "GET", "{}") == Next::kRespond);
  CHECK(bench.status() == 400);
  CHECK(bench.send(me_actions(), "GET", "", "", "?x=1") == Next::kRespond);
  CHECK(bench.error_code() == "invalid_parameter");
  CHECK(bench.send(login_actions(), "POST", kLogInBody, "", "?next=https://evil.example") == Next::kRespond);
  CHECK(bench.error_code() == "invalid_parameter");
  for (const char* query : {"?after=x", "?after=-1", "?all=2", "?all=1&all=1"}) {
    CAPTURE(query);
    CHECK(bench.send(keys_actions(), "GET", "", "", query) == Next::kRespond);
    CHECK(bench.error_code() == "invalid_parameter");
  }
  CHECK_FALSE(bench.command);
}

TEST_CASE("AccountExchange: no change with a session gets through without the token", "[app][account][unit]") {
  struct Row {
    std::span<const Action> actions;
    const char* method;
    const char* body;
  };
  const std::vector<Row> rows{{logout_actions(), "POST", ""},
                              {password_actions(), "POST", R"({"old_password":"a","new_password":"b"})"},
                              {me_actions(), "DELETE", R"({"password":"a"})"},
                              {keys_actions(), "POST", R"({"name":"a"})"},
                              {key_actions(), "DELETE", ""},
                              {users_actions(), "POST", R"({"name":"a"})"},
                              {user_actions(), "DELETE", ""},
                              {user_actions(), "PATCH", R"({"disabled":true})"},
                              {reset_actions(), "POST", ""},
                              {invites_actions(), "POST", ""},
                              {login_actions(), "POST", R"({"name":"a","password":"b"})"},
                              {register_actions(), "POST", R"({"name":"a","password":"b"})"}};
  for (const Row& row : rows) {
    AccountBench bench;
    bench.be_person(protocol::Role::kAdmin);
    const std::string good = bench.fields;
    for (const std::string& fields :
         {std::string(), std::string("Sec-Fetch-Site: same-origin\r\n"),
          "Sec-Fetch-Site: cross-site\r\n" + good.substr(29),
          std::string("Origin: https://evil.example\r\n") + good.substr(29), good.substr(29)}) {
      CAPTURE(row.method, row.body, fields);
      bench.fields = fields;
      CHECK(bench.send(row.actions, row.method, row.body, "5") == Next::kRespond);
      CHECK(bench.status() == 403);
      CHECK_FALSE(bench.command);
    }
    bench.fields = good;
    CHECK(bench.send(row.actions, row.method, row.body, "5") == Next::kWait);
  }
}

TEST_CASE("AccountExchange: a change and a refusal are in the audit log, without secrets", "[app][account][unit]") {
  AccountBench bench;
  REQUIRE(bench.send(login_actions(), "POST", kLogInBody) == Next::kWait);
  bench.reply(Status::kWrongCredentials);
  CHECK(bench.audit_lines().find(R"("event":"log_in","result":"refused")") != std::string::npos);
  CHECK(bench.audit_lines().find(R"("subject":"anna")") != std::string::npos);
  bench.be_person();
  REQUIRE(bench.send(keys_actions(), "POST", R"({"name":"camera"})") == Next::kWait);
  protocol::KeyCreated created{protocol::Secret("yld_secret"), {}};
  created.record.id = 12;
  bench.reply(Status::kOk, std::move(created));
  CHECK(bench.audit_lines().find(R"("event":"create_key","result":"done")") != std::string::npos);
  CHECK(bench.audit_lines().find(R"("subject":"camera","subject_id":12)") != std::string::npos);
  // A list is no event.
  REQUIRE(bench.send(keys_actions(), "GET") == Next::kWait);
  bench.reply(Status::kOk, protocol::KeysPage{});
  CHECK(bench.audit_lines().find("list") == std::string::npos);
  for (const char* secret : {"yld_secret", "tree lamp"}) {
    CHECK(bench.audit_lines().find(secret) == std::string::npos);
  }
}

TEST_CASE("AccountExchange: the audit log has no text that cannot be a name", "[app][account][unit]") {
  AccountBench bench;
  bench.be_person(protocol::Role::kAdmin);
  const std::string typed = "tree lamp river 9";
  const std::string body = R"({"name":")" + typed + R"(","password":"anna"})";
  struct Row {
    std::span<const Action> actions;
    const char* event;
  };
  for (const Row& row :
       {Row{login_actions(), "log_in"}, Row{register_actions(), "register"}, Row{users_actions(), "add_person"}}) {
    CAPTURE(row.event);
    REQUIRE(bench.send(row.actions, "POST", body) == Next::kWait);
    bench.reply(Status::kBadRequest);
    const auto event = R"("event":")" + std::string(row.event) + "\"";
    CHECK(bench.audit_lines().find(event) != std::string::npos);
  }
  REQUIRE(bench.send(user_actions(), "DELETE", "", typed) == Next::kWait);
  bench.reply(Status::kNotFound);
  REQUIRE(bench.send(keys_actions(), "POST", R"({"name":"two\nlines"})") == Next::kWait);
  bench.reply(Status::kBadRequest);
  const auto lines = bench.audit_lines();
  CHECK(lines.find(R"("event":"create_key")") != std::string::npos);
  CHECK(lines.find("lines\"") == std::string::npos);
  CHECK(lines.find(typed) == std::string::npos);
  CHECK(lines.find(R"("subject":"?")") != std::string::npos);
  // A name is in the form of the database.
  REQUIRE(bench.send(user_actions(), "DELETE", "", "Otto") == Next::kWait);
  bench.reply(Status::kOk);
  CHECK(bench.audit_lines().find(R"("subject":"otto")") != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::api::account
