#include "common/brief_spin.hpp"

#include <catch2/catch.hpp>

namespace yolod::common {
namespace {

using namespace std::chrono_literals;

const Clock::time_point kStart{};

// Returns a spin that has just seen a wait of this length, and now waits again, since `kStart + 1 s`.
BriefSpin after_wait_of(Clock::duration took, std::uint32_t cores = 2) {
  BriefSpin spin(cores);
  spin.begin(kStart);
  spin.end(kStart + took);
  spin.begin(kStart + 1s);
  return spin;
}

TEST_CASE("BriefSpin: the first wait does not spin") {
  BriefSpin spin(2);
  spin.begin(kStart);
  CHECK_FALSE(spin.goes_on(kStart));
}

TEST_CASE("BriefSpin: after a short wait the next is spun through, up to its longest") {
  auto spin = after_wait_of(20us);
  CHECK(spin.goes_on(kStart + 1s));
  CHECK(spin.goes_on(kStart + 1s + BriefSpin::kLongest - 1us));
  CHECK_FALSE(spin.goes_on(kStart + 1s + BriefSpin::kLongest));
}

TEST_CASE("BriefSpin: after a long wait the next is slept through") {
  auto slept = after_wait_of(5ms);
  CHECK_FALSE(slept.goes_on(kStart + 1s));
}

TEST_CASE("BriefSpin: after each spin in vain twice as many waits are slept through, until one is not in vain") {
  BriefSpin spin = after_wait_of(20us);
  auto now = kStart + 1s;
  // Each wait lasts 200 us, which is too long for a spin but short enough for another try.
  const auto waits_until_spin = [&] {
    std::size_t count = 0;
    for (; !spin.goes_on(now); ++count) {
      spin.end(now + 200us);
      now += 1ms;
      spin.begin(now);
    }
    return count;
  };
  const auto spin_in_vain = [&] {
    CHECK_FALSE(spin.goes_on(now + BriefSpin::kLongest));
    spin.end(now + 200us);
    now += 1ms;
    spin.begin(now);
  };
  CHECK(waits_until_spin() == 0);
  for (const std::size_t expected : {1, 2, 4, 8, 16, 32, 64, 64}) {
    spin_in_vain();
    CHECK(waits_until_spin() == expected);
  }
  spin.end(now + 10us);
  spin.begin(now);
  CHECK(waits_until_spin() == 0);
  spin_in_vain();
  CHECK(waits_until_spin() == 1);
}

TEST_CASE("BriefSpin: a core that others want is left to them for a time") {
  auto spin = after_wait_of(20us);
  const auto now = kStart + 1s;
  spin.offered(now, 1us);
  CHECK(spin.goes_on(now));
  spin.offered(now, 300us);
  CHECK_FALSE(spin.goes_on(now));
  spin.begin(now + BriefSpin::kRespite);
  CHECK(spin.goes_on(now + BriefSpin::kRespite));
}

TEST_CASE("BriefSpin: a machine with one core never spins") {
  auto spin = after_wait_of(20us, 1);
  CHECK_FALSE(spin.goes_on(kStart + 1s));
}

}  // namespace
}  // namespace yolod::common
