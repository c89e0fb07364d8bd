// How far a run is, as a line of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/train/loss_values.hpp"

namespace yolod::train {

// Moving averages over some fifty steps.
struct MovingAverages {
  LossValues loss;
  double images_per_second{0};
};

struct RunStatus {
  double minutes{0};  // of training
  std::optional<double> minutes_left;
  std::uint64_t step{0};
  std::optional<std::uint64_t> steps;      // of the whole run
  bool steps_are_estimated{false};         // by the time that is left
  std::optional<MovingAverages> averages;  // nothing before the first step
  double rate{0};
  std::optional<double> ap50;  // nothing before the first validation
  std::optional<double> ap50_95;
};

// What matters most comes first, since a terminal may cut it; `-` for what has not been measured.
[[nodiscard]] std::string text_of(const RunStatus& status);

// A number with so many decimals, or `-`.
[[nodiscard]] std::string number_or_dash(const std::optional<double>& value, int decimals);

}  // namespace yolod::train
