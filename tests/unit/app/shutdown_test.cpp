#include "app/shutdown.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace yolod::app {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using Events = std::vector<std::string>;

// Records what a stop does. A test can end connections and children.
struct FakeServer final : Shutdown::Server {
  void announce_stop() override { note("announce"); }
  [[nodiscard]] bool any_model_was_ready() const override { return was_ready; }
  void stop_accepting() override { note("stop accepting"); }
  void close_idle_connections() override {
    note("close idle");
    open -= std::exchange(idle, 0);
  }
  void close_all_connections() override {
    note("close all");
    open = idle = 0;
  }
  [[nodiscard]] std::size_t connections() const override { return open; }
  void refuse_requests() override {
    note("refuse");
    if (clients_read) open = idle = 0;
  }
  void ask_workers_to_stop() override {
    note("ask");
    if (dies_of == 0) child_lives = false;
  }
  void signal_children(int signal) override {
    note("signal " + std::to_string(signal));
    if (signal == dies_of) child_lives = false;
  }
  [[nodiscard]] bool any_child_is_alive() const override { return child_lives; }
  void forget_unseen_workers() override {
    note("forget");
    if (child_is_unseen) child_lives = false;
  }

  // The checks that are repeated count once.
  void note(const std::string& event) {
    if (!events.empty() && events.back() == event) return;
    events.push_back(event);
    times.push_back(Clock::now());
  }
  [[nodiscard]] Clock::time_point time_of(const std::string& event) const {
    const auto at = std::find(events.begin(), events.end(), event);
    REQUIRE(at != events.end());
    return times[static_cast<std::size_t>(at - events.begin())];
  }

  bool was_ready{true};
  bool child_lives{true};
  bool child_is_unseen{false};
  int dies_of{0};  // 0: a worker ends when it is asked
  bool clients_read{true};
  std::size_t open{0};
  std::size_t idle{0};
  Events events;
  std::vector<Clock::time_point> times;
};

struct ShutdownBench {
  ShutdownBench() {
    config.drain_delay = 0ms;
    config.shutdown_timeout = 60s;
  }
  // Runs until the stop is over.
  void run() {
    io.run_for(20s);
    REQUIRE(io.stopped());
    CHECK(phase == Phase::kStopping);
    CHECK_FALSE(server.child_lives);
    CHECK(server.open == 0);
  }
  void run_until(const std::function<bool()>& done) {
    for (const auto end = Clock::now() + 20s; !done();) {
      REQUIRE(Clock::now() < end);
      io.run_one_for(10ms);
    }
  }
  [[nodiscard]] bool did(const std::string& event) const {
    return std::find(server.events.begin(), server.events.end(), event) != server.events.end();
  }

  boost::asio::io_context io;
  Phase phase{Phase::kServing};
  common::ServerConfig config;
  FakeServer server;
  Shutdown::Graces graces{20ms, 40ms, 60ms};
  Shutdown shutdown{io, phase, config, server, graces};
};

TEST_CASE("Shutdown: the listeners close after drain_delay, idle connections after their grace, and then workers end",
          "[app][unit]") {
  ShutdownBench bench;
  bench.config.drain_delay = 50ms;
  bench.server.open = bench.server.idle = 2;
  const auto began = Clock::now();
  bench.shutdown.drain();
  CHECK(bench.phase == Phase::kDraining);
  CHECK(bench.server.events == Events{"announce"});
  bench.run();
  CHECK(bench.server.events == Events{"announce", "stop accepting", "close idle", "stop accepting", "refuse", "ask"});
  CHECK(bench.server.time_of("stop accepting") - began >= 50ms);
  CHECK(bench.server.time_of("close idle") - bench.server.time_of("stop accepting") >= 20ms);
}

