#include "app/schedule/batch_policy.hpp"

#include <catch2/catch.hpp>

namespace yolod::app {
namespace {

TEST_CASE("Batch: with nothing waiting or nobody idle there is none", "[app][unit]") {
  CHECK(next_batch_size(0, 4, 8) == 0);
  CHECK(next_batch_size(4, 0, 8) == 0);
  CHECK(next_batch_size(0, 0, 8) == 0);
}

TEST_CASE("Batch: one request goes at once, whoever is idle", "[app][unit]") {
  for (std::size_t idle = 1; idle < 10; ++idle) CHECK(next_batch_size(1, idle, 8) == 1);
}

TEST_CASE("Batch: what waits is shared evenly among the idle", "[app][unit]") {
  CHECK(next_batch_size(8, 2, 8) == 4);
  CHECK(next_batch_size(9, 2, 8) == 5);
  CHECK(next_batch_size(3, 4, 8) == 1);
  CHECK(next_batch_size(5, 4, 8) == 2);
}

TEST_CASE("Batch: it is never larger than the model's limit, nor than what waits", "[app][unit]") {
  for (std::size_t waiting = 0; waiting < 40; ++waiting) {
    for (std::size_t idle = 0; idle < 6; ++idle) {
      for (std::size_t limit = 1; limit < 10; ++limit) {
        const auto size = next_batch_size(waiting, idle, limit);
        REQUIRE(size <= limit);
        REQUIRE(size <= waiting);
        REQUIRE((size == 0) == (waiting == 0 || idle == 0));
      }
    }
  }
}

TEST_CASE("Batch: dealt out in turn, the idle take all that their limits allow", "[app][unit]") {
  for (std::size_t waiting = 0; waiting < 40; ++waiting) {
    for (std::size_t idle_count = 1; idle_count < 6; ++idle_count) {
      constexpr std::size_t kLimit = 4;
      std::size_t left = waiting;
      for (std::size_t idle = idle_count; idle > 0; --idle) left -= next_batch_size(left, idle, kLimit);
      REQUIRE(left == (waiting > idle_count * kLimit ? waiting - idle_count * kLimit : 0));
    }
  }
}

}  // namespace
}  // namespace yolod::app
