// Fault case 7: a worker that gets SIGINT while it loads finishes its load and then exits before it is ready. A ready
// worker dies of SIGINT as of any other signal.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

constexpr milliseconds kLoad{400};

// Waits for a child of the server that is not in `known`.
std::optional<ProcessInfo> wait_for_new_child(const Server& server, const std::vector<pid_t>& known) {
  std::optional<ProcessInfo> found;
  (void)wait_until([&] {
    for (const auto& child : children_of(server.pid())) {
      if (!child.zombie() && std::find(known.begin(), known.end(), child.pid) == known.end()) found = child;
    }
    return found.has_value();
  });
  return found;
}

std::chrono::nanoseconds age(const ProcessInfo& process) { return time_since_boot() - process.started_at; }

}  // namespace

TEST_CASE(
    "Interrupt: a worker interrupted while it loads finishes its load, exits as interrupted and is replaced at once",
    "[process][case7]") {
  Server server(identity_config({{.workers = 1, .load_delay = kLoad, .keys = {"preload: false"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::vector<pid_t> dead = server.worker_pids();
  // This kill is not an interrupt. It only makes room for the first worker that the test meets while it loads.
  ::kill(dead.at(0), SIGKILL);

  constexpr int kMoments = 20;
  constexpr int kTries = 10 * kMoments;
  int moment = 0;
  for (int attempt = 0; moment < kMoments && attempt < kTries; ++attempt) {
    const auto worker = wait_for_new_child(server, dead);
    REQUIRE(worker);
    CAPTURE(moment, worker->pid);
    // The moments lie between the fork and nine tenths of the load. The last tenth allows for delays of a busy
    // machine.
    std::this_thread::sleep_for(moment * kLoad * 9 / 10 / kMoments - age(*worker));

    const auto masks = blocked_signals(worker->pid);
    ::kill(worker->pid, SIGINT);
    const bool met_while_loading = age(*worker) < kLoad;
    REQUIRE(wait_until([&] { return !process_info(worker->pid); }));
    const auto lived = age(*worker);
    dead.push_back(worker->pid);
    if (!met_while_loading) continue;  // this machine was late; the next worker gets its signal at the same moment

    REQUIRE(!masks.empty());
    for (const auto mask : masks) CHECK(blocks(mask, SIGINT));
    CHECK(lived >= kLoad);
    REQUIRE(wait_until([&] { return server.death_lines(worker->pid).size() == 1; }));
    CHECK_THAT(server.death_lines(worker->pid).front(), Catch::Contains("interrupted"));
    // The limit is far below any backoff after twenty deaths in a row.
    const auto died_at = Clock::now();
    REQUIRE(wait_for_new_child(server, dead));
    CHECK(Clock::now() - died_at < scaled(10s));
    ++moment;
  }
  CHECK(moment == kMoments);
  check_after_case(server, before, dead);
}

TEST_CASE("Interrupt: a ready worker does not block SIGINT, dies of it, and its requests are replayed",
          "[process][case7]") {
  Server server(identity_config({{.workers = 2, .delay = 500ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  for (const pid_t worker : server.worker_pids()) {
    const auto masks = blocked_signals(worker);
    REQUIRE(!masks.empty());
    CHECK_FALSE(blocks(masks.front(), SIGINT));
  }

  InFlight requests(server.endpoint(), 8);
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, SIGINT);

  CHECK(requests.finish_and_list_wrong() == std::vector<std::string>{});
  check_after_case(server, before, {victim});
  REQUIRE(server.death_lines(victim).size() == 1);
  CHECK_THAT(server.death_lines(victim).front(), Catch::Contains("SIGINT"));
}

}  // namespace yolod::tests
