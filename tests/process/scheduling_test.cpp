// These tests check the order in which requests are served, which requests are refused at once, and which form a
// batch.
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/prometheus_text.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::size_t waiting_count(const Server& server) {
  return server.status().at("models").at(0).at("queue").at("depth").to_number<std::size_t>();
}

// A model with one worker and that delay for each request. Call measure() first, so that the server knows its rate.
IdentityModel slow_model(milliseconds delay, std::vector<std::string> keys = {}) {
  keys.emplace_back("batch: {max_size: 1}");
  return {.workers = 1, .delay = delay, .keys = std::move(keys)};
}

void measure(Server& server) {
  REQUIRE(server.wait_until_ready());
  REQUIRE(HttpClient(server.endpoint()).post("/predict", "x").status == 200);
}

TEST_CASE("Scheduling: a request that would be answered after its own deadline is refused before it", "[process]") {
  Server server(identity_config({slow_model(1'000ms)}));
  measure(server);
  // All of these requests have priority over the next.
  InFlight before(server.endpoint(), 8, 50'000, "/predict?priority=high");
  REQUIRE(wait_until([&] { return waiting_count(server) >= 6; }));

  const auto asked_at = Clock::now();
  const auto late = HttpClient(server.endpoint()).post("/predict", "x", {{"X-Request-Timeout", "3000"}});

  CHECK(late.status == 504);
  CHECK(late.error_code() == "deadline_exceeded");
  CHECK(Clock::now() - asked_at < 3'000ms);
  // The refusal does not wait for the requests before it.
  CHECK(before.finish_and_list_wrong() == kNoneWrong);
}

TEST_CASE("Scheduling: the request with the earliest deadline is served first", "[process]") {
  Server server(identity_config({slow_model(200ms)}));
  measure(server);
  InFlight before(server.endpoint(), 12);
  REQUIRE(wait_until([&] { return waiting_count(server) >= 9; }));

  CHECK(HttpClient(server.endpoint()).post("/predict", "x", {{"X-Request-Timeout", "9000"}}).status == 200);

  CHECK(waiting_count(server) >= 3);
  CHECK(before.finish_and_list_wrong() == kNoneWrong);
}

TEST_CASE("Scheduling: a client's deadline is at most the server's, and a whole number of milliseconds", "[process]") {
  Server server(identity_config({slow_model(3'000ms, {"request_timeout: 500ms"})}));
  REQUIRE(server.wait_until_ready());
  CHECK(HttpClient(server.endpoint()).post("/predict", "x", {{"X-Request-Timeout", "60000"}}).status == 504);
  for (const char* const wrong : {"0", "-1", "soon", "1.5", "99999999999"}) {
    CAPTURE(wrong);
    const auto answer = HttpClient(server.endpoint()).post("/predict", "x", {{"X-Request-Timeout", wrong}});
    CHECK(answer.status == 400);
    CHECK(answer.error_code() == "invalid_parameter");
  }
}

TEST_CASE("Scheduling: a request with high priority passes the waiting requests", "[process]") {
  Server server(identity_config({slow_model(200ms)}));
  measure(server);
  InFlight before(server.endpoint(), 12);
  REQUIRE(wait_until([&] { return waiting_count(server) >= 9; }));

  CHECK(HttpClient(server.endpoint()).post("/predict?priority=high", "x").status == 200);

  CHECK(waiting_count(server) >= 3);
  CHECK(before.finish_and_list_wrong() == kNoneWrong);
  CHECK(HttpClient(server.endpoint()).post("/predict?priority=urgent", "x").error_code() == "invalid_parameter");
}

TEST_CASE("Scheduling: normal requests are served while high-priority requests never end", "[process]") {
  Server server(identity_config({slow_model(20ms)}));
  measure(server);
  std::atomic<bool> over{false};
  std::vector<std::future<int>> flood;
  for (int i = 0; i < 8; ++i) {
    flood.push_back(std::async(std::launch::async, [&] {
      HttpClient client(server.endpoint());
      int wrong = 0;
      while (!over) wrong += client.post("/predict?priority=high", "x").status == 200 ? 0 : 1;
      return wrong;
    }));
  }
  REQUIRE(wait_until([&] { return waiting_count(server) >= 4; }));
  CHECK(InFlight(server.endpoint(), 10).finish_and_list_wrong() == kNoneWrong);
  over = true;
  for (auto& client : flood) CHECK(client.get() == 0);
}

TEST_CASE("Scheduling: a full queue of one priority leaves room for the other", "[process]") {
  Server server(identity_config({slow_model(500ms, {"queue: {max_size: 2, timeout: 60s}"})}));
  measure(server);
  InFlight normal(server.endpoint(),
                  4);  // the worker computes a request, at most one waits behind it, and two are in the queue
  REQUIRE(wait_until([&] { return waiting_count(server) >= 2; }));
  CHECK(HttpClient(server.endpoint()).post("/predict", "x").error_code() == "queue_full");
  CHECK(HttpClient(server.endpoint()).post("/predict?priority=high", "x").status == 200);
  (void)normal.finish();
}

TEST_CASE("Scheduling: Retry-After follows from the measured rate and the queue", "[process]") {
  Server server(identity_config({slow_model(3'000ms, {"queue: {max_size: 5, timeout: 60s}"})}));
  measure(server);
  const InFlight requests(server.endpoint(), 6);
  REQUIRE(wait_until([&] { return waiting_count(server) == 5; }));
  const auto refused = HttpClient(server.endpoint()).post("/predict", "x");
  CHECK(refused.error_code() == "queue_full");
  // Five requests wait, three seconds each, and the worker computes another. A machine that stalls measures more
  // seconds.
  const int seconds = std::stoi(refused.header("Retry-After"));
  CHECK(seconds >= 15);
  CHECK(seconds <= 60);
}

TEST_CASE("Scheduling: a request that would wait longer than the queue's timeout is refused at once", "[process]") {
  Server server(identity_config({slow_model(2'000ms, {"queue: {timeout: 5s}"})}));
  measure(server);
  const InFlight before(server.endpoint(), 5);  // the server refuses some of these as well
  REQUIRE(wait_until([&] { return waiting_count(server) >= 2; }));
  const auto asked_at = Clock::now();
  const auto refused = HttpClient(server.endpoint()).post("/predict", "x");
  CHECK(refused.error_code() == "queue_full");
  CHECK(Clock::now() - asked_at < 5'000ms);
}

TEST_CASE("Scheduling: with max_wait, requests that arrive meanwhile form a batch, and a full batch starts at once",
          "[process]") {
  Server server(identity_config({{.workers = 1, .keys = {"batch: {max_size: 4, max_wait: 2s}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto began = Clock::now();
  CHECK(HttpClient(server.endpoint()).post("/predict", "x").status == 200);
  CHECK(Clock::now() - began >= 2s);  // no other request joined its batch

  CHECK(InFlight(server.endpoint(), 4).finish().size() == 4);
  const auto metrics = parse_prometheus_text(HttpClient(server.endpoint()).get("/metrics").body);
  CHECK(metrics.total("yolod_batch_size_count") == 2);
  CHECK(metrics.total("yolod_batch_size_sum") == 5);
}

TEST_CASE("Scheduling: a worker that dies loses no request of its two batches", "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 50ms, .keys = {"batch: {max_size: 2}"}}}));
  measure(server);
  for (int round = 0; round < 5; ++round) {
    InFlight requests(server.endpoint(), 8);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    ::kill(server.worker_pids().at(0), SIGKILL);
    REQUIRE(requests.finish_and_list_wrong() == kNoneWrong);
  }
}

}  // namespace
}  // namespace yolod::tests
