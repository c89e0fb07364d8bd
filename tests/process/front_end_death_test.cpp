// Fault cases 5 and 6: the front-end is killed, at rest, under load and in the middle of its forks; nothing of it is
// left.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("FrontEndDeath: a killed front-end takes its workers along and frees its port", "[process][case5]") {
  // Some idle, some busy and some loading.
  const auto config =
      identity_config({{.name = "quick", .workers = 2},
                       {.name = "slow", .workers = 2, .delay = 60'000ms, .keys = {"hang_timeout: 2m"}}});
  Server server(config);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto children = children_of(server.pid());
  REQUIRE(children.size() == 6);  // two loaders
  Load load(server.endpoint(), {.connection_count = 4});
  Load slow(server.endpoint(), {.connection_count = 2, .target = "/predict?model=slow"});
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  REQUIRE(load.wait_for_answers(20));

  server.send_signal(SIGKILL);

  CHECK(server.wait_for_exit() == killed_by(SIGKILL));
  check_after_exit(server, before, 1s);
  for (const auto& child : children) CHECK_FALSE(process_info(child.pid));
  const auto counts = load.wait_until_refused();
  CHECK(counts.wrong == 0);
  CHECK(counts.hung == 0);
  CHECK(slow.wait_until_refused().hung == 0);

  Server next(config);
  CHECK(next.wait_until_ready());
  CHECK(serves_next_request(next, {"quick"}));
}

TEST_CASE("FrontEndDeath: a front-end killed while its workers load leaves none of them", "[process][case5]") {
  Server server(identity_config({{.workers = 4, .load_delay = 60'000ms, .keys = {"preload: false"}}}));
  REQUIRE(server.wait_until_listening());
  REQUIRE(wait_until([&] { return children_of(server.pid()).size() == 4; }));
  const auto before = baseline(server);

  server.send_signal(SIGKILL);

  CHECK(server.wait_for_exit() == killed_by(SIGKILL));
  check_after_exit(server, before, 1s);
}

TEST_CASE("FrontEndDeath: killed right after a fork, 200 times, it leaves no orphan", "[process][case6]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  constexpr int kRounds = 100;  // with each
  std::vector<pid_t> seen;
  for (int round = 0; round < kRounds; ++round) {
    Server server(identity_config({{.workers = 4, .keys = {preload}}}));
    // From the first child on, a little later each time: its forks follow each other within milliseconds.
    REQUIRE(wait_until([&] { return !children_of(server.pid()).empty() || !server.running(); }));
    std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
    for (const auto& child : children_of(server.pid())) seen.push_back(child.pid);
    server.send_signal(SIGKILL);
    REQUIRE(server.wait_for_exit() == killed_by(SIGKILL));
  }
  CHECK(wait_until([] { return orphans().empty(); }, 1s));
  for (const pid_t pid : seen) CHECK_FALSE(is_alive(pid));
}

}  // namespace yolod::tests
