// These tests send requests with good and bad API keys to a real server. They cover every route, reloads of the keys,
// limits, the audit log, and settings that the server refuses.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/access_server.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/prometheus_text.hpp"
#include "tests/support/route_cases.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/websocket_client.hpp"

namespace yolod::tests {
namespace {

using app::access::Need;
using app::http::Audience;

constexpr const char* kEveryScope = "models,predict,load,admin";

std::string access_section(const std::string& keys) { return "access: {" + keys + "}\n"; }

// Returns the methods of a route: "GET, HEAD" has two.
std::vector<std::string> methods_of(const RouteCase& route) {
  std::vector<std::string> methods;
  std::istringstream text{std::string(route.methods)};
  for (std::string method; std::getline(text >> std::ws, method, ',');) methods.push_back(method);
  return methods;
}

Request request_to(const RouteCase& route, const std::string& method, const std::string& token) {
  Request request{.method = method, .target = std::string(route.target), .headers = with_key(token)};
  if (method != "GET" && method != "HEAD") request.body = route.body;
  return request;
}

Answer send_case(HttpClient& client, const RouteCase& route, const std::string& method, const std::string& token) {
  const auto request = request_to(route, method, token);
  if (method != "HEAD") return client.send(request);
  if (!client.connect() || !client.write(serialise(request))) return client.read_answer(true);
  return client.read_answer(true);
}

bool is_for_admins(const RouteCase& route) { return route.audience == Audience::kAdmins; }

// Returns a scope that does not allow what the route needs.
std::string wrong_scope_for(const RouteCase& route) {
  switch (route.need) {
    case Need::kModels: return "predict";
    case Need::kPredict: return "models";
    case Need::kObserve:
    case Need::kAdmin: return "models,predict,load";
    case Need::kLoad: return "models,predict,admin";
    case Need::kNothing:
    case Need::kAnyone:
    case Need::kIdentity: return "models";
  }
  return "models";
}

double admin_metric(const Server& server, const std::string& name, const std::map<std::string, std::string>& labels) {
  HttpClient client(server.admin_endpoint());
  return parse_prometheus_text(client.get("/metrics").body).total(name, labels);
}

std::vector<boost::json::object> json_lines_of(const std::filesystem::path& file) {
  std::vector<boost::json::object> lines;
  std::istringstream text(read_file(file));
  for (std::string line; std::getline(text, line);) lines.push_back(boost::json::parse(line).as_object());
  return lines;
}

std::size_t count_of(const std::vector<boost::json::object>& lines, const char* event, const char* result) {
  return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
    return line.at("event") == event && line.contains("result") && line.at("result") == result;
  }));
}

// Runs yolod with this config, which it refuses.
ProgramResult start_with(const std::string& config) {
  const TemporaryDirectory folder;
  return run_program({"yolod", "--config", folder.write("system.yaml", config).string()});
}

}  // namespace

