// The schedule of a run. `done` is the part of the run that is done, 0 to 1. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace yolod::train {

enum class Stage {
  kMixed,  // parts of pictures, mixed and recoloured (augment.hpp)
  kPlain,  // whole pictures as the server shows them to the network
};

// The last tenth of a run is plain.
[[nodiscard]] inline Stage stage_at(double done) {
  constexpr double kPlainFrom = 0.9;
  return done < kPlainFrom ? Stage::kMixed : Stage::kPlain;
}

// Returns a factor for the highest rate. It rises in a straight line, and then falls by half a cosine wave to a
// hundredth (Loshchilov and Hutter, "SGDR", 2017). The rise takes the first twentieth of the run, but at most 300
// steps.
[[nodiscard]] inline double rate_at(double done, std::uint64_t step) {
  constexpr double kWarmUp = 0.05;
  constexpr double kWarmUpSteps = 300;
  constexpr double kLeast = 0.01;
  const double warm = std::max(done / kWarmUp, (static_cast<double>(step) + 1) / kWarmUpSteps);
  const double cosine = (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0))) / 2;
  return std::min(1.0, warm) * (kLeast + (1 - kLeast) * cosine);
}

// Returns the share of the averaged weights that stays after a step. It is small at first, so that the average soon
// forgets the weights that training began with.
[[nodiscard]] inline double average_decay_at(std::uint64_t step) {
  constexpr double kLongest = 0.998;
  const auto steps = static_cast<double>(step);
  return std::min(kLongest, (1 + steps) / (10 + steps));
}

}  // namespace yolod::train
