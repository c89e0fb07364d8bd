// Fault cases 18, 19 and 20: SIGHUP, with what can be served and with what cannot; and TTIN, TTOU.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

bool wait_for_reloads(Server& server, std::size_t count) {
  return wait_until([&] { return server.log_lines_with("reload: done").size() >= count || !server.running(); });
}

bool wait_for_workers(Server& server, std::size_t count) {
  return wait_until([&] {
    const auto workers = server.workers();
    return workers.size() == count &&
           std::all_of(workers.begin(), workers.end(), [](const WorkerStatus& worker) { return worker.serves(); });
  });
}

bool none_in(const std::vector<pid_t>& some, const std::vector<pid_t>& others) {
  return std::none_of(some.begin(), some.end(),
                      [&](pid_t pid) { return std::find(others.begin(), others.end(), pid) != others.end(); });
}

}  // namespace

TEST_CASE("Reload: under load every worker is replaced and no client notices", "[process][case18]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  Server server(identity_config({{.workers = 3, .delay = 10ms, .load_delay = 50ms, .keys = {preload}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto old_workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 12, .body_bytes_max = 50'000});
  REQUIRE(load.wait_for_answers(50));
  for (std::size_t round = 1; round <= 3; ++round) {
    server.send_signal(SIGHUP);
    REQUIRE(wait_for_reloads(server, round));
    REQUIRE(load.wait_for_answers(50));
  }
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  REQUIRE(wait_for_workers(server, 3));
  CHECK(none_in(server.worker_pids(), old_workers));
  for (const auto& worker : server.workers()) CHECK(worker.generation == 4);
  check_after_case(server, before);
}

TEST_CASE("Reload: what was running on the old workers is answered by them", "[process][case18]") {
  Server server(identity_config({{.workers = 2, .delay = 500ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  InFlight requests(server.endpoint(), 8);
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  server.send_signal(SIGHUP);
  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  REQUIRE(wait_for_workers(server, 2));
  CHECK(HttpClient(server.endpoint()).get("/metrics").body.find("yolod_replays_total{model=\"echo\"} 0") !=
        std::string::npos);
  check_after_case(server, before);
}

TEST_CASE("Reload: settings change with it", "[process]") {
  Server server(identity_config({{.workers = 1}}, {"max_body_bytes: 2KiB"}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/predict", std::string(4000, 'x')).status == 413);
  server.rewrite_config(identity_config({{.workers = 3}, {.name = "second", .workers = 1}}, {"max_body_bytes: 8KiB"}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 1));
  REQUIRE(wait_for_workers(server, 4));
  CHECK(HttpClient(server.endpoint()).post("/predict", std::string(4000, 'x')).status == 200);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=second", "x").status == 200);

  server.rewrite_config(identity_config({{.name = "second", .workers = 1}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 2));
  REQUIRE(wait_for_workers(server, 1));
  CHECK(HttpClient(server.endpoint()).post("/predict?model=echo", "x").error_code() == "unknown_model");
  CHECK(HttpClient(server.endpoint()).post("/predict", "x").status == 200);

  server.rewrite_config(identity_config({{.workers = 1}}));  // what was taken away comes back
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 3));
  REQUIRE(wait_for_workers(server, 1));
  CHECK(HttpClient(server.endpoint()).post("/predict?model=echo", "x").status == 200);
}

TEST_CASE("Reload: what cannot be served changes nothing, and the log says why", "[process][case19]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  const IdentityModel good{.workers = 2, .delay = 5ms, .keys = {preload}};
  Server server(identity_config({good}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 5'000});
  REQUIRE(load.wait_for_answers(20));

  std::string why = "reload failed";
  SECTION("broken YAML") {
    server.rewrite_config("models: [");
    why = "system.yaml:";
  }
  SECTION("a key that does not exist") {
    server.rewrite_config(identity_config({good}, {"max_bodybytes: 1"}));
    why = "max_body_bytes";
  }
  SECTION("a missing file") {
    server.rewrite_config(
        server_config("  - name: echo\n    darknet: {cfg: a.cfg, weights: a.weights, names: a.names}\n"));
  }
  SECTION("a load that fails") {
    auto bad = good;
    bad.load_fault = "exit";
    server.rewrite_config(identity_config({bad}));
  }
  SECTION("a load that crashes") {
    auto bad = good;
    bad.load_fault = "crash";
    server.rewrite_config(identity_config({bad}));
  }
  SECTION("a load that hangs") {
    auto bad = good;
    bad.load_fault = "hang";
    bad.keys.emplace_back("load_timeout: 300ms");
    server.rewrite_config(identity_config({bad}));
  }
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with(why).empty(); }));
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(wait_until([&] { return server.worker_pids() == workers && server.workers().size() == workers.size(); }));
  check_after_case(server, before);

  server.rewrite_config(identity_config({good}));  // and a good one afterwards is taken
  server.send_signal(SIGHUP);
  CHECK(wait_until([&] { return none_in(server.worker_pids(), workers) && wait_for_workers(server, 2); }));
}

TEST_CASE("Reload: fifty signals in a burst are few reloads, and as many workers as before", "[process][case20]") {
  Server server(identity_config({{.workers = 3, .load_delay = 100ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 4});
  for (int i = 0; i < 50; ++i) {
    server.send_signal(SIGHUP);
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(wait_for_reloads(server, 1));
  REQUIRE(load.wait_for_answers(50));
  REQUIRE(wait_for_workers(server, 3));
  CHECK(server.log_lines_with("reload: done").size() <= 5);
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  check_after_case(server, before);
}

TEST_CASE("Reload: a stop in the middle of one is a clean stop", "[process]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  server.rewrite_config(identity_config({{.workers = 2, .load_delay = 60'000ms}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("model echo: reloading").empty(); }));
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("Reload: TTIN adds a worker of each model and TTOU takes one away, but never the last", "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 5ms}}));
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 4});
  REQUIRE(load.wait_for_answers(10));
  server.send_signal(SIGTTIN);
  REQUIRE(wait_for_workers(server, 2));
  server.send_signal(SIGTTIN);
  REQUIRE(wait_for_workers(server, 3));
  server.send_signal(SIGTTOU);
  REQUIRE(wait_for_workers(server, 2));
  server.send_signal(SIGTTOU);
  REQUIRE(wait_for_workers(server, 1));
  server.send_signal(SIGTTOU);
  CHECK(wait_until([&] { return !server.log_lines_with("its last worker stays").empty(); }));
  REQUIRE(load.wait_for_answers(10));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(server.workers().size() == 1);
}

}  // namespace yolod::tests