TEST_CASE("Access: every route answers every kind of key, in the format of its protocol", "[process]") {
  const std::string right = "right-key";
  const std::string revoked = "revoked-key";
  const std::string expired = "expired-key";
  std::vector<TestKey> keys{{"right", right, kEveryScope}, {"expired", expired, kEveryScope, "2020-01-01"}};
  const auto& cases = route_cases();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto number = std::to_string(i);
    keys.push_back({"scope-" + number, "scope-key-" + number, wrong_scope_for(cases[i])});
    for (const auto& method : methods_of(cases[i])) {
      keys.push_back({"rate-" + number + method, "rate-key-" + number + method, kEveryScope});
    }
  }
  auto before_revocation = keys;
  before_revocation.push_back({"revoked", revoked, kEveryScope});
  const KeyFile file(before_revocation);
  const auto config_with = [&](const std::string& access) {
    return identity_config({{.workers = 2}}, {file.server_key()}) + access;
  };
  Server server(config_with(""));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  REQUIRE(client.get("/v2", with_key(revoked)).status == 200);

  // The reload removes a key and gives every key a rate of 1.
  file.write(keys);
  server.rewrite_config(config_with(access_section("per_key: {requests_per_second: 1}")));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
  CHECK(client.get("/v2", with_key(revoked)).status == 401);

  for (std::size_t i = 0; i < cases.size(); ++i) {
    const RouteCase& route = cases[i];
    const bool needs_key = route.need != Need::kNothing && route.need != Need::kAnyone && !is_for_admins(route);
    for (const auto& method : methods_of(route)) {
      CAPTURE(route.pattern, method);
      const bool has_body = method != "HEAD";
      const auto check = [&](const char* kind, const std::string& token, int refusal) {
        CAPTURE(kind);
        const auto answer = send_case(client, route, method, token);
        if (is_for_admins(route)) {
          check_refusal(answer, 403, route.target, has_body);
        } else if (needs_key) {
          check_refusal(answer, refusal, route.target, has_body);
        } else {
          CHECK(answer.status == route.status_of(method));
        }
      };
      check("no key", "", 401);
      check("a wrong key", "wrong-key", 401);
      check("a revoked key", revoked, 401);
      check("an expired key", expired, 401);
      // A key needs no scope to say whose it is.
      if (route.need != Need::kIdentity) check("a key of another scope", "scope-key-" + std::to_string(i), 403);

      const auto rate_key = "rate-key-" + std::to_string(i) + method;
      const auto first = send_case(client, route, method, rate_key);
      CAPTURE(first);
      CHECK(first.status == route.status_of(method));
      if (needs_key) {
        Answer over;
        CHECK(wait_until([&] {
          over = send_case(client, route, method, rate_key);
          return over.status == 429;
        }));
        check_refusal(over, 429, route.target, has_body);
      }
    }
  }
}

// Returns a request whose API key is where the clients of its protocol have it. Such a request has no other key.
struct KeyInRequest {
  std::string target;
  std::string type;
  std::string body;
};

std::vector<KeyInRequest> requests_with(const std::string& key) {
  const std::string form_type = "multipart/form-data; boundary=xx";
  const auto field = [](const std::string& name, const std::string& content) {
    return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content + "\r\n";
  };
  const std::string image = "--xx\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n" +
                            random_body(300'000, 3) + "\r\n";
  std::vector<KeyInRequest> requests;
  for (const char* path : {"/v1/vision/detection", "/v1/vision/custom", "/v1/vision/custom/echo"}) {
    requests.push_back({path, form_type, image + field("api_key", key) + "--xx--\r\n"});
    requests.push_back({path, form_type, field("api_key", key) + image + "--xx--\r\n"});
  }
  requests.push_back({"/echo/1?api_key=" + key, "application/x-www-form-urlencoded", "aGVsbG8="});
  requests.push_back(
      {"/infer/object_detection", "application/json",
       R"({"model_id":"echo/1","image":{"type":"base64","value":"aGVsbG8="},"api_key":")" + key + "\"}"});
  return requests;
}

