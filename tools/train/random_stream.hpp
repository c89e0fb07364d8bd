// Random numbers that depend on three numbers and on nothing else: what is drawn for a place in a step of a run is the
// same whichever thread draws it, and when.
#pragma once

#include <cmath>
#include <cstdint>

namespace yolod::train {

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). One thread.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t step, std::uint64_t place)
      : state_(mix(mix(mix(seed) + step * kGolden) + place * kGolden)) {}

  std::uint64_t next() {
    state_ += kGolden;
    return mix(state_);
  }
  // 0 to below 1.
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  double between(double low, double high) { return low + unit() * (high - low); }
  // Evenly by ratio; both above 0.
  double ratio_between(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }
  // 0 to below `count`, which is above 0.
  std::uint64_t below(std::uint64_t count) { return static_cast<std::uint64_t>(unit() * static_cast<double>(count)); }
  bool chance(double probability) { return unit() < probability; }

 private:
  static constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace yolod::train
