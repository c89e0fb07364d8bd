#include "ipc/spsc_ring.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

namespace yolod::ipc {
namespace {

constexpr std::uint32_t kCapacity = 4;

struct TestCell {
  std::uint64_t number;
  std::uint64_t inverse;

  friend bool operator==(const TestCell&, const TestCell&) = default;
};

TestCell cell(std::uint64_t number) { return {number, ~number}; }

// The shared bytes, with a guard on each side of the cells. No cursor may make the ring touch the guards.
struct Shared {
  RingCursors cursors{};
  TestCell guard_before{cell(1111)};
  std::array<TestCell, kCapacity> cells{};
  TestCell guard_after{cell(2222)};

  [[nodiscard]] bool guards_intact() const { return guard_before == cell(1111) && guard_after == cell(2222); }
};

struct Ring {
  Shared shared;
  RingProducer<TestCell> producer{shared.cursors, shared.cells.data(), kCapacity};
  RingConsumer<TestCell> consumer{shared.cursors, shared.cells.data(), kCapacity};

  void fill(std::uint64_t first = 0) {
    for (std::uint64_t i = 0; i < kCapacity; ++i) REQUIRE(producer.push(cell(first + i)) == PushResult::kPushed);
    producer.publish();
  }
  void expect(std::uint64_t number) {
    TestCell out{};
    REQUIRE(consumer.pop(out) == PopResult::kPopped);
    CHECK(out == cell(number));
  }
};

TEST_CASE("SpscRing: pop on a fresh ring returns Empty and leaves the output unchanged", "[ipc][unit]") {
  Ring ring;
  TestCell out = cell(77);
  CHECK(ring.consumer.pop(out) == PopResult::kEmpty);
  CHECK(out == cell(77));
  CHECK(ring.shared.cursors.consumed == 0);
}

TEST_CASE("SpscRing: a pushed cell is invisible before publish", "[ipc][unit]") {
  Ring ring;
  REQUIRE(ring.producer.push(cell(1)) == PushResult::kPushed);
  TestCell out{};
  CHECK(ring.consumer.pop(out) == PopResult::kEmpty);
  ring.producer.publish();
  ring.expect(1);
}

TEST_CASE("SpscRing: publish without a push makes nothing visible", "[ipc][unit]") {
  Ring ring;
  ring.producer.publish();
  TestCell out{};
  CHECK(ring.consumer.pop(out) == PopResult::kEmpty);
}

TEST_CASE("SpscRing: cells come out in the order they went in", "[ipc][unit]") {
  Ring ring;
  ring.fill(10);
  for (std::uint64_t i = 0; i < kCapacity; ++i) ring.expect(10 + i);
  TestCell out{};
  CHECK(ring.consumer.pop(out) == PopResult::kEmpty);
}

TEST_CASE("SpscRing: one publish makes every cell pushed since the last one visible", "[ipc][unit]") {
  Ring ring;
  REQUIRE(ring.producer.push(cell(1)) == PushResult::kPushed);
  ring.producer.publish();
  REQUIRE(ring.producer.push(cell(2)) == PushResult::kPushed);
  REQUIRE(ring.producer.push(cell(3)) == PushResult::kPushed);
  CHECK(ring.shared.cursors.published == 1);
  ring.producer.publish();
  CHECK(ring.shared.cursors.published == 3);
  for (std::uint64_t i = 1; i <= 3; ++i) ring.expect(i);
}

TEST_CASE("SpscRing: push on a full ring returns Full and changes nothing", "[ipc][unit]") {
  Ring ring;
  ring.fill();
  const auto before = ring.shared.cells;
  CHECK(ring.producer.push(cell(99)) == PushResult::kFull);
  ring.producer.publish();
  CHECK(ring.shared.cells == before);
  CHECK(ring.shared.cursors.published == kCapacity);
  for (std::uint64_t i = 0; i < kCapacity; ++i) ring.expect(i);
}

TEST_CASE("SpscRing: cells that are not published yet take room too", "[ipc][unit]") {
  Ring ring;
  for (std::uint64_t i = 0; i < kCapacity; ++i) REQUIRE(ring.producer.push(cell(i)) == PushResult::kPushed);
  CHECK(ring.producer.push(cell(99)) == PushResult::kFull);
}

TEST_CASE("SpscRing: one pop from a full ring makes room for exactly one push", "[ipc][unit]") {
  Ring ring;
  ring.fill();
  ring.expect(0);
  CHECK(ring.producer.push(cell(4)) == PushResult::kPushed);
  CHECK(ring.producer.push(cell(5)) == PushResult::kFull);
}

TEST_CASE("SpscRing: indices wrap around the cells many times without loss", "[ipc][unit]") {
  Ring ring;
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    for (std::uint64_t i = 0; i <= round % kCapacity; ++i)
      REQUIRE(ring.producer.push(cell(in++)) == PushResult::kPushed);
    ring.producer.publish();
    while (out < in) ring.expect(out++);
  }
  CHECK(ring.shared.guards_intact());
}

TEST_CASE("SpscRing: a ring of one cell alternates between full and empty", "[ipc][unit]") {
  RingCursors cursors{};
  TestCell only{};
  RingProducer<TestCell> producer(cursors, &only, 1);
  RingConsumer<TestCell> consumer(cursors, &only, 1);
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(producer.push(cell(i)) == PushResult::kPushed);
    CHECK(producer.push(cell(99)) == PushResult::kFull);
    producer.publish();
    TestCell out{};
    REQUIRE(consumer.pop(out) == PopResult::kPopped);
    CHECK(out == cell(i));
    CHECK(consumer.pop(out) == PopResult::kEmpty);
  }
}

