#include "app/schedule/batch_policy.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::Clock;

const Clock::time_point kNow = Clock::time_point(1h);

BatchDecision to_idle(std::size_t size) { return {BatchGoesTo::kIdleWorker, size, std::nullopt}; }
BatchDecision to_busy(std::size_t size) { return {BatchGoesTo::kBusyWorker, size, std::nullopt}; }
BatchDecision wait_until(std::optional<Clock::time_point> when) { return {BatchGoesTo::kNone, 0, when}; }

// The settings have no wait.
BatchDecision at_once(std::size_t waiting, std::size_t idle, std::size_t most) {
  return next_batch({most, 0ms, {}}, {waiting, kNow}, {idle, std::nullopt}, kNow);
}

TEST_CASE("Batch: the limits are the config's if it names a size, whatever a worker reports", "[app][unit]") {
  common::BatchConfig config;
  config.max_size = 6;
  config.max_wait = 5ms;
  for (const std::uint32_t found : {0U, 1U, 4U, 256U}) {
    const auto limits = batch_limits(config, found);
    CHECK(limits.max_size == 6);
    CHECK(limits.max_wait == 5ms);
    CHECK(limits.preferred_sizes.empty());
  }
  config.preferred_sizes = {2, 6};
  CHECK(batch_limits(config, 1).preferred_sizes == std::vector<std::size_t>{2, 6});
}

TEST_CASE("Batch: with max_size: auto the limits are those that a worker found, in powers of two", "[app][unit]") {
  const common::BatchConfig config;
  CHECK(batch_limits(config, 0).max_size == 8);
  CHECK(batch_limits(config, 0).preferred_sizes.empty());
  CHECK(batch_limits(config, 1).max_size == 1);
  CHECK(batch_limits(config, 4).max_size == 4);
  CHECK(batch_limits(config, 4).preferred_sizes == std::vector<std::size_t>{1, 2, 4});
  // A faulty worker gets no larger batch than there is room for.
  CHECK(batch_limits(config, UINT32_MAX).max_size == 8);
  CHECK(batch_limits(config, UINT32_MAX).preferred_sizes == std::vector<std::size_t>{1, 2, 4, 8});
  common::BatchConfig prefers;
  prefers.preferred_sizes = {3, 8};
  CHECK(batch_limits(prefers, 4).max_size == 4);
  CHECK(batch_limits(prefers, 4).preferred_sizes == std::vector<std::size_t>{3});
}

TEST_CASE("Batch: without waiting requests there is no batch, at any time and for any idle worker", "[app][unit]") {
  for (const auto max_wait : {0ms, 10ms}) {
    CHECK(next_batch({8, max_wait, {}}, {0, kNow}, {4, kNow}, kNow) == wait_until(std::nullopt));
    CHECK(next_batch({8, max_wait, {}}, {0, kNow}, {0, std::nullopt}, kNow) == wait_until(std::nullopt));
  }
}

TEST_CASE("Batch: if no worker is idle or expected to finish, only an event changes that", "[app][unit]") {
  CHECK(at_once(4, 0, 8) == wait_until(std::nullopt));
  CHECK(at_once(8, 0, 8) == wait_until(std::nullopt));
}

TEST_CASE("Batch: one request goes at once, to whichever worker is idle", "[app][unit]") {
  for (std::size_t idle = 1; idle < 10; ++idle) CHECK(at_once(1, idle, 8) == to_idle(1));
}

TEST_CASE("Batch: the waiting requests are shared evenly among the idle workers", "[app][unit]") {
  CHECK(at_once(8, 2, 8) == to_idle(4));
  CHECK(at_once(9, 2, 8) == to_idle(5));
  CHECK(at_once(3, 4, 8) == to_idle(1));
  CHECK(at_once(5, 4, 8) == to_idle(2));
}

TEST_CASE("Batch: a batch is never empty, above the limit, or larger than the number of waiting requests",
          "[app][unit]") {
  for (std::size_t waiting = 1; waiting < 40; ++waiting) {
    for (std::size_t idle = 1; idle < 6; ++idle) {
      for (std::size_t limit = 1; limit < 10; ++limit) {
        for (const auto& preferred : {std::vector<std::size_t>{}, {1, 4, 8}, {3}, {2, 6}}) {
          const auto decision = next_batch({limit, 0ms, preferred}, {waiting, kNow}, {idle, std::nullopt}, kNow);
          REQUIRE(decision.to == BatchGoesTo::kIdleWorker);
          REQUIRE(decision.size >= 1);
          REQUIRE(decision.size <= limit);
          REQUIRE(decision.size <= waiting);
        }
      }
    }
  }
}

TEST_CASE("Batch: assigned in turn, the idle workers get all that their limits allow", "[app][unit]") {
  for (std::size_t waiting = 1; waiting < 40; ++waiting) {
    for (std::size_t idle_count = 1; idle_count < 6; ++idle_count) {
      constexpr std::size_t kLimit = 4;
      std::size_t left = waiting;
      for (std::size_t idle = idle_count; idle > 0; --idle) left -= at_once(left, idle, kLimit).size;
      REQUIRE(left == (waiting > idle_count * kLimit ? waiting - idle_count * kLimit : 0));
    }
  }
}

TEST_CASE("Batch: with a wait, a full batch goes at once, also to one of several idle workers", "[app][unit]") {
  CHECK(next_batch({8, 10ms, {}}, {8, kNow}, {1, std::nullopt}, kNow) == to_idle(8));
  CHECK(next_batch({8, 10ms, {}}, {11, kNow}, {3, std::nullopt}, kNow) == to_idle(8));
  CHECK(next_batch({1, 10ms, {}}, {1, kNow}, {1, std::nullopt}, kNow) == to_idle(1));
}