TEST_CASE("Access: a key in a form, in JSON or in the query is checked like a key in the head", "[process]") {
  const TemporaryDirectory folder;
  const auto audit = folder.path() / "audit.log";
  const std::string revoked = "revoked-key";
  std::vector<TestKey> keys{
      {"right", "right-key"}, {"reader", "reading-key", "models"}, {"old", "old-key", "", "2020-01-01"}};
  for (std::size_t i = 0; i < requests_with("").size(); ++i) {
    keys.push_back({"rate-" + std::to_string(i), "rate-key-" + std::to_string(i)});
  }
  auto before_revocation = keys;
  before_revocation.push_back({"revoked", revoked});
  const KeyFile file(before_revocation);
  const auto config_with = [&](const std::string& limits) {
    return identity_config({{.workers = 1}}, {file.server_key()}) +
           access_section("audit_log: " + audit.string() + limits);
  };
  Server server(config_with(""));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto ask = [&](const KeyInRequest& request, const std::string& in_head = "") {
    auto headers = with_key(in_head);
    headers.emplace_back("Content-Type", request.type);
    return client.post(request.target, request.body, headers);
  };
  const auto statuses = [&](const std::string& key, const std::string& in_head = "") {
    std::set<int> all;
    for (const auto& request : requests_with(key)) {
      const auto answer = ask(request, in_head);
      CAPTURE(request.target, key, answer);
      if (answer.status == 401 || answer.status == 403) check_refusal(answer, answer.status, request.target);
      all.insert(answer.status);
    }
    return all;
  };
  CHECK(statuses(revoked) == std::set{200});
  file.write(keys);
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
  CHECK(statuses(revoked) == std::set{401});
  CHECK(statuses("right-key") == std::set{200});
  CHECK(statuses("") == std::set{401});
  CHECK(statuses("wrong-key") == std::set{401});
  const auto socket_status = [&server](const std::string& key) {
    return WebSocketClient(server.endpoint(), "/detect", "doods-auth-key: " + key + "\r\n").status();
  };
  CHECK(socket_status("right-key") == 101);
  CHECK(socket_status("reading-key") == 403);
  for (const auto& key : {revoked, std::string("old-key"), std::string()}) CHECK(socket_status(key) == 401);
  CHECK(statuses("old-key") == std::set{401});
  CHECK(statuses("reading-key") == std::set{403});
  CHECK(statuses("right-key", "right-key") == std::set{200});
  CHECK(statuses("", "right-key") == std::set{200});
  CHECK(statuses("wrong-key", "right-key") == std::set{400});
  const auto lines = json_lines_of(audit);
  CHECK(count_of(lines, "credential", "refused") > 0);
  CHECK(read_file(audit).find("wrong-key") == std::string::npos);

  // Each key has a rate of 1 now.
  server.rewrite_config(config_with(", per_key: {requests_per_second: 1}"));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return server.log_lines_with("reload: done").size() == 2; }));
  for (std::size_t i = 0; i < requests_with("").size(); ++i) {
    const auto request = requests_with("rate-key-" + std::to_string(i))[i];
    CAPTURE(request.target);
    CHECK(ask(request).status == 200);
    Answer over;
    CHECK(wait_until([&] {
      over = ask(request);
      return over.status == 429;
    }));
    check_refusal(over, 429, request.target);
  }
}

