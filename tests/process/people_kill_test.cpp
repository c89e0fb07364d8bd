// Only builds with fault points have these cases. They kill yolod-accounts with SIGKILL at each step of each kind of
// change that a person makes. Afterwards the whole change exists, or no part of it, and the client's answer was true.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/load.hpp"
#include "tests/support/people_server.hpp"

namespace yolod::tests {
namespace {

namespace json = boost::json;

const std::string kNextPassword = "cloud desk apple 4";

enum class Made { kNo, kYes };
struct Step {
  std::string_view name;
  Made change;  // whether the change must exist after a kill at this step
};
const std::vector<Step> kSteps{{"accounts: about to write", Made::kNo},
                               {"accounts: wrote, not committed yet", Made::kNo},
                               {"accounts: committed", Made::kYes},
                               {"accounts: about to answer", Made::kYes}};

std::string credentials(const std::string& name, const std::string& password) {
  return json::serialize(json::object{{"name", name}, {"password", password}});
}

// A kind of change: a request, and whether its effect is there afterwards. Before each change there is a person "anna"
// who has logged in and has one key.
struct Change {
  const char* name;
  std::function<Answer(Browser& anna, HttpClient& operators)> make;
  std::function<bool(Browser& anna, HttpClient& operators, const Endpoint& server)> is_made;
  bool may_be_lost{false};  // a lost answer has no effect, so the client gets 503
};

std::size_t key_count(Browser& anna) {
  const auto answer = anna.get("/api/keys");
  REQUIRE(answer.status == 200);
  const auto content = answer.json();
  std::size_t valid = 0;
  for (const auto& key : content.at("keys").as_array()) valid += key.at("revoked").as_int64() == 0 ? 1 : 0;
  return valid;
}

const Headers kJson{{"Content-Type", "application/json"}};

std::vector<Change> all_changes() {
  return {
      {"register", [](Browser& anna, HttpClient&) { return anna.enroll("otto"); },
       [](Browser&, HttpClient&, const Endpoint& server) { return Browser(server).log_in("otto").status == 200; }},
      {"log in", [](Browser& anna, HttpClient&) { return anna.post("/api/login", credentials("anna", kPassword)); },
       [](Browser&, HttpClient&, const Endpoint&) { return true; }, true},
      {"log out", [](Browser& anna, HttpClient&) { return anna.post("/api/logout"); },
       [](Browser& anna, HttpClient&, const Endpoint&) { return anna.get("/api/me").status == 401; }},
      {"password",
       [](Browser& anna, HttpClient&) {
         return anna.post("/api/password",
                          json::serialize(json::object{{"old_password", kPassword}, {"new_password", kNextPassword}}));
       },
       [](Browser&, HttpClient&, const Endpoint& server) {
         const bool is_new = Browser(server).log_in("anna", kNextPassword).status == 200;
         CHECK((Browser(server).log_in("anna").status == 200) == !is_new);
         return is_new;
       }},
      {"delete",
       [](Browser& anna, HttpClient&) {
         return anna.send("DELETE", "/api/me", json::serialize(json::object{{"password", kPassword}}));
       },
       [](Browser& anna, HttpClient&, const Endpoint& server) {
         const bool is_gone = Browser(server).log_in("anna").status == 401;
         CHECK((anna.get("/api/me").status == 401) == is_gone);
         return is_gone;
       }},
      {"new key", [](Browser& anna, HttpClient&) { return anna.post("/api/keys", R"({"name":"second"})"); },
       [](Browser& anna, HttpClient&, const Endpoint&) { return key_count(anna) == 2; }},
      {"revoke", [](Browser& anna, HttpClient&) { return anna.send("DELETE", "/api/keys/1"); },
       [](Browser& anna, HttpClient&, const Endpoint&) { return key_count(anna) == 0; }},
      {"add",
       [](Browser&, HttpClient& operators) {
         return operators.post("/api/users", credentials("otto", kPassword), kJson);
       },
       [](Browser&, HttpClient&, const Endpoint& server) { return Browser(server).log_in("otto").status == 200; }},
      {"reset",
       [](Browser&, HttpClient& operators) {
         return operators.post("/api/users/anna/password", json::serialize(json::object{{"password", kNextPassword}}),
                               kJson);
       },
       [](Browser& anna, HttpClient&, const Endpoint& server) {
         const bool is_reset = Browser(server).log_in("anna", kNextPassword).status == 200;
         CHECK((anna.get("/api/me").status == 401) == is_reset);
         return is_reset;
       }},
      {"disable",
       [](Browser&, HttpClient& operators) {
         return operators.send({"PATCH", "/api/users/anna", kJson, R"({"disabled":true})"});
       },
       [](Browser& anna, HttpClient&, const Endpoint& server) {
         const bool is_disabled = Browser(server).log_in("anna").status == 401;
         CHECK((anna.get("/api/me").status == 401) == is_disabled);
         return is_disabled;
       }},
      {"remove",
       [](Browser&, HttpClient& operators) {
         return operators.send({"DELETE", "/api/users/anna", {}, {}});
       },
       [](Browser& anna, HttpClient&, const Endpoint& server) {
         const bool is_gone = Browser(server).log_in("anna").status == 401;
         CHECK((anna.get("/api/me").status == 401) == is_gone);
         return is_gone;
       }},
  };
}

void check_kill(const Change& change, const Step& step) {
  CAPTURE(change.name, step.name);
  const TemporaryDirectory folder;
  const auto token = folder.path() / "token";
  PeopleServer server("", {"YOLOD_FAULT_POINT=" + std::string(step.name), "YOLOD_FAULT_TOKEN=" + token.string()});
  REQUIRE(server.wait_until_accounts("ready"));
  Browser anna(server->endpoint());
  HttpClient operators(server->admin_endpoint());
  REQUIRE(anna.enroll("anna").status == 201);
  REQUIRE(anna.log_in("anna").status == 200);
  REQUIRE(anna.post("/api/keys", R"({"name":"first"})").status == 201);

  const pid_t killed = server.accounts_pid();
  (void)folder.write("token", "");
  const auto answer = change.make(anna, operators);
  CHECK(answer.status == (change.may_be_lost ? 503 : 504));
  CHECK(std::filesystem::exists(folder.path() / "token.victim"));
  // Predictions go on at once.
  CHECK(HttpClient(server->endpoint()).post("/predict", "a body").status == 200);
  REQUIRE(wait_until([&] {
    const auto pid = server.accounts_pid();
    return pid != 0 && pid != killed && server.accounts_state() == "ready";
  }));
  if (change.may_be_lost) return;
  CHECK(change.is_made(anna, operators, server->endpoint()) == (step.change == Made::kYes));
}

}  // namespace

// Each kind of change has a case, so that ctest can run the cases in parallel.
#define YOLOD_PEOPLE_KILL(number, name)                                      \
  TEST_CASE("PeopleKill: killed at each step of " name, "[people]") {        \
    for (const Step& step : kSteps) check_kill(all_changes()[number], step); \
  }
YOLOD_PEOPLE_KILL(0, "a registration")
YOLOD_PEOPLE_KILL(1, "a log-in")
YOLOD_PEOPLE_KILL(2, "a log-out")
YOLOD_PEOPLE_KILL(3, "a new password")
YOLOD_PEOPLE_KILL(4, "the deletion of an account")
YOLOD_PEOPLE_KILL(5, "a new key")
YOLOD_PEOPLE_KILL(6, "the revocation of a key")
YOLOD_PEOPLE_KILL(7, "a person whom an admin adds")
YOLOD_PEOPLE_KILL(8, "a password that an admin resets")
YOLOD_PEOPLE_KILL(9, "a person whom an admin disables")
YOLOD_PEOPLE_KILL(10, "a person whom an admin removes")

}  // namespace yolod::tests
