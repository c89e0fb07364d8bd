// The start, the signals and the stop of the front-end.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/unit/app/front_end_bench.hpp"

namespace yolod::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("FrontEnd: the server answers, shows its status, and ends cleanly on SIGTERM", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.get("/healthz"), Contains(R"({"live":true})"));
  CHECK_THAT(bench.get("/"), Contains("<!doctype html>"));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  CHECK_THAT(bench.get("/nothing"), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(bench.get("/metrics", "admin"), Contains(R"(yolod_requests_total{code="200",model="echo"} 1)"));
  CHECK_THAT(bench.get("/metrics", "admin"), Contains(R"(yolod_requests_total{code="404",model=""} 1)"));
  CHECK_THAT(bench.get("/status"), StartsWith("HTTP/1.1 403 "));  // the status names an admin address
  CHECK(bench.count_in_status("\"state\":\"ready\"") == 3);  // the status shows the model, its worker and its loader
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: signals add and remove workers, and dead workers are replaced", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  bench.send_signal(SIGTTIN);
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"device\":\"cpu\"") == 2; }));
  bench.send_signal(SIGTTOU);
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"device\":") == 1; }));
  const auto status = bench.get("/status", "admin");
  const auto workers = status.find("\"workers\":");
  const pid_t worker = std::atoi(status.c_str() + status.find("\"pid\":", workers) + 6);
  REQUIRE(worker > 1);
  kill(worker, SIGKILL);
  REQUIRE(FrontEndBench::until([&] { return bench.status_number("restarts") == 1; }));
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGUSR1);  // the front-end opens its log again
  bench.send_signal(SIGUSR2);  // the front-end ignores this signal
  bench.send_signal(SIGUSR2);
  bench.send_signal(SIGQUIT);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a signal or an admin starts a reload and learns its result", "[app][unit]") {
  FrontEndBench bench;
  bench.start(RunMode::kServe, [&bench]() -> std::optional<common::Config> {
    if (::access(bench.path("broken").c_str(), F_OK) == 0) return std::nullopt;
    auto config = bench.config;
    config.models[0].workers = 2;
    config.server.max_connections = 7;                  // the front-end cannot change this setting
    config.logging.level = common::LogLevel::kWarning;  // the front-end can change this setting
    return config;
  });
  REQUIRE(bench.becomes_ready());
  const std::string reload = "POST /reload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  CHECK_THAT(bench.ask(reload), StartsWith("HTTP/1.1 403 "));
  CHECK_THAT(bench.ask(reload, "admin"), Contains(R"({"success":true})"));
  CHECK(bench.status_number("generation") == 2);
  bench.send_signal(SIGHUP);
  REQUIRE(FrontEndBench::until([&] { return bench.status_number("generation") == 3; }));
  CHECK(bench.count_in_status("\"device\":\"cpu\"") >= 2);
  close(creat(bench.path("broken").c_str(), 0600));
  CHECK_THAT(bench.ask(reload, "admin"), StartsWith("HTTP/1.1 500 "));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGINT);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a second signal ends a stop that waits", "[app][unit]") {
  auto config = one_model();
  common::IdentitySource slow;
  slow.delay = 60s;
  config.models[0].source = slow;
  FrontEndBench bench(config);
  bench.config.server.shutdown_timeout = 60s;
  bench.start();
  REQUIRE(bench.becomes_ready());
  std::string answer;
  std::jthread client([&] { answer = bench.predict(); });
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"busy\"") == 1; }));
  bench.send_signal(SIGTERM);
  // The front-end answers that it is draining until it no longer listens.
  REQUIRE(FrontEndBench::until([&] {
    const auto readiness = bench.get("/readyz");
    return readiness.empty() || readiness.starts_with("HTTP/1.1 503");
  }));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  client.join();
  // On a slow machine an interim answer comes before.
  CHECK_THAT(answer, Contains("HTTP/1.1 503 ") && Contains("shutting_down"));
}

TEST_CASE("FrontEnd: a stop waits for the requests that are under way, and answers them", "[app][unit]") {
  auto config = one_model();
  common::IdentitySource slow;
  slow.delay = 2s;
  config.models[0].source = slow;
  FrontEndBench bench(config);
  bench.config.server.shutdown_timeout = 60s;
  bench.start();
  REQUIRE(bench.becomes_ready());
  std::string answer;
  std::jthread client([&] { answer = bench.predict(); });
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"busy\"") == 1; }));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  client.join();
  CHECK_THAT(answer, Contains(R"("bytes":3)"));
}

TEST_CASE("FrontEnd: a worker that does not end when it is asked to is killed", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  const auto status = bench.get("/status", "admin");
  const pid_t worker = std::atoi(status.c_str() + status.find("\"pid\":", status.find("\"workers\":")) + 6);
  REQUIRE(worker > 1);
  kill(worker, SIGSTOP);
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  CHECK(kill(worker, 0) != 0);  // it was reaped
}

TEST_CASE("FrontEnd: a front-end that was frozen says for how long", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  bench.send_signal(SIGSTOP);
  std::this_thread::sleep_for(2s);
  bench.send_signal(SIGCONT);
  CHECK(bench.logs("the front-end did not run for"));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a check loads every model once and tells whether all models can be served", "[app][unit]") {
  auto config = one_model();
  const bool bad = GENERATE(false, true);
  if (bad) {
    common::IdentitySource source;
    source.load_fault = common::IdentityLoadFault::kExit;
    source.faults = true;
    config.models.push_back(config.models[0]);
    config.models[1].name = "bad";
    config.models[1].source = source;
  }
  FrontEndBench bench(config);
  bench.start(RunMode::kCheck);
  CHECK(bench.exit_code() == (bad ? 1 : 0));
}

TEST_CASE("FrontEnd: a check that a signal interrupts gives no result", "[app][unit]") {
  auto config = one_model();
  common::IdentitySource slow;
  slow.load_delay = 60s;
  config.models[0].source = slow;
  FrontEndBench bench(config);
  const bool at_once = GENERATE(false, true);
  bench.start(RunMode::kCheck);
  bench.send_signal(at_once ? SIGQUIT : SIGTERM);
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: the server does not start without its address or without memory for its arena", "[app][unit]") {
  FrontEndBench bench;
  SECTION("the folder of the socket does not exist") { bench.config.server.listen = {{"unix:/nowhere/http.sock"}}; }
  SECTION("the arena is larger than the machine's memory") { bench.config.memory.input_arena_bytes = 1ULL << 60U; }
  bench.start();
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: a model that cannot be served at the start ends the server", "[app][unit]") {
  auto config = one_model();
  common::TorchScriptSource source;
  source.file = "/nowhere/model.pt";
  config.models[0].source = source;
  config.models[0].task = common::Task::kClassify;
  FrontEndBench bench(config);
  bench.start();
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: fewer descriptors leave room for fewer connections", "[app][unit]") {
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  const rlimit little{100, whole.rlim_max};
  setrlimit(RLIMIT_NOFILE, &little);
  FrontEndBench bench;
  bench.start();
  setrlimit(RLIMIT_NOFILE, &whole);
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

}  // namespace
}  // namespace yolod::app