TEST_CASE("Access: a client without a key learns nothing about models, and no worker works for it", "[process]") {
  const KeyFile file{{"ci", "good-key"}};
  Server server(identity_config({{.workers = 1}}, {file.server_key()}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  for (const char* path : {"/v1/vision/custom/echo", "/v1/vision/custom/unknown", "/v1/vision/scene"}) {
    for (const std::string body : {"", "abc", "--xx\r\n\r\n--xx--\r\n"}) {
      const auto answer = client.post(path, body, {{"Content-Type", "multipart/form-data; boundary=xx"}});
      check_refusal(answer, 401, path);
    }
  }
  for (const std::string body : {"", "{", R"({"model_id":"unknown","image":{"type":"base64","value":""}})"}) {
    check_refusal(client.post("/infer/object_detection", body), 401, "/infer/object_detection");
  }
  const auto status = HttpClient(server.admin_endpoint()).get("/status").json();
  CHECK(status.at("models").at(0).at("workers").at(0).at("requests") == 0);
}

TEST_CASE("Access: a server with keys starts, and a request may carry its key in each field", "[process]") {
  const KeyFile file{{"ci", "good-key"}, {"watcher", "watching-key", "admin"}};
  Server server(identity_config({{.workers = 1}}, {file.server_key()}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto body = random_body(10'000, 1);
  CHECK(client.post("/predict", body).status == 401);
  for (const Headers& headers : {Headers{{"Authorization", "Bearer good-key"}}, Headers{{"X-API-Key", "good-key"}},
                                 Headers{{"doods-auth-key", "good-key"}}}) {
    CHECK(is_identity_answer(client.post("/predict", body, headers), body));
  }
  CHECK(client.get("/predict?key=good-key").status == 405);
  CHECK(client.post("/predict", body, {{"Authorization", "Bearer good-key"}, {"X-API-Key", "other"}}).status == 400);
  CHECK(client.get("/status", with_key("good-key")).status == 403);
  CHECK(client.get("/status", with_key("watching-key")).status == 200);
  CHECK(client.get("/metrics", with_key("watching-key")).status == 200);
  // The admin socket needs no key.
  CHECK(HttpClient(server.admin_endpoint()).get("/status").status == 200);
  CHECK(admin_metric(server, "yolod_auth_total", {{"result", "accepted"}}) == 5);
  CHECK(admin_metric(server, "yolod_auth_total", {{"result", "no_credential"}}) == 1);
  CHECK(admin_metric(server, "yolod_auth_total", {{"result", "missing_scope"}}) == 1);
  CHECK(admin_metric(server, "yolod_auth_total", {{"result", "ambiguous"}}) == 1);
}

TEST_CASE("Access: a reload takes new keys, and a bad file keeps the old ones", "[process]") {
  const KeyFile file{{"old", "old-key"}};
  Server server(identity_config({{.workers = 1}}, {file.server_key()}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto status_with = [&](const char* key) { return client.get("/v2", with_key(key)).status; };
  CHECK(status_with("old-key") == 200);
  CHECK(status_with("new-key") == 401);
  file.write({{"new", "new-key"}});
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return status_with("new-key") == 200; }));
  CHECK(status_with("old-key") == 401);

  SECTION("a line that is no key") { file.write({{"bad name", "x"}}); }
  SECTION("a file that every user can read") {
    std::filesystem::permissions(file.path(), std::filesystem::perms(0644));
  }
  SECTION("no file") { std::filesystem::remove(file.path()); }
  server.send_signal(SIGHUP);
  REQUIRE(wait_until(
      [&] { return !server.log_lines_with("reload: the API keys and access.mode are not changed: ").empty(); }));
  CHECK(status_with("new-key") == 200);
  CHECK(status_with("old-key") == 401);
  CHECK(status_with("") == 401);
}

TEST_CASE("Access: a reload turns keys on and off", "[process]") {
  const KeyFile file{{"ci", "good-key"}};
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.get("/v2").status == 200);
  server.rewrite_config(identity_config({{.workers = 1}}, {file.server_key()}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return client.get("/v2").status == 401; }));
  CHECK(client.get("/v2", with_key("good-key")).status == 200);
  server.rewrite_config(identity_config({{.workers = 1}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return client.get("/v2").status == 200; }));
  CHECK(server.log_lines_with("cannot change while the server runs").empty());
}

TEST_CASE("Access: a reload does not open a listener that other machines reach", "[process]") {
  const KeyFile file{{"ci", "good-key"}};
  Server server(identity_config({{.workers = 1}}, {file.server_key(), "listen: [\"127.0.0.1:0\", \"0.0.0.0:0\"]"}));
  REQUIRE(server.wait_until_ready());
  // The new file listens at 127.0.0.1 alone, so it is not refused. But a reload does not change the listener.
  server.rewrite_config(identity_config({{.workers = 1}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: access.mode is not changed: other").empty(); }));
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
  HttpClient client(server.endpoint());
  CHECK(client.get("/v2").status == 401);
  CHECK(client.get("/v2", with_key("good-key")).status == 200);
}

TEST_CASE("Access: requests in flight are limited for each key, and come back when they end", "[process]") {
  const KeyFile file{{"one", "key-one"}, {"two", "key-two"}};
  Server server(identity_config({{.workers = 4, .delay = 1000ms}}, {file.server_key()}) +
                access_section("per_key: {requests_in_flight: 2}"));
  REQUIRE(server.wait_until_ready());
  const auto statuses_of_three = [&] {
    std::vector<HttpClient> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back(server.endpoint());
      REQUIRE(clients.back().connect());
    }
    for (auto& client : clients) {
      REQUIRE(client.write(serialise(
          {.method = "POST", .target = "/predict", .headers = with_key("key-one"), .body = random_body(1000, 1)})));
    }
    // Another key has its own requests in flight.
    CHECK(HttpClient(server.endpoint()).post("/predict", "abc", with_key("key-two")).status == 200);
    std::vector<int> statuses;
    for (auto& client : clients) statuses.push_back(client.read_answer().status);
    std::sort(statuses.begin(), statuses.end());
    return statuses;
  };
  // On a busy machine the first request may be over before the third comes.
  for (int i = 0; i < 2; ++i) CHECK(wait_until([&] { return statuses_of_three() == std::vector{200, 200, 429}; }));
  // Clients that leave do not keep their requests.
  for (int i = 0; i < 4; ++i) {
    HttpClient client(server.endpoint());
    REQUIRE(client.connect());
    REQUIRE(client.write(serialise(
        {.method = "POST", .target = "/predict", .headers = with_key("key-one"), .body = random_body(1000, 1)})));
    client.close();
  }
  CHECK(wait_until([&] { return statuses_of_three() == std::vector{200, 200, 429}; }));
  CHECK(admin_metric(server, "yolod_limited_total", {{"limit", "per_key.requests_in_flight"}}) >= 3);
}

TEST_CASE("Access: an address is limited in its rate, also with open access", "[process]") {
  Server server(identity_config({{.workers = 1}}) + access_section("per_address: {requests_per_second: 5}"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  Answer answer;
  CHECK(wait_until([&] {
    answer = client.get("/v2");
    return answer.status == 429;
  }));
  check_refusal(answer, 429, "/v2");
  CHECK(client.get("/healthz").status == 200);  // the probes have no limit
  CHECK(client.get("/").status == 200);
  CHECK(wait_until([&] { return client.get("/v2").status == 200; }));
  CHECK(admin_metric(server, "yolod_limited_total", {{"limit", "per_address.requests_per_second"}}) >= 1);
}

TEST_CASE("Access: a connection beyond the limit of its address gets 429 and is closed", "[process]") {
  Server server(identity_config({{.workers = 1}}) + access_section("per_address: {connections: 2}"));
  REQUIRE(server.wait_until_ready());
  // wait_until_ready() has closed its connection, which the server may not have noticed yet.
  HttpClient first(server.endpoint());
  HttpClient second(server.endpoint());
  const auto both_serve = [&] {
    first.close();
    second.close();
    return first.get("/v2").status == 200 && second.get("/v2").status == 200;
  };
  REQUIRE(wait_until(both_serve));
  HttpClient third(server.endpoint());
  const auto refused = third.get("/v2");
  check_refusal(refused, 429, "/v2");
  CHECK(refused.header("Connection") == "close");
  CHECK(third.wait_for_close());
  // A probe is answered, but it does not keep the connection.
  HttpClient prober(server.endpoint());
  const auto probe = prober.get("/healthz");
  CHECK(probe.status == 200);
  CHECK(probe.header("Connection") == "close");
  CHECK(prober.wait_for_close());
  CHECK(first.get("/v2").status == 200);
  first.close();
  CHECK(wait_until([&] { return HttpClient(server.endpoint()).get("/v2").status == 200; }));
}

TEST_CASE("Access: behind a trusted proxy each client has its own limits", "[process]") {
  const TemporaryDirectory folder;
  const auto audit = folder.path() / "audit.log";
  const std::string socket = "unix:" + (folder.path() / "http.sock").string();
  const auto config = [&](const std::string& proxies) {
    return identity_config({{.workers = 1}}, {"listen: [\"127.0.0.1:0\", \"" + socket + "\"]", proxies}) +
           access_section("audit_log: " + audit.string() + ", per_address: {requests_per_second: 2, connections: 2}");
  };
  Server server(config("trusted_proxies: [127.0.0.1, unix]"));
  REQUIRE(server.wait_until_ready());
  // Sends requests of a client until one is refused.
  const auto reaches_limit = [](HttpClient& proxy, const std::string& field, const std::string& client) {
    return wait_until([&] { return proxy.get("/v2", {{field, client}}).status == 429; });
  };
  HttpClient over_tcp(server.endpoint());
  HttpClient over_unix(Endpoint{0, socket.substr(5)});
  CHECK(reaches_limit(over_tcp, "X-Forwarded-For", "203.0.113.9"));
  CHECK(over_tcp.get("/v2", {{"X-Forwarded-For", "203.0.113.10"}}).status == 200);
  CHECK(over_tcp.get("/v2", {{"X-Forwarded-For", "203.0.113.10, 203.0.113.11"}}).status == 200);
  CHECK(reaches_limit(over_unix, "X-Forwarded-For", "203.0.113.12"));
  CHECK(over_unix.get("/v2", {{"X-Forwarded-For", "[2001:db8::1]:80"}}).status == 200);
  // A client makes its field unreadable.
  CHECK(reaches_limit(over_unix, "X-Forwarded-For", "unknown"));
  // The connections of the proxy have no limit.
  std::vector<std::unique_ptr<HttpClient>> more;
  for (int i = 0; i < 8; ++i) {
    more.push_back(std::make_unique<HttpClient>(server.endpoint()));
    CHECK(more.back()->get("/v2", {{"X-Forwarded-For", "198.51.100." + std::to_string(i)}}).status == 200);
  }
  const auto lines = json_lines_of(audit);
  std::set<std::string> refused;
  for (const auto& line : lines) {
    if (line.at("event") == "limit") refused.insert(std::string(line.at("address").as_string()));
  }
  CHECK(refused == std::set<std::string>{"203.0.113.9", "203.0.113.12", "hidden"});
  CHECK(server.log_lines_with("server.trusted_proxies").empty());

  more.clear();
  const auto reload_with = [&](const std::string& proxies, std::size_t reloads) {
    server.rewrite_config(config(proxies));
    server.send_signal(SIGHUP);
    REQUIRE(wait_until([&] { return count_of(json_lines_of(audit), "reload", "done") == reloads; }));
  };
  reload_with("trusted_proxies: [unix]\n  forwarded_header: forwarded", 1);
  CHECK(reaches_limit(over_unix, "Forwarded", "for=203.0.113.13"));
  CHECK(over_unix.get("/v2", {{"Forwarded", "for=203.0.113.14"}, {"X-Forwarded-For", "203.0.113.13"}}).status == 200);
  CHECK(server.log_lines_with("server.forwarded_header").empty());
  CHECK(reaches_limit(over_unix, "X-Forwarded-For", "203.0.113.15"));
  CHECK(server.log_lines_with("server.forwarded_header").size() == 1);
  reload_with("trusted_proxies: []", 2);
  // The server ignores the field now, and the log has one warning.
  HttpClient stranger(server.endpoint());
  int number = 0;
  CHECK(wait_until([&] {
    return stranger.get("/v2", {{"X-Forwarded-For", "198.51.100." + std::to_string(++number % 256)}}).status == 429;
  }));
  CHECK(server.log_lines_with("server.trusted_proxies does not name").size() == 1);
}

TEST_CASE("Access: the audit log has refusals, reloads and loads, and no key", "[process]") {
  const TemporaryDirectory folder;
  const auto audit = folder.path() / "audit.log";
  const KeyFile file{{"ci", "good-key"}, {"old", "old-key", "", "2020-01-01"}};
  Server server(identity_config({{.workers = 1}}, {file.server_key()}) +
                access_section("audit_log: " + audit.string() + ", per_key: {requests_per_second: 1}"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  for (int i = 0; i < 20; ++i) {
    CHECK(client.get("/v2", {{"X-API-Key", "wrong-key"}, {"X-Request-Id", "wrong-" + std::to_string(i)}}).status ==
          401);
  }
  CHECK(wait_until([&] { return client.get("/v2", with_key("good-key")).status == 429; }));
  HttpClient admin(server.admin_endpoint());
  CHECK(admin.post("/reload", "", {{"X-Request-Id", "reload-1"}}).status == 200);
  CHECK(admin.post("/v2/repository/models/echo/load", "", {{"X-Request-Id", "load-1"}}).status == 200);
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return count_of(json_lines_of(audit), "reload", "done") == 2; }));
  server.rewrite_config("models: [");
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return count_of(json_lines_of(audit), "reload", "failed") == 1; }));

  const auto lines = json_lines_of(audit);
  CHECK(lines.front().at("event") == "start");
  CHECK(count_of(lines, "credential", "refused") == 1);  // the others are counted at the end of the minute
  CHECK(count_of(lines, "limit", "refused") == 1);
  const auto find = [&](const char* event) {
    const auto found =
        std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.at("event") == event; });
    REQUIRE(found != lines.end());
    return *found;
  };
  CHECK(find("credential").at("request_id") == "wrong-0");
  CHECK(find("credential").at("address") == "127.0.0.1");
  CHECK(find("credential").at("detail") == "unknown");
  CHECK(find("limit").at("subject") == "per_key.requests_per_second");
  CHECK(find("limit").at("name") == "ci");
  CHECK(find("reload").at("actor") == "operator");
  CHECK(find("reload").at("request_id") == "reload-1");
  CHECK(find("load_model").at("subject") == "echo");
  CHECK(find("load_model").at("request_id") == "load-1");
  CHECK(read_file(audit).find("-key") == std::string::npos);

  const auto moved = folder.path() / "audit.log.1";
  std::filesystem::rename(audit, moved);
  server.send_signal(SIGUSR1);
  REQUIRE(wait_until([&] { return std::filesystem::exists(audit); }));
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  CHECK(json_lines_of(audit).back().at("event") == "stop");
}

