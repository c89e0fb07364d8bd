// These tests use the routes of people and keys as browsers and programs do, over SQLite.
#include <algorithm>
#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/access_server.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/people_server.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

namespace json = boost::json;

const std::string kOtherPassword = "cloud desk apple 4";
const std::string kKeysMode = "register: open, mode: keys";

std::string text_of(const Answer& answer, const char* member) {
  const auto value = answer.json();
  const auto* const object = value.if_object();
  const auto* const found = object == nullptr ? nullptr : object->if_contains(member);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

bool has_header(const Answer& answer, const std::string& name, const std::string& part) {
  return answer.header(name).find(part) != std::string::npos;
}

// Returns the endpoint for a client with another address than all others, 127.1.0.1 and so on.
Endpoint from_address(Endpoint endpoint, int number) {
  constexpr std::uint32_t kFirst = 0x7F010001;
  endpoint.own_address = kFirst + static_cast<std::uint32_t>(number);
  return endpoint;
}

// A server with people, and a person who has registered and logged in.
struct ServerWithAnna {
  explicit ServerWithAnna(const std::string& access = kKeysMode) : server("", {}, access) {
    REQUIRE(server.wait_until_accounts("ready"));
    anna.emplace(server->endpoint());
    REQUIRE(anna->enroll("anna").status == 201);
    REQUIRE(anna->log_in("anna").status == 200);
  }
  PeopleServer server;
  std::optional<Browser> anna;
};

}  // namespace

TEST_CASE("People: a person registers, logs in, predicts, makes a key, and deletes the account", "[people]") {
  ServerWithAnna both;
  auto& anna = *both.anna;
  const auto me = anna.get("/api/me");
  REQUIRE(me.status == 200);
  CHECK(text_of(me, "name") == "anna");
  CHECK(text_of(me, "role") == "user");
  CHECK(text_of(me, "csrf_token") == anna.csrf_token());
  CHECK(has_header(me, "Cache-Control", "no-store"));
  CHECK(anna.predict("a body").status == 200);
  HttpClient program(both.server->endpoint());
  CHECK(program.post("/predict", "a body").status == 401);

  const auto made = anna.post("/api/keys", R"({"name":"camera"})");
  REQUIRE(made.status == 201);
  const auto key = text_of(made, "key");
  CHECK(program.post("/predict", "a body", bearer(key)).status == 200);
  CHECK(program.post("/predict", "a body", {{"X-API-Key", key}}).status == 200);
  const auto listed = anna.get("/api/keys");
  REQUIRE(listed.status == 200);
  CHECK(listed.json().at("keys").as_array().size() == 1);
  CHECK(listed.body.find(key) == std::string::npos);
  const auto id = listed.json().at("keys").at(0).at("id").as_int64();
  REQUIRE(anna.send("DELETE", "/api/keys/" + std::to_string(id)).status == 200);
  // The next request already finds the key revoked.
  CHECK(program.post("/predict", "a body", bearer(key)).status == 401);
  CHECK(anna.send("DELETE", "/api/keys/" + std::to_string(id)).status == 404);

  Browser elsewhere(both.server->endpoint());
  REQUIRE(elsewhere.log_in("anna").status == 200);
  const json::object change{{"old_password", kPassword}, {"new_password", kOtherPassword}};
  REQUIRE(anna.post("/api/password", json::serialize(change)).status == 200);
  CHECK(anna.get("/api/me").status == 200);
  CHECK(wait_until([&] { return elsewhere.get("/api/me").status == 401; }));
  CHECK(Browser(both.server->endpoint()).log_in("anna").status == 401);

  CHECK(anna.send("DELETE", "/api/me", json::serialize(json::object{{"password", kPassword}})).status == 403);
  const auto cookie = anna.cookie();
  CHECK(anna.send("DELETE", "/api/me", json::serialize(json::object{{"password", kOtherPassword}})).status == 200);
  CHECK(anna.cookie().empty());
  CHECK(wait_until([&] { return program.get("/api/me", {{"Cookie", cookie}}).status == 401; }));
  CHECK(Browser(both.server->endpoint()).log_in("anna", kOtherPassword).status == 401);
}

