#include "app/process/doorbell_listener.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ipc/doorbell.hpp"

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;

struct BellBench {
  BellBench() {
    auto doorbell = ipc::make_doorbell();
    REQUIRE(doorbell);
    workers = common::UniqueFd(dup(doorbell->get()));
    listener.emplace(io, std::move(*doorbell),
                     DoorbellListener::Events{[this] {
                                                ++rings;
                                                return answered;
                                              },
                                              [this](const std::string& why) { broken.push_back(why); }});
    listener->listen();
  }
  void ring_and_turn() {
    ipc::ring_doorbell(workers.get());
    turn();
  }
  void turn() {
    io.restart();
    io.poll();
  }
  // Returns whether the listener reports a ring within ten seconds.
  [[nodiscard]] bool is_heard_later() {
    const int before = rings;
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (rings == before && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(100ms);
    }
    return rings != before;
  }

  boost::asio::io_context io;
  common::UniqueFd workers;
  std::uint64_t answered{0};
  int rings{0};
  std::vector<std::string> broken;
  std::optional<DoorbellListener> listener;
};

TEST_CASE("DoorbellListener: each ring is reported once, and rings before the report count as one", "[app][unit]") {
  BellBench bench;
  bench.turn();
  CHECK(bench.rings == 0);
  for (int i = 1; i <= 10; ++i) {
    ++bench.answered;
    ipc::ring_doorbell(bench.workers.get());
    bench.ring_and_turn();
    CHECK(bench.rings == i);
  }
  bench.turn();
  CHECK(bench.rings == 10);
  CHECK(bench.broken.empty());
}

TEST_CASE("DoorbellListener: after useless rings it listens less often, and reports later rings after its pause",
          "[app][unit]") {
  BellBench bench;
  int heard_at_once = 0;
  for (int before = -1; before != bench.rings && heard_at_once < 100; ++heard_at_once) {
    before = bench.rings;
    bench.ring_and_turn();
  }
  CHECK(bench.rings < 100);
  CHECK(bench.rings >= static_cast<int>(DoorbellPatience::kUsual));
  CHECK(bench.is_heard_later());
  CHECK(bench.broken.empty());
}

TEST_CASE("DoorbellListener: a worker that rings without end is reported as mad", "[app][unit]") {
  BellBench bench;
  for (std::uint64_t i = 0; i < DoorbellPatience::kMad; ++i) ipc::ring_doorbell(bench.workers.get());
  bench.turn();
  CHECK(bench.broken == std::vector<std::string>{"it rings its doorbell without end"});
}

TEST_CASE("DoorbellListener: after its end the listener reports neither a ring nor the end of a pause", "[app][unit]") {
  BellBench bench;
  const bool in_pause = GENERATE(true, false);
  if (in_pause) {
    for (std::uint64_t i = 0; i <= DoorbellPatience::kUsual; ++i) ipc::ring_doorbell(bench.workers.get());
    bench.turn();
  }
  ipc::ring_doorbell(bench.workers.get());
  const int before = bench.rings;
  bench.listener.reset();
  bench.io.restart();
  bench.io.run_for(20ms);
  CHECK(bench.rings == before);
  CHECK(bench.broken.empty());
}

}  // namespace
}  // namespace yolod::app::process
