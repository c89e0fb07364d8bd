// The generator of all random numbers in scenes and training.
#pragma once

#include <cstdint>

namespace yolod::scenes {

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Each of the hundred
// objects in a scene has a separate generator, and initialising a std::mt19937_64 takes longer than drawing most of
// them. One thread uses it.
class SplitMix64 {
 public:
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15U;

  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t operator()() {
    state_ += kGamma;
    return scrambled(state_);
  }
  // The finaliser: each bit of the result depends on every bit of `x`.
  static constexpr std::uint64_t scrambled(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }
  // Combines two numbers to a seed.
  static constexpr std::uint64_t mixed(std::uint64_t seed, std::uint64_t index) {
    return scrambled(scrambled(seed + kGamma) + index * kGamma);
  }

 private:
  std::uint64_t state_;
};

}  // namespace yolod::scenes