TEST_CASE("People: a log-out ends the session on the server", "[people]") {
  ServerWithAnna both;
  auto& anna = *both.anna;
  const auto cookie = anna.cookie();
  REQUIRE(anna.post("/api/logout").status == 200);
  CHECK(anna.cookie().empty());
  HttpClient thief(both.server->endpoint());
  CHECK(thief.get("/api/me", {{"Cookie", cookie}}).status == 401);
  CHECK(thief.post("/predict", "a body", {{"Cookie", cookie}}).status == 401);
}

TEST_CASE("People: an answer does not tell whether a person exists", "[people]") {
  ServerWithAnna both;
  const auto known = Browser(both.server->endpoint()).log_in("anna", "wrong lamp river 9");
  const auto unknown = Browser(both.server->endpoint()).log_in("otto", "wrong lamp river 9");
  CHECK(known.status == 401);
  CHECK(unknown.status == 401);
  CHECK(known.body == unknown.body);
  CHECK(known.headers.size() == unknown.headers.size());
}

TEST_CASE("People: a session that the client chooses is never taken over", "[people]") {
  ServerWithAnna both;
  HttpClient client(both.server->endpoint());
  const std::string chosen = "yolod=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string body = json::serialize(json::object{{"name", "anna"}, {"password", kPassword}});
  const auto answer = client.post("/api/login", body, {{"Cookie", chosen}, {"Content-Type", "application/json"}});
  REQUIRE(answer.status == 200);
  const auto set = answer.header("Set-Cookie");
  CHECK(set.starts_with("yolod="));
  CHECK_FALSE(set.starts_with(chosen));
  CHECK(set.find("HttpOnly") != std::string::npos);
  CHECK(set.find("SameSite=Strict") != std::string::npos);
  CHECK(client.get("/api/me", {{"Cookie", chosen}}).status == 401);
  // The session before goes on under its own token.
  CHECK(both.anna->get("/api/me").status == 200);
}

TEST_CASE("People: with TLS the cookie is Secure, and a cookie that another site can set is ignored", "[people]") {
  const TlsFolder folder;
  ServerOptions options;
  options.config = people_config({"state_dir: state", folder.listen()}, "access: {register: open}\n");
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  HttpClient client(tls_endpoint(server, tls_client(folder.authority)));
  const std::string body = json::serialize(json::object{{"name", "anna"}, {"password", kPassword}});
  const Headers type{{"Content-Type", "application/json"}};
  REQUIRE(wait_until([&] { return client.post("/api/register", body, type).status == 201; }));
  const auto answer = client.post("/api/login", body, type);
  REQUIRE(answer.status == 200);
  const auto set = answer.header("Set-Cookie");
  REQUIRE(set.starts_with("__Host-yolod="));
  CHECK(set.find("; Secure") != std::string::npos);
  CHECK(set.find("; Path=/;") != std::string::npos);
  CHECK(set.find("Domain") == std::string::npos);
  const auto cookie = set.substr(0, set.find(';'));
  CHECK(client.get("/api/me", {{"Cookie", cookie}}).status == 200);
  const auto token = cookie.substr(cookie.find('=') + 1);
  CHECK(client.get("/api/me", {{"Cookie", "yolod=" + token}}).status == 401);
}

