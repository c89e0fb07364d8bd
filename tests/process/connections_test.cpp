// Fault case 38: clients open more connections than the limit allows, and most of them send nothing.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::string config_for(std::size_t max_connections, const std::string& more = "idle_timeout: 10m") {
  return identity_config({{.workers = 1}}, {"max_connections: " + std::to_string(max_connections), more});
}

// The timeouts of the model leave room for a slow build.
const std::vector<std::string> kPatient{"hang_timeout: 5m", "request_timeout: 5m", "queue: {timeout: 5m}"};

std::vector<std::unique_ptr<HttpClient>> connect_many(const Server& server, std::size_t count, const std::string& say) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.endpoint()));
    REQUIRE(clients.back()->connect());
    if (!say.empty()) REQUIRE(clients.back()->write(say));
  }
  return clients;
}

// Connects a new client for each request: a health check and a prediction.
void check_new_clients_are_served(const Server& server, int rounds) {
  const auto body = random_body(10'000, 38);
  for (int i = 0; i < rounds; ++i) {
    auto began = Clock::now();
    CHECK(HttpClient(server.endpoint()).get("/healthz").status == 200);
    CHECK(Clock::now() - began < scaled(1s));
    began = Clock::now();
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    CHECK(Clock::now() - began < scaled(1s));
  }
}

}  // namespace

TEST_CASE("Connections: new clients are served beside more silent or unfinished connections than the limit",
          "[process][case38]") {
  const std::string say = GENERATE("", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ",
                                   "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  CAPTURE(say);
  constexpr std::size_t kLimit = 200;
  Server server(config_for(kLimit));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    const auto silent = connect_many(server, 2 * kLimit, say);
    // The server gives a header or a body that has begun half a second. Half of the connections wait for their turn
    // as long.
    if (!say.empty()) std::this_thread::sleep_for(1s);
    check_new_clients_are_served(server, 10);
    CHECK(server.metric("yolod_open_connections") <= kLimit + 8);
  }
  check_after_case(server, before);
}

TEST_CASE(
    "Connections: new clients are served beside more connections that wait for room for a large body than the limit",
    "[process][case38]") {
  constexpr std::size_t kLimit = 100;
  Server server(config_for(kLimit));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    const auto waiting =
        connect_many(server, 2 * kLimit, "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 16777216\r\n\r\nx");
    std::this_thread::sleep_for(1'500ms);  // the server leaves each waiting connection alone for a second
    check_new_clients_are_served(server, 10);
    CHECK(server.metric("yolod_open_connections") <= kLimit + 8);
  }
  check_after_case(server, before);
}

TEST_CASE("Connections: new clients are served beside clients that connect all the time and send nothing",
          "[process][case38]") {
  constexpr std::size_t kLimit = 200;
  Server server(config_for(kLimit));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    std::atomic<std::size_t> connected{0};
    const std::jthread flood([&](const std::stop_token& stop) {
      std::vector<std::unique_ptr<HttpClient>> silent(2 * kLimit);
      for (std::size_t i = 0; !stop.stop_requested(); i = (i + 1) % silent.size()) {
        silent[i] = std::make_unique<HttpClient>(server.endpoint());
        connected += silent[i]->connect() ? 1 : 0;
        std::this_thread::sleep_for(2ms);
      }
    });
    REQUIRE(wait_until([&] { return connected > kLimit; }));
    check_new_clients_are_served(server, 20);
  }
  check_after_case(server, before);
}

TEST_CASE("Connections: a flood of five thousand silent connections does not stop others from being served",
          "[process][case38]") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  constexpr std::size_t kSilent = 5'000;
  if (files.rlim_cur < 2 * kSilent) {
    WARN("SKIPPED: RLIMIT_NOFILE of " << files.rlim_cur << " is too small");
    return;
  }
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    const auto silent = connect_many(server, kSilent, "");
    check_new_clients_are_served(server, 10);
  }
  check_after_case(server, before);
}

TEST_CASE("Connections: the server closes silent connections before those between two requests, and keeps busy ones",
          "[process][case38]") {
  constexpr std::size_t kLimit = 20;
  Server server(identity_config({{.workers = 1, .delay = scaled(1'500ms)}},
                                {"max_connections: " + std::to_string(kLimit), "idle_timeout: 10m"}));
  REQUIRE(server.wait_until_ready());
  HttpClient idle(server.endpoint());
  REQUIRE(idle.get("/healthz").status == 200);
  InFlight busy(server.endpoint(), 5, 1'000);
  const auto silent = connect_many(server, kLimit - 6, "");
  std::this_thread::sleep_for(300ms);
  for (std::size_t i = 0; i < silent.size(); ++i) {
    HttpClient client(server.endpoint());
    CHECK(client.get("/healthz", {{"Connection", "close"}}).status == 200);
  }
  const auto held = connect_many(server, silent.size(), "");
  CHECK(wait_until([&] {
    return std::all_of(silent.begin(), silent.end(), [](const auto& client) { return client->wait_for_close(); });
  }));
  const auto answer = idle.get("/healthz");
  CHECK(answer.status == 200);
  CHECK(answer.reused);
  CHECK(busy.finish_and_list_wrong() == kNoneWrong);
}

TEST_CASE("Connections: when all are busy the server still answers health checks, and refuses the rest at once",
          "[process][case38][waits]") {
  constexpr std::size_t kLimit = 5;
  Server server(identity_config({{.workers = 1, .delay = scaled(2'000ms), .keys = kPatient}},
                                {"max_connections: " + std::to_string(kLimit)}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    std::this_thread::sleep_for(300ms);  // the connections of the readiness checks are closed by then
    InFlight busy(server.endpoint(), kLimit, 1'000);
    REQUIRE(wait_until([&] { return HttpClient(server.endpoint()).get("/status").status == 503; }));
    for (int i = 0; i < 20; ++i) {
      const std::string target = i % 2 == 0 ? "/healthz" : "/readyz";
      const auto began = Clock::now();
      HttpClient client(server.endpoint());
      const auto healthy = client.get(target);
      CHECK(healthy.status == 200);
      CHECK(healthy.header("Connection") == "close");
      const auto refused = HttpClient(server.endpoint()).post("/predict", "x");
      CHECK(refused.status == 503);
      CHECK(refused.error_code() == "queue_full");
      CHECK(refused.has_header("Retry-After"));
      CHECK(refused.header("Connection") == "close");
      CHECK(Clock::now() - began < scaled(1s));
    }
    CHECK(busy.finish_and_list_wrong() == kNoneWrong);
    const auto body = random_body(100, 1);
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
  }
  check_after_case(server, before);
}

TEST_CASE("Connections: silent connections do not hold the reserved places", "[process][case38][waits]") {
  constexpr std::size_t kLimit = 3;
  Server server(identity_config({{.workers = 1, .delay = scaled(2'000ms), .keys = kPatient}},
                                {"max_connections: " + std::to_string(kLimit)}));
  REQUIRE(server.wait_until_ready());
  std::this_thread::sleep_for(300ms);
  InFlight busy(server.endpoint(), kLimit, 1'000);
  REQUIRE(wait_until([&] { return HttpClient(server.endpoint()).get("/status").status == 503; }));
  const auto silent = connect_many(server, 30, "");
  // The server takes the silent connections in turn: eight at a time, each for a tenth of a second.
  const auto began = Clock::now();
  CHECK(HttpClient(server.endpoint()).get("/healthz").status == 200);
  CHECK(Clock::now() - began < scaled(2s));
  CHECK(busy.finish_and_list_wrong() == kNoneWrong);
}

}  // namespace yolod::tests
