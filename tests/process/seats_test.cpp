// Each worker has a number among the workers of its model, and its device follows from that number. However workers
// come and go, the numbers stay close together, so that a list of devices stays evenly used.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// Returns the numbers of the serving workers in ascending order, and -1 for a worker whose start is not in the log.
std::vector<int> numbers(const Server& server) {
  std::vector<int> found;
  for (const pid_t worker : server.worker_pids()) {
    const auto lines = server.log_lines_with("worker " + std::to_string(worker) + " (echo) started in seat ");
    const std::string key = "seat ";
    found.push_back(lines.empty() ? -1 : std::stoi(lines.back().substr(lines.back().rfind(key) + key.size())));
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool come_to(const Server& server, const std::vector<int>& expected) {
  return wait_until([&] { return numbers(server) == expected; });
}

}  // namespace

TEST_CASE("Seats: a worker gets the number of the worker that it replaces", "[process][seats]") {
  Server server(identity_config({{.workers = 3, .delay = 1ms, .keys = {"preload: false"}}}) +
                "logging: {level: debug}\n");
  REQUIRE(server.wait_until_ready());
  REQUIRE(come_to(server, {0, 1, 2}));

  SECTION("after a death") {
    const auto workers = server.worker_pids();
    ::kill(workers.at(1), SIGKILL);
    REQUIRE(wait_until([&] { return server.log_lines_with("started in seat 1 ").size() == 2; }));
    CHECK(come_to(server, {0, 1, 2}));
  }
  SECTION("one worker more, one less, and one more") {
    server.send_signal(SIGTTIN);
    REQUIRE(come_to(server, {0, 1, 2, 3}));
    server.send_signal(SIGTTOU);
    REQUIRE(come_to(server, {0, 1, 2}));
    server.send_signal(SIGTTIN);
    CHECK(come_to(server, {0, 1, 2, 3}));
  }
  SECTION("while a leaving worker still has requests") {
    const auto last = server.worker_pids().back();
    ::kill(last, SIGSTOP);
    server.send_signal(SIGTTOU);
    REQUIRE(wait_until([&] {
      const auto workers = server.workers();
      return std::any_of(workers.begin(), workers.end(), [](const auto& one) { return one.state == "draining"; });
    }));
    server.send_signal(SIGTTIN);
    CHECK(wait_until([&] { return server.log_lines_with("started in seat 2 ").size() == 2; }));
    ::kill(last, SIGCONT);
    CHECK(come_to(server, {0, 1, 2}));
  }
}

TEST_CASE("Seats: a recycled worker's successor gets its number", "[process][seats]") {
  Server server(
      identity_config({{.workers = 2, .delay = 1ms, .keys = {"preload: false", "recycle: {max_requests: 50}"}}}) +
      "logging: {level: debug}\n");
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 2'000});
  REQUIRE(wait_until([&] { return server.log_lines_with("is recycled").size() >= 4; }));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(wait_until([&] { return server.workers().size() == 2; }));
  CHECK(server.log_lines_with("started in seat 2 ").empty());
  CHECK(come_to(server, {0, 1}));
}

}  // namespace yolod::tests
