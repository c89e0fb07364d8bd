// Fault cases 5 and 6: the front-end is killed at rest, under load and in the middle of its forks, and leaves nothing
// behind.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// Counts like children_of(), but takes only microseconds.
std::size_t child_count(pid_t parent) {
  const auto pid = std::to_string(parent);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  std::size_t count = 0;
  for (pid_t child = 0; children >> child;) ++count;
  return count;
}

// Polls without a pause, because the forks follow each other within milliseconds.
bool wait_for_first_child(Server& server) {
  const auto end = Clock::now() + scaled(kGenerous);
  while (child_count(server.pid()) == 0) {
    if (Clock::now() >= end) return false;
  }
  return true;
}

// Spins, because a sleep overshoots by more than the durations that the test must distinguish.
void wait_actively(std::chrono::microseconds duration) {
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
  }
}

}  // namespace

TEST_CASE("FrontEndDeath: a killed front-end takes its workers along and frees its port", "[process][case5]") {
  // At the kill some workers are idle, some are busy and some load.
  const auto config =
      identity_config({{.name = "quick", .workers = 2},
                       {.name = "slow", .workers = 2, .delay = 60'000ms, .keys = {"hang_timeout: 2m"}}});
  Server server(config);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto children = children_of(server.pid());
  REQUIRE(children.size() == 6);  // two of the children are loaders
  Load load(server.endpoint(), {.connection_count = 4});
  Load slow(server.endpoint(), {.connection_count = 2, .target = "/predict?model=slow"});
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  REQUIRE(load.wait_for_answers(20));

  server.send_signal(SIGKILL);

  CHECK(server.wait_for_exit() == killed_by(SIGKILL));
  CHECK(can_listen_on(server.port()));  // even while its workers still work
  check_after_exit(server, before, follow_time());
  for (const auto& child : children) {
    CHECK(wait_until([&] { return orphans().empty() && !process_info(child.pid); }, follow_time()));
  }
  const auto counts = load.wait_until_refused();
  CHECK(counts.wrong == 0);
  CHECK(counts.hung == 0);
  CHECK(slow.wait_until_refused().hung == 0);

  Server next(config);
  CHECK(next.wait_until_ready());
  CHECK(serves_next_request(next, {"quick"}));
}

TEST_CASE("FrontEndDeath: a front-end killed while its workers load leaves no worker behind", "[process][case5]") {
  Server server(identity_config({{.workers = 4, .load_delay = 60'000ms, .keys = {"preload: false"}}}));
  REQUIRE(server.wait_until_listening());
  REQUIRE(wait_until([&] { return children_of(server.pid()).size() == 4; }));
  const auto before = baseline(server);

  server.send_signal(SIGKILL);

  CHECK(server.wait_for_exit() == killed_by(SIGKILL));
  check_after_exit(server, before, follow_time());
}

#if defined(YOLOD_INSTRUMENTED)
constexpr int kForkRounds = 10;  // a start and an end take a second of processor time
#else
constexpr int kForkRounds = 15;
#endif

// YOLOD_TEST_FORK_ROUNDS sets the rounds of each of the four kinds. The fault case asks for two hundred in all:
// tools/test --long.
TEST_CASE("FrontEndDeath: killed right after a fork, at any moment, the front-end leaves no orphan",
          "[process][case6][waits]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  // The front-end is killed during its first forks, or during those after the death of all its workers. With a
  // loader, these are the loader's forks.
  const bool at_the_start = GENERATE(true, false);
  CAPTURE(preload, at_the_start);
  const char* const asked = std::getenv("YOLOD_TEST_FORK_ROUNDS");
  const int rounds = asked != nullptr ? std::atoi(asked) : kForkRounds;
  constexpr std::size_t kWorkers = 4;
  const bool by_loader = preload == "preload: auto";
  const std::size_t all = kWorkers + (by_loader ? 1 : 0);
  // The forks take about this long.
  const unsigned longest_us = by_loader && !at_the_start ? 10'000 : 3'000;
  std::mt19937 random(6);
  int in_the_middle = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Server server(identity_config({{.workers = kWorkers, .keys = {preload}}}));
    if (at_the_start) {
      REQUIRE(wait_for_first_child(server));
    } else {
      REQUIRE(server.wait_until_ready());
      for (const pid_t worker : server.worker_pids()) ::kill(worker, SIGKILL);
    }
    wait_actively(std::chrono::microseconds(random() % longest_us));
    if (child_count(server.pid()) < all) ++in_the_middle;
    server.send_signal(SIGKILL);
    REQUIRE(server.wait_for_exit() == killed_by(SIGKILL));
    // The orphans became children of this process when the front-end died, and must exit without help. (~Server would
    // kill any that stay.)
    REQUIRE(wait_until([] { return orphans().empty(); }, follow_time()));
  }
  std::cout << rounds << " front-ends killed, " << in_the_middle << " of them in the middle of their forks\n";
}

}  // namespace yolod::tests
