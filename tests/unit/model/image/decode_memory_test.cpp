#include "model/image/decode_memory.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

using yolod::model::image::DecodeMemory;

namespace {

// Waits until `holds()` is true. Returns false after ten seconds.
template <typename Holds>
bool comes_true(Holds&& holds) {
  for (int i = 0; i < 10'000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("DecodeMemory: a request for more than the whole memory is refused at once", "[model][unit][threads]") {
  DecodeMemory memory(100);
  CHECK_FALSE(memory.take(101).has_value());
  CHECK(memory.take(100).has_value());
  CHECK(memory.taken() == 0);
}

TEST_CASE("DecodeMemory: a share returns its memory at its end, and a part of it when it shrinks",
          "[model][unit][threads]") {
  DecodeMemory memory(100);
  {
    auto share = memory.take(80);
    REQUIRE(share.has_value());
    CHECK(memory.taken() == 80);
    share->shrink_to(90);
    CHECK(memory.taken() == 80);
    share->shrink_to(30);
    CHECK(memory.taken() == 30);
    const auto moved = std::move(*share);
    share.reset();
    CHECK(memory.taken() == 30);
  }
  CHECK(memory.taken() == 0);
}

TEST_CASE("DecodeMemory: a share grows only into free memory, and without a wait", "[model][unit][threads]") {
  DecodeMemory memory(100);
  DecodeMemory::Share first;
  DecodeMemory::Share second;
  CHECK(memory.try_grow(first, 40));
  CHECK(memory.try_grow(first, 30));
  CHECK(memory.taken() == 40);
  CHECK(memory.try_grow(second, 60));
  CHECK_FALSE(memory.try_grow(first, 41));
  CHECK_FALSE(memory.try_grow(first, UINT64_MAX));
  second.shrink_to(10);
  CHECK(memory.try_grow(first, 90));
  CHECK(memory.taken() == 100);
}

TEST_CASE("DecodeMemory: a request that does not fit waits until there is room", "[model][unit][threads]") {
  DecodeMemory memory(100);
  auto first = memory.take(60);
  std::atomic<bool> done{false};
  std::thread other([&] {
    const auto second = memory.take(60);
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(done);
  first.reset();
  CHECK(comes_true([&] { return done.load(); }));
  other.join();
}

TEST_CASE("DecodeMemory: small pictures do not overtake a large picture that waits", "[model][unit][threads]") {
  DecodeMemory memory(100);
  auto held = memory.take(50);
  std::atomic<int> order{0};
  std::atomic<int> large_at{0};
  std::atomic<int> small_at{0};
  std::atomic<bool> small_asks{false};
  std::thread large([&] {
    const auto share = memory.take(80);
    large_at = ++order;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::thread small([&] {
    small_asks = true;
    const auto share = memory.take(30);  // the memory has room for this share
    small_at = ++order;
  });
  REQUIRE(comes_true([&] { return small_asks.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(order == 0);
  held.reset();
  large.join();
  small.join();
  CHECK(large_at == 1);
  CHECK(small_at == 2);
}

TEST_CASE("DecodeMemory: many threads never take more than the whole memory", "[model][unit][threads]") {
  DecodeMemory memory(100);
  std::atomic<std::uint64_t> most{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 200; ++i) {
        const auto share = memory.take((t * 31 + i * 17) % 100 + 1);
        const auto taken = memory.taken();
        for (auto seen = most.load(); taken > seen && !most.compare_exchange_weak(seen, taken);) {
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(most <= 100);
  CHECK(memory.taken() == 0);
}