TEST_CASE("Batch: with a wait, a partial batch goes when its oldest request has waited long enough", "[app][unit]") {
  const BatchLimits limits{8, 10ms, {}};
  for (std::size_t waiting = 1; waiting < 8; ++waiting) {
    for (const auto waited : {0ms, 1ms, 9ms}) {
      const WaitingRequests requests{waiting, kNow - waited};
      REQUIRE(next_batch(limits, requests, {1, std::nullopt}, kNow) == wait_until(kNow - waited + 10ms));
    }
    for (const auto waited : {10ms, 11ms, 1000ms}) {
      REQUIRE(next_batch(limits, {waiting, kNow - waited}, {1, std::nullopt}, kNow) == to_idle(waiting));
      // The requests go together, because they waited for each other.
      REQUIRE(next_batch(limits, {waiting, kNow - waited}, {3, std::nullopt}, kNow) == to_idle(waiting));
    }
  }
}

TEST_CASE("Batch: with a wait, the wait ends when the most urgent request must go", "[app][unit]") {
  const BatchLimits limits{8, 10ms, {}};
  CHECK(next_batch(limits, {2, kNow, kNow + 4ms}, {1, std::nullopt}, kNow) == wait_until(kNow + 4ms));
  CHECK(next_batch(limits, {2, kNow, kNow}, {1, std::nullopt}, kNow) == to_idle(2));
  CHECK(next_batch(limits, {2, kNow, kNow - 1ms}, {1, std::nullopt}, kNow) == to_idle(2));
}

TEST_CASE("Batch: a busy worker gets its next batch shortly before it finishes, not earlier", "[app][unit]") {
  for (std::size_t waiting = 1; waiting < 20; ++waiting) {
    const WaitingRequests requests{waiting, kNow};
    REQUIRE(next_batch({8, 0ms, {}}, requests, {0, kNow + 1ms}, kNow) == wait_until(kNow + 1ms));
    REQUIRE(next_batch({8, 0ms, {}}, requests, {0, kNow}, kNow) == to_busy(std::min<std::size_t>(waiting, 8)));
    REQUIRE(next_batch({8, 0ms, {}}, requests, {0, kNow - 1ms}, kNow) == to_busy(std::min<std::size_t>(waiting, 8)));
  }
}

TEST_CASE("Batch: an idle worker comes before a worker that has nearly finished", "[app][unit]") {
  CHECK(next_batch({8, 0ms, {}}, {3, kNow}, {1, kNow}, kNow) == to_idle(3));
}

TEST_CASE("Batch: a wait applies to busy workers as well", "[app][unit]") {
  CHECK(next_batch({8, 10ms, {}}, {3, kNow}, {0, kNow}, kNow) == wait_until(kNow + 10ms));
  CHECK(next_batch({8, 10ms, {}}, {3, kNow - 10ms}, {0, kNow}, kNow) == to_busy(3));
  CHECK(next_batch({8, 10ms, {}}, {3, kNow - 10ms}, {0, kNow + 2ms}, kNow) == wait_until(kNow + 2ms));
  CHECK(next_batch({8, 10ms, {}}, {9, kNow}, {0, kNow}, kNow) == to_busy(8));
}

TEST_CASE("Batch: a batch has the largest preferred size that the waiting requests can fill", "[app][unit]") {
  const BatchLimits limits{8, 0ms, {2, 4, 8}};
  const std::size_t expected[] = {1, 2, 2, 4, 4, 4, 4, 8, 8};
  for (std::size_t waiting = 1; waiting <= 9; ++waiting) {
    CHECK(next_batch(limits, {waiting, kNow}, {1, std::nullopt}, kNow) == to_idle(expected[waiting - 1]));
    CHECK(next_batch(limits, {waiting, kNow}, {0, kNow}, kNow) == to_busy(expected[waiting - 1]));
  }
  CHECK(next_batch({3, 0ms, {2, 4}}, {9, kNow}, {1, std::nullopt}, kNow) == to_idle(2));
}

// A scheduler that asks again at each time that it is given must make progress.
TEST_CASE("Batch: a scheduler that asks again at the given time always gets an answer that acts", "[app][unit]") {
  for (const auto max_wait : {0ms, 3ms, 10ms}) {
    for (std::size_t waiting = 1; waiting < 10; ++waiting) {
      for (std::size_t idle = 0; idle < 3; ++idle) {
        for (const auto handover : {-1ms, 0ms, 2ms, 20ms}) {
          for (const auto waited : {0ms, 2ms, 12ms}) {
            const Workers workers{idle, kNow + handover};
            const WaitingRequests requests{waiting, kNow - waited};
            auto now = kNow;
            auto decision = next_batch({8, max_wait, {}}, requests, workers, now);
            for (int asked = 0; decision.to == BatchGoesTo::kNone; ++asked) {
              REQUIRE(asked < 2);
              REQUIRE(decision.ask_again);
              REQUIRE(*decision.ask_again > now);
              now = *decision.ask_again;
              decision = next_batch({8, max_wait, {}}, requests, workers, now);
            }
            REQUIRE(now <=
                    kNow + std::max(std::max(max_wait - waited, 0ms), idle != 0 ? 0ms : std::max(handover, 0ms)));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace yolod::app::schedule