TEST_CASE("Access: a server that would let every client in does not start", "[process]") {
  const auto refused = [](const std::string& config, const std::vector<std::string>& words) {
    const auto result = start_with(config);
    CAPTURE(result.output, result.errors);
    CHECK(result.exit == exited(2));
    for (const auto& word : words) {
      CAPTURE(word);
      CHECK(result.errors.find(word) != std::string::npos);
    }
  };
  refused(identity_config({{.workers = 1}}, {"listen: [\"0.0.0.0:0\"]"}),
          {"server.listen: ", "0.0.0.0:0", "server.api_keys_file", "server.insecure: true"});
  refused(identity_config({{.workers = 1}}, {"listen: [\"127.0.0.1:0\", \"[::]:0\"]"}), {"server.listen: "});
  refused(identity_config({{.workers = 1}}) + access_section("mode: keys"),
          {"access.mode: ", "server.api_keys_file", "server.state_dir"});
  const KeyFile file{{"ci", "good-key"}};
  std::filesystem::permissions(file.path(), std::filesystem::perms(0644));
  refused(identity_config({{.workers = 1}}, {file.server_key()}),
          {"cannot start: server.api_keys_file: ", "can be read by every user", "chmod 600 or 640"});
  refused(identity_config({{.workers = 1}}, {"listen: [\"0.0.0.0:0\"]", file.server_key()}) +
              "postgres: {database: d, user: u, password: root, host: /nowhere}\n",
          {"postgres.password: ", "another password", "listen only at 127.0.0.1"});
}