TEST_CASE("SpscRing: the producer refuses a consumer that claims more cells than were pushed", "[ipc][unit]") {
  const std::uint64_t lie = GENERATE(as<std::uint64_t>{}, 3, 4, 100, std::uint64_t{1} << 63U,
                                     std::numeric_limits<std::uint64_t>::max() - kCapacity);
  Ring ring;
  REQUIRE(ring.producer.push(cell(1)) == PushResult::kPushed);
  REQUIRE(ring.producer.push(cell(2)) == PushResult::kPushed);
  const auto before = ring.shared.cells;
  ring.shared.cursors.consumed = lie;
  CHECK(ring.producer.push(cell(3)) == PushResult::kCorrupt);
  CHECK(ring.shared.cells == before);
  CHECK(ring.shared.guards_intact());
}

TEST_CASE("SpscRing: a consumer's cursor that runs backwards is refused once it is further back than the ring is long",
          "[ipc][unit]") {
  Ring ring;
  for (std::uint64_t i = 0; i < 10; ++i) {
    REQUIRE(ring.producer.push(cell(i)) == PushResult::kPushed);
    ring.producer.publish();
    ring.expect(i);
  }
  ring.shared.cursors.consumed = 10 - kCapacity;
  CHECK(ring.producer.push(cell(10)) == PushResult::kFull);
  ring.shared.cursors.consumed = 10 - kCapacity - 1;
  CHECK(ring.producer.push(cell(10)) == PushResult::kCorrupt);
}

TEST_CASE("SpscRing: the consumer refuses a producer that claims more than the ring holds", "[ipc][unit]") {
  const std::uint64_t lie = GENERATE(as<std::uint64_t>{}, kCapacity + 1, 100, std::uint64_t{1} << 63U,
                                     std::numeric_limits<std::uint64_t>::max());
  Ring ring;
  ring.shared.cursors.published = lie;
  TestCell out = cell(77);
  CHECK(ring.consumer.pop(out) == PopResult::kCorrupt);
  CHECK(out == cell(77));
  CHECK(ring.shared.cursors.consumed == 0);
}

TEST_CASE("SpscRing: the consumer refuses a producer that takes back what was consumed", "[ipc][unit]") {
  Ring ring;
  ring.fill();
  ring.expect(0);
  ring.expect(1);
  ring.shared.cursors.published = 1;
  TestCell out{};
  CHECK(ring.consumer.pop(out) == PopResult::kCorrupt);
}

TEST_CASE("SpscRing: a false cursor within the range yields only cells of the ring", "[ipc][unit]") {
  Ring ring;
  ring.shared.cells = {cell(5), cell(6), cell(7), cell(8)};
  ring.shared.cursors.published = kCapacity;
  for (std::uint64_t i = 0; i < kCapacity; ++i) ring.expect(5 + i);
  TestCell out{};
  CHECK(ring.consumer.pop(out) == PopResult::kEmpty);
}

TEST_CASE("SpscRing: overwriting a side's own published cursor does not move that side", "[ipc][unit]") {
  Ring ring;
  REQUIRE(ring.producer.push(cell(0)) == PushResult::kPushed);
  ring.shared.cursors.published = 1000;  // by the peer, which may write to every shared byte
  REQUIRE(ring.producer.push(cell(1)) == PushResult::kPushed);
  ring.producer.publish();
  CHECK(ring.shared.cursors.published == 2);
  ring.shared.cursors.consumed = 1000;
  ring.expect(0);
  CHECK(ring.shared.cursors.consumed == 1);
}

TEST_CASE("SpscRing: no value of the peer's cursor makes either side touch a byte beyond the cells", "[ipc][unit]") {
  Ring ring;
  std::uint64_t random = 0x9E3779B97F4A7C15ULL;
  for (int i = 0; i < 100'000; ++i) {
    random ^= random << 13U;
    random ^= random >> 7U;
    random ^= random << 17U;
    const std::uint64_t near_zero = (random & 15U) - 8;
    ring.shared.cursors.consumed = near_zero;
    (void)ring.producer.push(cell(random));
    ring.shared.cursors.published = (random >> 8U & 15U) - 8;
    TestCell out{};
    (void)ring.consumer.pop(out);
    REQUIRE(ring.shared.guards_intact());
  }
}

TEST_CASE("SpscRing: two threads pass every cell whole and in order", "[ipc][unit][threads]") {
  constexpr std::uint64_t kCount = 200'000;
  constexpr std::uint32_t kCells = 64;
  RingCursors cursors{};
  std::vector<TestCell> cells(kCells);
  std::thread sender([&] {
    RingProducer<TestCell> producer(cursors, cells.data(), kCells);
    for (std::uint64_t i = 0; i < kCount;) {
      if (producer.push(cell(i)) == PushResult::kPushed) {
        // Batches of several sizes, as the dispatcher publishes.
        if (++i % 7 == 0 || i % 5 == 0 || i == kCount) producer.publish();
      } else {
        producer.publish();
        std::this_thread::yield();
      }
    }
  });
  RingConsumer<TestCell> consumer(cursors, cells.data(), kCells);
  std::uint64_t wrong_count = 0;
  std::uint64_t corrupt_count = 0;
  for (std::uint64_t i = 0; i < kCount && corrupt_count == 0;) {
    TestCell out{};
    switch (consumer.pop(out)) {
      case PopResult::kPopped: wrong_count += out == cell(i++) ? 0 : 1; break;
      case PopResult::kEmpty: std::this_thread::yield(); break;
      case PopResult::kCorrupt: ++corrupt_count; break;
    }
  }
  sender.join();
  CHECK(wrong_count == 0);
  CHECK(corrupt_count == 0);
}

}  // namespace
}  // namespace yolod::ipc