TEST_CASE("People: a change that another site makes is refused", "[people]") {
  ServerWithAnna both;
  HttpClient client(both.server->endpoint());
  const Headers good{{"Cookie", both.anna->cookie()},
                     {"Content-Type", "application/json"},
                     {"X-CSRF-Token", both.anna->csrf_token()},
                     {"Origin", "http://localhost"}};  // as the Host of the client
  const auto with = [&good](const std::string& name, const std::string& value) {
    Headers headers;
    for (const auto& header : good) {
      if (header.first != name) headers.push_back(header);
    }
    if (!value.empty()) headers.emplace_back(name, value);
    return headers;
  };
  const std::string body = R"({"name":"camera"})";
  for (const auto& headers : {with("Origin", "http://evil.example"), with("Origin", "null"), with("Origin", ""),
                              with("X-CSRF-Token", ""), with("X-CSRF-Token", std::string(64, '0')),
                              with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Site", "same-site")}) {
    CHECK(client.post("/api/keys", body, headers).status == 403);
  }
  CHECK(client.post("/api/keys", body, with("Content-Type", "text/plain")).status == 415);
  CHECK(both.anna->get("/api/keys").json().at("keys").as_array().empty());
  CHECK(client.post("/api/keys", body, good).status == 201);
  // A log-in from another site would make a person use the account of an attacker.
  const std::string log_in = json::serialize(json::object{{"name", "anna"}, {"password", kPassword}});
  CHECK(client.post("/api/login", log_in, {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}})
            .status == 403);
}

TEST_CASE("People: the pages need no session, and no parameter sends a person elsewhere", "[people]") {
  ServerWithAnna both;
  HttpClient client(both.server->endpoint());
  for (const char* path : {"/login", "/account", "/admin"}) {
    CAPTURE(path);
    const auto page = client.get(path);
    CHECK(page.status == 200);
    CHECK(has_header(page, "Content-Security-Policy", "frame-ancestors 'none'"));
    CHECK(has_header(page, "X-Frame-Options", "DENY"));
    CHECK(client.get(std::string(path) + "?next=https://evil.example").body == page.body);
    CHECK_FALSE(page.has_header("Location"));
  }
  CHECK(client.get("/pages/people.js").status == 200);
  CHECK(client.get("/pages/people.css").status == 200);
}

TEST_CASE("People: only an admin manages people, and the first admin is made on the machine itself", "[people]") {
  ServerWithAnna both;
  CHECK(both.anna->get("/api/users").status == 403);
  CHECK(both.anna->post("/api/users", R"({"name":"otto","role":"admin"})").status == 403);
  CHECK(both.anna->post("/api/invites").status == 403);
  CHECK(both.anna->get("/api/keys?all=1").status == 403);
  HttpClient operators(both.server->admin_endpoint());
  const auto added =
      operators.post("/api/users", R"({"name":"Emma","role":"admin"})", {{"Content-Type", "application/json"}});
  REQUIRE(added.status == 201);
  Browser emma(both.server->endpoint());
  REQUIRE(emma.log_in("emma", text_of(added, "password")).status == 200);
  const auto people = emma.get("/api/users");
  REQUIRE(people.status == 200);
  CHECK(people.json().at("users").as_array().size() == 2);
  CHECK(emma.get("/api/keys?all=1").status == 200);
  REQUIRE(emma.send("PATCH", "/api/users/anna", R"({"disabled":true})").status == 200);
  CHECK(wait_until([&] { return both.anna->get("/api/me").status == 401; }));
  CHECK(Browser(both.server->endpoint()).log_in("anna").status == 401);
  REQUIRE(emma.send("PATCH", "/api/users/anna", R"({"disabled":false})").status == 200);
  const auto reset = emma.post("/api/users/anna/password");
  REQUIRE(reset.status == 200);
  Browser anna(both.server->endpoint());
  CHECK(anna.log_in("anna", text_of(reset, "password")).status == 200);
  CHECK(emma.send("DELETE", "/api/users/anna").status == 200);
  CHECK(emma.send("DELETE", "/api/users/anna").status == 404);
  CHECK(wait_until([&] { return anna.get("/api/me").status == 401; }));
}

