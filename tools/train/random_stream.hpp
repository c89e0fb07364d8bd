// Random numbers for one place of one step's batch. Threads fill the places in any order, so each place has its own
// stream. The step is part of the seed, so a resumed run does not repeat earlier numbers.
#pragma once

#include <cmath>
#include <cstdint>

#include "tools/scenes/split_mix64.hpp"

namespace yolod::train {

// Only one thread may use a stream.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t step, std::uint64_t place) : numbers_(state_of(seed, step, place)) {}

  std::uint64_t next() { return numbers_(); }
  // Returns a number from 0 to below 1.
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  double between(double low, double high) { return low + unit() * (high - low); }
  // Returns a number with an evenly distributed logarithm. Both limits are above 0.
  double ratio_between(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }
  // Returns a number from 0 to below `count`, which is above 0.
  std::uint64_t below(std::uint64_t count) { return static_cast<std::uint64_t>(unit() * static_cast<double>(count)); }
  bool chance(double probability) { return unit() < probability; }

 private:
  static constexpr std::uint64_t state_of(std::uint64_t seed, std::uint64_t step, std::uint64_t place) {
    using scenes::SplitMix64;
    const auto of_step = SplitMix64::scrambled(SplitMix64::scrambled(seed) + step * SplitMix64::kGamma);
    return SplitMix64::scrambled(of_step + place * SplitMix64::kGamma);
  }

  scenes::SplitMix64 numbers_;
};

}  // namespace yolod::train
