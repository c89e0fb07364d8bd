// Fault case 34: the whole server is frozen under load for longer than hang_timeout, and then continues.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/freezer_cgroup.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

constexpr auto kFrozen = 4'500ms;

// Each deadline of a request and of a worker is shorter than the freeze.
std::string short_deadlines() {
  return identity_config(
      {{.workers = 2,
        .delay = 30ms,
        .keys = {"hang_timeout: 2500ms", "request_timeout: 3s", "queue: {timeout: 2500ms}", "load_timeout: 4s"}}},
      {"body_timeout: 2s", "header_timeout: 2s", "write_timeout: 2s"});
}

std::vector<pid_t> workers_and_loader(const Server& server) {
  std::vector<pid_t> pids;
  for (const auto& process : descendants_of(server.pid())) pids.push_back(process.pid);
  return pids;
}

void check_unmoved(Server& server, Load& load, const Baseline& before, const std::vector<pid_t>& workers) {
  CHECK(load.wait_for_answers(100));
  const auto counts = load.stop();
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
  CHECK(counts.right == counts.answered);
  CHECK(counts.hung + counts.lost == 0);
  CHECK(server.worker_pids() == workers);
  CHECK(server.log_lines_with("is killed").empty());
  CHECK(server.metric("yolod_replays_total") == 0);
  CHECK(server.metric("yolod_quarantined_total") == 0);
  CHECK_FALSE(server.log_lines_with("the front-end did not run for").empty());
  check_after_case(server, before);
}

enum class Order { kFrontEndFirst, kWorkersFirst };

}  // namespace

TEST_CASE("Freeze: a server that was stopped as a whole continues as if nothing had happened",
          "[process][case34][waits]") {
  const auto stops = GENERATE(Order::kFrontEndFirst, Order::kWorkersFirst);
  const auto goes_on = GENERATE(Order::kFrontEndFirst, Order::kWorkersFirst);
  CAPTURE(static_cast<int>(stops), static_cast<int>(goes_on));
  Server server(short_deadlines());
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  const auto others = workers_and_loader(server);
  Load load(server.endpoint(), {.connection_count = 8, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(50));

  const auto signal_all = [&](int signal, Order order) {
    if (order == Order::kFrontEndFirst) server.send_signal(signal);
    for (const pid_t pid : others) ::kill(pid, signal);
    if (order == Order::kWorkersFirst) server.send_signal(signal);
  };
  signal_all(SIGSTOP, stops);
  std::this_thread::sleep_for(kFrozen);
  signal_all(SIGCONT, goes_on);
  check_unmoved(server, load, before, workers);
}

TEST_CASE("Freeze: the front-end waits for workers that resume half a second after it", "[process][case34]") {
  Server server(short_deadlines());
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  const auto others = workers_and_loader(server);
  Load load(server.endpoint(), {.connection_count = 8, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(50));
  server.send_signal(SIGSTOP);
  for (const pid_t pid : others) ::kill(pid, SIGSTOP);
  std::this_thread::sleep_for(kFrozen);
  server.send_signal(SIGCONT);
  std::this_thread::sleep_for(500ms);
  for (const pid_t pid : others) ::kill(pid, SIGCONT);
  check_unmoved(server, load, before, workers);
}

TEST_CASE("Freeze: a loader or worker that was frozen while it loaded is not killed for taking too long",
          "[process][case34]") {
  const bool preload = GENERATE(true, false);
  CAPTURE(preload);
  Server server(identity_config({{.workers = 2,
                                  .load_delay = 1'000ms,
                                  .keys = {"load_timeout: 4s", preload ? "preload: true" : "preload: false"}}}));
  REQUIRE(server.wait_until_listening());
  REQUIRE(wait_until([&] { return workers_and_loader(server).size() >= (preload ? 1U : 2U); }));
  const auto others = workers_and_loader(server);
  for (const pid_t pid : others) ::kill(pid, SIGSTOP);
  server.send_signal(SIGSTOP);
  std::this_thread::sleep_for(kFrozen);
  server.send_signal(SIGCONT);
  for (const pid_t pid : others) ::kill(pid, SIGCONT);
  CHECK(server.wait_until_ready());
  CHECK(server.log_lines_with("is killed").empty());
}

TEST_CASE("Freeze: a control group that was frozen as a whole continues as if nothing had happened",
          "[process][case34]") {
  std::string reason;
  const auto group = FreezerCgroup::create(reason);
  if (!group) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(ServerOptions{
      .config = short_deadlines(), .arguments = {}, .limits = {}, .before_exec = [file = group->procs_file()] {
        join_cgroup(file.c_str());
      }});
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 8, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(50));
  REQUIRE(group->freeze());
  std::this_thread::sleep_for(kFrozen);
  REQUIRE(group->thaw());
  check_unmoved(server, load, before, workers);
}

}  // namespace yolod::tests
