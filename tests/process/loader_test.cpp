// These tests check workers that a loader forks, the death of the loader (fault case 7), and the promises of the key
// `preload` (docs/configuration.md).
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

pid_t parent_of(pid_t pid) {
  const auto info = process_info(pid);
  return info ? info->parent : 0;
}

bool wait_for_another_loader(const Server& server, pid_t than) {
  return wait_until([&] {
    const auto now = server.loader_pid();
    return now != 0 && now != than;
  });
}

// Polls like children_of(), but takes only microseconds. Returns a child that is not in `known`, or 0 after the
// timeout.
pid_t spot_new_child(const Server& server, const std::set<pid_t>& known) {
  const auto pid = std::to_string(server.pid());
  const auto end = Clock::now() + scaled(kGenerous);
  while (Clock::now() < end) {
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    for (pid_t child = 0; children >> child;) {
      if (!known.contains(child)) return child;
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("Loader: the loader loads once, and every worker is the front-end's own child", "[process][loader]") {
  Server server(identity_config({{.workers = 4, .load_delay = 100ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto loader = server.loader_pid();
  REQUIRE(loader != 0);
  CHECK(parent_of(loader) == server.pid());
  CHECK(children_of(loader).empty());
  const auto workers = server.worker_pids();
  CHECK(workers.size() == 4);
  for (const pid_t worker : workers) CHECK(parent_of(worker) == server.pid());
  CHECK(server.log_lines_with("loaded in").size() == 1);
  CHECK(server.log_lines_with("forked in").size() == 4);
  check_after_case(server, before);
}

TEST_CASE("Loader: a forked worker does not block SIGINT, and has no descriptor of its loader", "[process][loader]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  for (const pid_t worker : server.worker_pids()) {
    CHECK_FALSE(blocks(blocked_signals(worker).at(0), SIGINT));  // the main thread; ThreadSanitizer adds a thread
    // The worker has descriptors 0, 1 and 2, its log's own duplicate of 2, control, lane, arena and doorbell. It may
    // close those that it has mapped.
    CHECK(descriptor_count(worker) <= 8);
  }
  check_after_case(server, before);
}

TEST_CASE("Loader: a forked worker blocks SIGINT until it is ready", "[process][loader][case7]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::set<pid_t> known{server.loader_pid()};
  std::vector<pid_t> dead;
  // The worker blocks SIGINT for less than a millisecond: the test catches most workers in that time, not all.
  constexpr int kTries = 100;
  bool met = false;
  for (int attempt = 0; !met && attempt < kTries; ++attempt) {
    dead.push_back(server.worker_pids().at(0));
    known.insert(dead.back());
    ::kill(dead.back(), SIGKILL);
    const auto worker = spot_new_child(server, known);
    REQUIRE(worker != 0);
    const auto masks = blocked_signals(worker);
    met = !masks.empty() && blocks(masks.front(), SIGINT);
    REQUIRE(server.wait_until_replaced({dead.back()}));
  }
  CHECK(met);
  check_after_case(server, before, dead);
}

TEST_CASE("Loader: the death of a loader costs no client anything, and a new loader starts", "[process][loader]") {
  Server server(identity_config({{.workers = 2, .delay = 20ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 4});
  REQUIRE(load.wait_for_answers(20));
  const int signal = GENERATE(SIGKILL, SIGSEGV, SIGTERM, SIGINT);
  const auto loader = server.loader_pid();
  ::kill(loader, signal);
  REQUIRE(wait_for_another_loader(server, loader));
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(server.worker_pids() == workers);
  CHECK(server.log_lines_with("loader " + std::to_string(loader) + " (echo) died").size() == 1);
  check_after_case(server, before);
}

TEST_CASE("Loader: when the loader dies with all its workers, all of them come back", "[process][loader]") {
  Server server(identity_config({{.workers = 3, .load_delay = 50ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  const auto loader = server.loader_pid();
  InFlight requests(server.endpoint(), 6);
  ::kill(loader, SIGKILL);
  for (const pid_t worker : workers) ::kill(worker, SIGKILL);
  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  CHECK(server.wait_until_replaced(workers));
  CHECK(server.worker_pids().size() == 3);
  check_after_case(server, before, workers);
}

TEST_CASE("Loader: killed at any moment while it forks, a loader leaves nothing behind", "[process][loader]") {
  // A worker that dies with its loader was not ready yet, so each round makes the backoff longer. Each server
  // therefore runs only a few rounds.
  constexpr int kRounds = 5;
  const int first = kRounds * GENERATE(0, 1, 2, 3);
  Server server(identity_config({{.workers = 4}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  // A loader that dies before it has loaded is replaced after a growing delay, so the test waits for each to load.
  const auto loader_is_ready = [&server] {
    const auto status = server.status();
    return status.is_object() && status.at("models").at(0).at("loader").at("state") == "ready";
  };
  for (int round = first; round < first + kRounds; ++round) {
    CAPTURE(round);
    REQUIRE(wait_until(loader_is_ready));
    const auto loader = server.loader_pid();
    const auto workers = server.worker_pids();
    for (const pid_t worker : workers) ::kill(worker, SIGKILL);
    // The loader forks now, or is about to.
    std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
    if (loader != 0) ::kill(loader, SIGKILL);
    REQUIRE(server.wait_until_replaced(workers));
    REQUIRE(wait_for_another_loader(server, loader));
  }
  check_after_case(server, before);
}

TEST_CASE("Loader: a loader interrupted while it loads finishes its load, exits and is replaced at once",
          "[process][loader][case7][waits]") {
  constexpr milliseconds kLoad{400};
  // The loader is the first of all, or replaces another while workers serve and therefore loads in a thread.
  const bool beside_workers = GENERATE(false, true);
  CAPTURE(beside_workers);
  Server server(identity_config({{.workers = 2, .load_delay = kLoad}}));
  REQUIRE(server.wait_until_listening());
  pid_t previous = 0;
  std::optional<Baseline> before;
  if (beside_workers) {
    REQUIRE(server.wait_until_ready());
    before = baseline(server);
    previous = server.loader_pid();
    ::kill(previous, SIGKILL);  // makes room for the first loader that the test meets while it loads
  }
  constexpr int kMoments = 20;
  constexpr int kTries = 10 * kMoments;
  int moment = 0;
  for (int attempt = 0; moment < kMoments && attempt < kTries; ++attempt) {
    CAPTURE(moment);
    REQUIRE(wait_for_another_loader(server, previous));
    const auto loader = server.loader_pid();
    previous = loader;
    const auto born = process_info(loader);
    if (!born) continue;
    const auto age = [&born] { return time_since_boot() - born->started_at; };
    // The moments lie between the fork and nine tenths of the load. The last tenth allows for delays of a busy
    // machine.
    std::this_thread::sleep_for(moment * kLoad * 9 / 10 / kMoments - age());
    const auto masks = blocked_signals(loader);
    ::kill(loader, SIGINT);
    const bool met_while_loading = age() < kLoad;
    REQUIRE(wait_until([&] { return !process_info(loader); }));
    const auto lived = age();
    if (!met_while_loading) continue;  // this machine was late; the next loader gets its signal at the same moment

    REQUIRE(!masks.empty());
    for (const auto mask : masks) CHECK(blocks(mask, SIGINT));
    CHECK(lived >= kLoad);
    const auto died_at = Clock::now();
    const auto told = [&] { return server.log_lines_with("loader " + std::to_string(loader) + " (echo) exited:"); };
    REQUIRE(wait_until([&] { return told().size() == 1; }));
    CHECK_THAT(told().front(), Catch::Contains("interrupted"));
    // The limit is far below any backoff after twenty deaths in a row.
    REQUIRE(wait_for_another_loader(server, loader));
    CHECK(Clock::now() - died_at < scaled(10s));
    ++moment;
  }
  CHECK(moment == kMoments);
  REQUIRE(server.wait_until_ready());
  CHECK(server.worker_pids().size() == 2);
  if (before) {
    // The last loader may still load.
    REQUIRE(wait_until([&] { return server.status().at("models").at(0).at("loader").at("state") == "ready"; }));
    check_after_case(server, *before);
  }
}

TEST_CASE("Loader: with preload: false each worker loads its own model", "[process][loader]") {
  Server server(identity_config({{.workers = 2, .keys = {"preload: false"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  CHECK(server.loader_pid() == 0);
  CHECK(server.log_lines_with("loaded in").size() == 2);
  const auto victim = server.worker_pids().at(0);
  ::kill(victim, SIGKILL);
  check_after_case(server, before, {victim});
}

}  // namespace yolod::tests
