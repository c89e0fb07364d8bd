// How a run goes from its start to its end. `done` is the part of it that is done, 0 to 1. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace yolod::train {

enum class Stage {
  kMixed,  // pictures cut, mixed and recoloured (augment.hpp)
  kPlain,  // whole pictures as the server will see them
};

// The last tenth is plain.
[[nodiscard]] inline Stage stage_at(double done) {
  constexpr double kPlainFrom = 0.9;
  return done < kPlainFrom ? Stage::kMixed : Stage::kPlain;
}

// Part of the highest rate: up in a straight line, then half a cosine wave down to a hundredth (Loshchilov and Hutter,
// "SGDR", 2017). The way up is the first twentieth, but no more than 300 steps.
[[nodiscard]] inline double rate_at(double done, std::uint64_t step) {
  constexpr double kWarmUp = 0.05;
  constexpr double kWarmUpSteps = 300;
  constexpr double kLeast = 0.01;
  const double warm = std::max(done / kWarmUp, (static_cast<double>(step) + 1) / kWarmUpSteps);
  const double cosine = (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0))) / 2;
  return std::min(1.0, warm) * (kLeast + (1 - kLeast) * cosine);
}

// How much of the averaged weights stays after a step: little at first, so that what training began with is forgotten.
[[nodiscard]] inline double average_decay_at(std::uint64_t step) {
  constexpr double kLongest = 0.998;
  const auto steps = static_cast<double>(step);
  return std::min(kLongest, (1 + steps) / (10 + steps));
}

}  // namespace yolod::train