TEST_CASE("Access: a check says what may not be as its operator wants", "[process]") {
  const TemporaryDirectory folder;
  const KeyFile file{{"ci", "good-key"}};
  constexpr uid_t kOther = 65534;
  // Only root can give a file away, and may check it for the user of the service.
  const bool is_root = geteuid() == 0;
  if (is_root) REQUIRE(chown(file.path().c_str(), kOther, kOther) == 0);
  const auto config = identity_config({{.workers = 1}}, {file.server_key(), "state_dir: state"}) +
                      access_section("mode: keys, register: open");
  const auto written = folder.write("system.yaml", config).string();
  const auto result = run_program({"yolod", "--check", "--config", written});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.errors.find("access.register: open gives an account") != std::string::npos);
  if (!is_root) return;
  CHECK(result.errors.find("belongs to the user with the id 65534") != std::string::npos);
  const auto started = run_program({"yolod", "--config", written});
  CHECK(started.exit == exited(2));
  CHECK(started.errors.find("belongs to another user") != std::string::npos);
}

TEST_CASE("Access: a server at a public address starts with keys, or with insecure", "[process]") {
  const KeyFile file{{"ci", "good-key"}};
  const std::string listen = "listen: [\"0.0.0.0:0\"]";
  const bool has_keys = GENERATE(false, true);
  const auto config = identity_config({{.workers = 1}}, {listen, has_keys ? file.server_key() : "insecure: true"});
  const TemporaryDirectory folder;
  const auto result = run_program({"yolod", "--check", "--config", folder.write("system.yaml", config).string()});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(0));
}

TEST_CASE("Access: a public socket of the service manager needs keys too", "[process]") {
  const common::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 10) == 0);
  ServerOptions options;
  options.config = identity_config({{.workers = 1}});
  options.listening_socket = socket.get();
  Server server(options);
  CHECK(server.wait_for_exit() == exited(2));
  CHECK(server.log_lines_with("server.insecure: true").size() == 1);
}

}  // namespace yolod::tests