TEST_CASE("People: a person cannot free a key from the general limits, and an admin can", "[people]") {
  ServerWithAnna both("register: open, mode: keys, per_key: {requests_in_flight: 100}");
  for (const char* body : {R"({"name":"camera","rate":1000000})", R"({"name":"camera","in_flight":1000000})"}) {
    CAPTURE(body);
    const auto refused = both.anna->post("/api/keys", body);
    CHECK(refused.status == 403);
    CHECK(refused.body.find("only an admin may give a key its own limits") != std::string::npos);
  }
  CHECK(both.anna->post("/api/keys", R"({"name":"camera","rate":0,"in_flight":0})").status == 201);
  HttpClient operators(both.server->admin_endpoint());
  const auto made = operators.post("/api/keys", R"({"name":"gate","owner":"anna","rate":5,"in_flight":2})",
                                   {{"Content-Type", "application/json"}});
  REQUIRE(made.status == 201);
  CHECK(made.json().at("record").at("rate").as_int64() == 5);
  CHECK(made.json().at("record").at("in_flight").as_int64() == 2);
}

TEST_CASE("People: with an admin address, people are managed only there", "[people]") {
  const TemporaryDirectory place;
  const std::string socket = (place.path() / "admin.sock").string();
  ServerOptions options;
  options.config = people_config({"state_dir: state", "admin_listen: unix:" + socket}, "access: {register: open}\n");
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  HttpClient operators(Endpoint{0, socket});
  REQUIRE(wait_until([&] { return operators.get("/api/users").status == 200; }));
  CHECK(client.get("/api/users").status == 403);
  CHECK(client.get("/api/keys").status == 401);
  CHECK(operators.get("/api/keys").status == 200);
  CHECK(operators.get("/api/me").status == 403);
}

TEST_CASE("People: with an admin address, an admin manages only their own account at the public address", "[people]") {
  const TemporaryDirectory place;
  const std::string socket = (place.path() / "admin.sock").string();
  const KeyFile file{{"ops", "an-admin-key", "models,predict,load,admin"}};
  ServerOptions options;
  options.config = people_config({"state_dir: state", "admin_listen: unix:" + socket, file.server_key()}, "");
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  HttpClient operators(Endpoint{0, socket});
  REQUIRE(wait_until([&] { return operators.get("/api/users").status == 200; }));
  const auto add = [&](const char* name, const char* role) {
    const auto body = json::serialize(json::object{{"name", name}, {"password", kPassword}, {"role", role}});
    return operators.post("/api/users", body, {{"Content-Type", "application/json"}}).status;
  };
  REQUIRE(add("emma", "admin") == 201);
  REQUIRE(add("otto", "user") == 201);
  const auto made =
      operators.post("/api/keys", R"({"name":"camera","owner":"otto"})", {{"Content-Type", "application/json"}});
  REQUIRE(made.status == 201);
  const auto ottos = "/api/keys/" + std::to_string(made.json().at("record").at("id").as_int64());

  Browser emma(server.endpoint());
  REQUIRE(emma.log_in("emma").status == 200);
  const auto refused = emma.get("/api/keys?all=1");
  CHECK(refused.status == 403);
  CHECK(refused.body.find("server.admin_listen") != std::string::npos);
  CHECK(emma.post("/api/keys", R"({"name":"mine","owner":"otto"})").status == 403);
  CHECK(emma.post("/api/keys", R"({"name":"mine","rate":1000})").status == 403);
  CHECK(emma.send("DELETE", ottos).status == 404);
  CHECK(emma.get("/api/users").status == 403);
  CHECK(emma.post("/api/invites", "{}").status == 403);
  HttpClient program(server.endpoint());
  CHECK(program.get("/api/keys", with_key("an-admin-key")).status == 403);
  const auto admin_key = emma.post("/api/keys", R"({"name":"mine","scopes":["models","admin"]})");
  REQUIRE(admin_key.status == 201);
  CHECK(program.get("/api/keys", with_key(text_of(admin_key, "key"))).status == 403);

  CHECK(emma.get("/api/keys").json().at("keys").as_array().size() == 1);
  const auto own = "/api/keys/" + std::to_string(admin_key.json().at("record").at("id").as_int64());
  CHECK(emma.send("DELETE", own).status == 200);
  CHECK(operators.send({.method = "DELETE", .target = ottos, .headers = {}, .body = ""}).status == 200);
}

