#include "common/loop_turns.hpp"

#include <catch2/catch.hpp>
#include <chrono>

namespace yolod::common {
namespace {

using namespace std::chrono_literals;

// Runs one turn that keeps the processor busy for at least this time.
void turn(LoopTurns& turns, std::chrono::microseconds length) {
  turns.begin();
  const auto end = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < end) {
  }
  turns.end();
}

TEST_CASE("LoopTurns: no turn is counted before the watch begins", "[common][unit]") {
  LoopTurns turns;
  turn(turns, 5ms);
  CHECK(turns.longest_us() == 0);
}

TEST_CASE("LoopTurns: a turn counts for every limit that it exceeds", "[common][unit]") {
  LoopTurns turns;
  turns.watch(LoopTurns::Clock::kWall);
  turn(turns, 12ms);
  CHECK(turns.longest_us() >= 11'500);
  for (std::size_t i = 0; i < 4; ++i) CHECK(turns.long_turns()[i] == 1);
  turn(turns, 2'500us);
  CHECK(turns.long_turns()[0] == 2);
  CHECK(turns.long_turns()[1] == 2);
  CHECK(turns.longest_us() >= 11'500);
}

TEST_CASE("LoopTurns: a turn within a turn is a part of it", "[common][unit]") {
  LoopTurns turns;
  turns.watch(LoopTurns::Clock::kWall);
  turns.begin();
  turn(turns, 3ms);
  CHECK(turns.longest_us() == 0);
  turns.end();
  CHECK(turns.long_turns()[0] == 1);
  CHECK(turns.longest_us() >= 2'900);
}

TEST_CASE("LoopTurns: the thread's own time is counted to the microsecond", "[common][unit]") {
  LoopTurns turns;
  turns.watch(LoopTurns::Clock::kProcessor);
  turn(turns, 100us);
  CHECK(turns.longest_us() < 1'000'000);
  turns.begin();
  timespec began{};
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
  do {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((now.tv_sec - began.tv_sec) * 1'000'000'000 + now.tv_nsec - began.tv_nsec < 2'000'000);
  turns.end();
  CHECK(turns.longest_us() >= 2'000);
  CHECK(turns.long_turns()[0] >= 1);
}

}  // namespace
}  // namespace yolod::common
