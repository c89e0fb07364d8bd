// Random numbers that are the same with every standard library; the distributions of the standard library are not.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tools/scenes/split_mix64.hpp"

namespace yolod::scenes {

// One thread owns and uses it. C++ does not define the order in which it evaluates the arguments of a call and the
// operands of an operator, so at most one of them may draw a number. Braces keep the order.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  Random(std::uint64_t seed, std::uint64_t index) : engine_(SplitMix64::mixed(seed, index)) {}

  std::uint64_t bits() { return engine_(); }
  // Returns a number from 0 to 1, without 1.
  float unit() { return static_cast<float>(engine_() >> 40U) * 0x1p-24F; }
  float uniform(float low, float high) { return low + (high - low) * unit(); }
  // Returns a number whose logarithm is uniformly distributed.
  float log_uniform(float low, float high) { return low * std::pow(high / low, unit()); }
  // Returns an approximately normal number: a sum of four uniform numbers, so at most 3.5 deviations from the mean.
  float normal(float mean, float deviation) {
    float sum = unit();
    for (int i = 0; i < 3; ++i) sum += unit();
    return mean + deviation * (sum - 2) * 1.7320508F;
  }
  // Returns a whole number from `low` to `high`, both included.
  int integer(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(float probability) { return unit() < probability; }
  float sign() { return chance(0.5F) ? 1.0F : -1.0F; }

  template <class T, std::size_t n>
  const T& pick(const std::array<T, n>& values) {
    return values[engine_() % n];
  }
  // Returns an index with a probability in proportion to its weight; the weights need not add up to 1.
  template <std::size_t n>
  std::size_t weighted(const std::array<float, n>& weights) {
    float left = 0;
    for (const float weight : weights) left += weight;
    left *= unit();
    for (std::size_t i = 0; i + 1 < n; ++i) {
      left -= weights[i];
      if (left < 0) return i;
    }
    return n - 1;
  }

 private:
  SplitMix64 engine_;
};

}  // namespace yolod::scenes