TEST_CASE("People: registration is closed unless the config opens it, and an invitation works once", "[people]") {
  const bool invites = GENERATE(false, true);
  PeopleServer server("", {}, invites ? "register: invite" : "register: closed");
  REQUIRE(server.wait_until_accounts("ready"));
  Browser browser(server->endpoint());
  CHECK(browser.enroll("anna").status == 403);
  if (!invites) return;
  HttpClient operators(server->admin_endpoint());
  const auto made = operators.post("/api/invites", "{}", {{"Content-Type", "application/json"}});
  REQUIRE(made.status == 201);
  const auto with_invite = [&](const char* name) {
    return json::serialize(json::object{{"name", name}, {"password", kPassword}, {"invite", text_of(made, "invite")}});
  };
  CHECK(browser.post("/api/register", with_invite("anna")).status == 201);
  CHECK(browser.post("/api/register", with_invite("otto")).status == 403);
  CHECK(browser.log_in("anna").status == 200);
}

TEST_CASE("People: a name is used once, and a weak password is refused with the reason", "[people]") {
  ServerWithAnna both;
  Browser browser(both.server->endpoint());
  CHECK(browser.enroll("ANNA").error_code() == "conflict");
  CHECK(browser.enroll("otto", "password1234").status == 400);
  CHECK(browser.enroll("otto", "short").body.find("12 to 128") != std::string::npos);
  CHECK(browser.enroll("a b").status == 400);
  CHECK(browser.enroll(std::string(200, 'a')).status == 400);
}

TEST_CASE("People: no secret gets into the log, the status, the audit log or a list", "[people]") {
  PeopleServer server("", {}, "register: open, audit_log: audit.log");
  REQUIRE(server.wait_until_accounts("ready"));
  Browser anna(server->endpoint());
  REQUIRE(anna.enroll("anna").status == 201);
  REQUIRE(anna.log_in("anna").status == 200);
  const auto made = anna.post("/api/keys", R"({"name":"camera"})");
  REQUIRE(made.status == 201);
  (void)Browser(server->endpoint()).log_in("anna", "a planted secret");
  HttpClient operators(server->admin_endpoint());
  const std::vector<std::string> secrets{kPassword, text_of(made, "key"), anna.csrf_token(), "a planted secret",
                                         anna.cookie().substr(anna.cookie().find('=') + 1)};
  const auto audit = read_file(server->directory() / "audit.log");
  CHECK(audit.find(R"("event":"create_key","result":"done")") != std::string::npos);
  CHECK(audit.find(R"("event":"log_in","result":"refused")") != std::string::npos);
  for (const std::string& text : {audit, server->log(), operators.get("/status").body, operators.get("/metrics").body,
                                  operators.get("/api/keys").body, operators.get("/api/users").body}) {
    for (const std::string& secret : secrets) CHECK(text.find(secret) == std::string::npos);
  }
}

TEST_CASE("People: failed log-ins of one person do not keep others out", "[people]") {
  ServerWithAnna both;
  Browser attacker(from_address(both.server->endpoint(), 1));
  bool was_slowed = false;
  for (int i = 0; i < 10 && !was_slowed; ++i) {
    const auto answer = attacker.log_in("anna", "wrong lamp river 9");
    was_slowed = answer.status == 429;
    if (was_slowed) CHECK(std::stoi(answer.header("Retry-After")) >= 1);
  }
  CHECK(was_slowed);
  // Another name from the same address, and a session that there is.
  Browser otto(from_address(both.server->endpoint(), 1));
  REQUIRE(otto.enroll("otto").status == 201);
  CHECK(otto.log_in("otto").status == 200);
  CHECK(both.anna->get("/api/me").status == 200);
}