TEST_CASE("Shutdown: pending requests are answered until shutdown_timeout, and then refused", "[app][unit]") {
  ShutdownBench bench;
  bench.server.open = 1;
  SECTION("the answer is in time") {
    bench.shutdown.drain();
    bench.run_until([&] { return bench.did("close idle"); });
    bench.io.run_for(30ms);
    CHECK(bench.phase == Phase::kDraining);
    CHECK_FALSE(bench.did("refuse"));
    bench.server.open = 0;
    bench.run();
  }
  SECTION("it is not") {
    bench.config.shutdown_timeout = 100ms;
    const auto began = Clock::now();
    bench.shutdown.drain();
    bench.run();
    CHECK(bench.server.time_of("refuse") - began >= 100ms);
    CHECK_FALSE(bench.did("close all"));  // the client has read the refusal
  }
  SECTION("drain_delay is longer than shutdown_timeout") {
    bench.config.shutdown_timeout = 50ms;
    bench.config.drain_delay = 60s;
    bench.shutdown.drain();
    bench.run();
  }
  CHECK(bench.did("ask"));
  CHECK_FALSE(bench.did("signal " + std::to_string(SIGTERM)));
}

TEST_CASE("Shutdown: models that were never ready are killed at once", "[app][unit]") {
  ShutdownBench bench;
  bench.config.drain_delay = 60s;
  bench.server.was_ready = false;
  bench.server.dies_of = SIGKILL;
  bench.shutdown.drain();
  CHECK(bench.server.events == Events{"announce", "stop accepting", "refuse", "signal " + std::to_string(SIGKILL)});
  bench.run();
}

TEST_CASE("Shutdown: children that do not end get SIGTERM and then SIGKILL", "[app][unit]") {
  ShutdownBench bench;
  const std::string term = "signal " + std::to_string(SIGTERM);
  const std::string kill = "signal " + std::to_string(SIGKILL);
  bench.server.dies_of = GENERATE(SIGTERM, SIGKILL);
  bench.shutdown.stop(Shutdown::Workers::kAsked);
  bench.run();
  CHECK(bench.server.time_of(term) - bench.server.time_of("ask") >= 40ms);
  CHECK(bench.did(kill) == (bench.server.dies_of == SIGKILL));
  if (bench.did(kill)) CHECK(bench.server.time_of(kill) - bench.server.time_of(term) >= 40ms);
}

TEST_CASE("Shutdown: a second stop kills at once, and refuses nothing again", "[app][unit]") {
  ShutdownBench bench;
  bench.graces.worker = 60s;
  Shutdown shutdown{bench.io, bench.phase, bench.config, bench.server, bench.graces};
  bench.server.dies_of = SIGKILL;
  bench.server.open = 1;
  SECTION("from the start") { shutdown.stop(Shutdown::Workers::kAsked); }
  SECTION("during a drain") {
    shutdown.drain();
    bench.run_until([&] { return bench.did("close idle"); });
    shutdown.stop(Shutdown::Workers::kAsked);
  }
  shutdown.stop(Shutdown::Workers::kKilled);
  bench.run();
  CHECK(std::count(bench.server.events.begin(), bench.server.events.end(), "announce") == 1);
  CHECK(std::count(bench.server.events.begin(), bench.server.events.end(), "refuse") == 1);
  CHECK(std::count(bench.server.events.begin(), bench.server.events.end(), "close idle") <= 1);
  CHECK(bench.server.events.back() == "signal " + std::to_string(SIGKILL));
}

TEST_CASE("Shutdown: clients that do not read their answers lose their connections after the grace, not before",
          "[app][unit]") {
  ShutdownBench bench;
  bench.server.open = 1;
  bench.server.clients_read = false;
  bench.shutdown.stop(Shutdown::Workers::kAsked);
  bench.run();
  CHECK(bench.server.time_of("close all") - bench.server.time_of("refuse") >= 60ms);
}

TEST_CASE("Shutdown: a worker that has not said hello is forgotten after the grace", "[app][unit]") {
  ShutdownBench bench;
  bench.server.dies_of = -1;
  bench.server.child_is_unseen = true;
  bench.shutdown.stop(Shutdown::Workers::kKilled);
  bench.run();
  CHECK(bench.server.time_of("forget") - bench.server.time_of("refuse") >= 60ms);
}

TEST_CASE("Shutdown: the loop goes on until the last child has been reaped", "[app][unit]") {
  ShutdownBench bench;
  bench.server.dies_of = -1;
  bench.shutdown.stop(Shutdown::Workers::kKilled);
  bench.io.run_for(50ms);
  CHECK_FALSE(bench.io.stopped());
  bench.server.child_lives = false;
  bench.run();
}

}  // namespace
}  // namespace yolod::app