// 127.0.0.1 may be a proxy with many clients.
TEST_CASE("People: failed log-ins at a shared address do not keep a person out there", "[people]") {
  ServerWithAnna both;
  Browser attacker(both.server->endpoint());
  for (int i = 0; i < 10; ++i) CHECK(attacker.log_in("anna", "wrong lamp river 9").status == 401);
  CHECK(Browser(both.server->endpoint()).log_in("anna").status == 200);
}

namespace {

double share_of(std::vector<double> times, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(at), times.end());
  return times[at];
}

template <typename Work>
double milliseconds_of(const Work& work) {
  const auto began = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

// Tries passwords at a steady rate, each time for another person and from another address, until it is destroyed.
class BruteForce {
 public:
  BruteForce(const Endpoint& endpoint, int thread_count, int tries_a_minute) {
    const std::chrono::microseconds period(60'000'000LL * thread_count / tries_a_minute);
    const auto began = Clock::now();
    for (int i = 0; i < thread_count; ++i) {
      threads_.emplace_back(
          [this, endpoint, i, period, due = began + period * i / thread_count](const std::stop_token& stop) mutable {
            for (int tries = 0;; ++tries) {
              {
                std::unique_lock lock(mutex_);
                stopped_.wait_until(lock, stop, due, [] { return false; });
              }
              if (stop.stop_requested()) return;
              due += period;
              Browser attacker(from_address(endpoint, 1'000 * i + tries));
              const auto answer =
                  attacker.log_in("person" + std::to_string(i) + "x" + std::to_string(tries), "wrong lamp river 9");
              if (answer.status == 401) {
                ++refuted_;
              } else if (answer.status == 503 && !answer.header("Retry-After").empty()) {
                ++turned_away_;
              } else {
                ++failed_;
              }
            }
          });
    }
  }
  // All threads end at once, and not each at its next try.
  ~BruteForce() {
    for (auto& thread : threads_) thread.request_stop();
  }
  // The tries whose passwords were compared, and those that the server had no place for.
  [[nodiscard]] int refuted() const { return refuted_; }
  [[nodiscard]] int turned_away() const { return turned_away_; }
  // The tries with another answer, or without one.
  [[nodiscard]] int failed() const { return failed_; }

 private:
  std::atomic<int> refuted_{0};
  std::atomic<int> turned_away_{0};
  std::atomic<int> failed_{0};
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::vector<std::jthread> threads_;  // the last member, because they use all above
};

}  // namespace

#ifndef YOLOD_FAULT_POINTS  // such a build has cheap hashes (app/accounts/main.cpp)

TEST_CASE("People: 10,000 log-ins a minute leave predictions and the log-ins of others alone", "[people]") {
  ServerWithAnna both("register: open");
  const bool is_long = is_long_run();
  HttpClient program(both.server->endpoint());
  const auto body = random_body(10'000, 4);
  const auto predict = [&] { CHECK(is_identity_answer(program.post("/predict", body), body)); };
  std::vector<double> before;
  for (int i = 0; i < (is_long ? 500 : 50); ++i) before.push_back(milliseconds_of(predict));
  std::vector<double> during;
  std::vector<double> log_ins;
  int refuted = 0;
  int turned_away = 0;
  double minutes = 0;
  const auto began = Clock::now();
  {
    // The long attack has more clients than may wait for yolod-accounts to hash a password.
    const BruteForce attack(both.server->endpoint(), is_long ? 200 : 8, 10'000);
    do {
      log_ins.push_back(milliseconds_of([&] { CHECK(Browser(both.server->endpoint()).log_in("anna").status == 200); }));
      for (int i = 0; i < 5; ++i) during.push_back(milliseconds_of(predict));
    } while (log_ins.size() < 20 || (is_long && Clock::now() - began < 60s));
    refuted = attack.refuted();
    turned_away = attack.turned_away();
    CHECK(attack.failed() == 0);
    minutes = std::chrono::duration<double>(Clock::now() - began).count() / 60;
  }
  WARN(static_cast<int>(refuted / minutes)
       << " tries a minute compared, " << static_cast<int>(turned_away / minutes) << " turned away; " << log_ins.size()
       << " log-ins of another person: p50 " << share_of(log_ins, 0.5) << " ms, p99 " << share_of(log_ins, 0.99)
       << " ms; predictions before: p50 " << share_of(before, 0.5) << " ms, p99 " << share_of(before, 0.99)
       << " ms; during: p50 " << share_of(during, 0.5) << " ms, p99 " << share_of(during, 0.99) << " ms");
  const auto most = static_cast<double>(promised(1'000ms).count());
  CHECK(share_of(log_ins, 0.99) < most);
  CHECK(share_of(during, 0.99) < most);
  CHECK(refuted > 0);
  if (is_long) CHECK((refuted + turned_away) / minutes > 9'000);
}

TEST_CASE("People: the time of an answer does not tell whether a person exists", "[people]") {
  ServerWithAnna both("register: open");
  const bool is_long = is_long_run();
  // Failures are slowed by name and by address, so each try has another name and another address.
  const int pairs = is_long ? 1'000 : 40;
  HttpClient operators(both.server->admin_endpoint());
  std::vector<double> known;
  std::vector<double> unknown;
  int tries = 0;
  const auto time_of = [&](const std::string& name) {
    Browser browser(from_address(both.server->endpoint(), ++tries));
    (void)browser.get("/healthz");  // connects
    return milliseconds_of([&] { CHECK(browser.log_in(name, "wrong lamp river 9").status == 401); });
  };
  for (int i = 0; i < pairs; ++i) {
    const auto name = "known" + std::to_string(i);
    const auto body = json::serialize(json::object{{"name", name}, {"password", kPassword}});
    REQUIRE(operators.post("/api/users", body, {{"Content-Type", "application/json"}}).status == 201);
    known.push_back(time_of(name));
    unknown.push_back(time_of("other" + std::to_string(i)));
  }
  const double ratio = share_of(known, 0.5) / share_of(unknown, 0.5);
  WARN("median of " << pairs << " tries: a known name " << share_of(known, 0.5) << " ms, an unknown name "
                    << share_of(unknown, 0.5) << " ms");
  // A look-up without a hash would take a twentieth of the time.
  const double bound = is_long ? 1.1 : 3;
  CHECK(ratio < bound);
  CHECK(ratio > 1 / bound);
}

#endif

TEST_CASE("People: the time of an answer does not tell how much of a key is right", "[people]") {
  ServerWithAnna both;
  const auto made = both.anna->post("/api/keys", R"({"name":"camera"})");
  REQUIRE(made.status == 201);
  const std::string right = text_of(made, "key");
  std::string almost = right;
  almost.back() = almost.back() == 'a' ? 'b' : 'a';
  HttpClient program(both.server->endpoint());
  REQUIRE(program.get("/v2/models/echo", bearer(right)).status == 200);
  const bool is_long = is_long_run();
  std::vector<double> near;
  std::vector<double> far;
  const auto time_of = [&](const std::string& key) {
    return milliseconds_of([&] { CHECK(program.get("/v2/models/echo", bearer(key)).status == 401); });
  };
  for (int i = 0; i < (is_long ? 2'000 : 200); ++i) {
    near.push_back(time_of(almost));
    far.push_back(time_of(std::string(right.size(), 'z')));
  }
  WARN("median of " << near.size() << " tries: a key with one wrong character " << share_of(near, 0.5)
                    << " ms, another key " << share_of(far, 0.5) << " ms");
  const double ratio = share_of(near, 0.5) / share_of(far, 0.5);
  const double bound = is_long ? 1.1 : 3;
  CHECK(ratio < bound);
  CHECK(ratio > 1 / bound);
}

}  // namespace yolod::tests
