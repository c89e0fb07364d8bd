// Formats the progress of a run as a line of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/train/loss_values.hpp"

namespace yolod::train {

// The moving averages cover about fifty steps.
struct MovingAverages {
  LossValues loss;
  double images_per_second{0};
};

struct RunStatus {
  double minutes{0};  // time of training
  std::optional<double> minutes_left;
  std::uint64_t step{0};
  std::optional<std::uint64_t> steps;      // steps of the whole run
  bool steps_are_estimated{false};         // `steps` is an estimate from the remaining time
  std::optional<MovingAverages> averages;  // empty before the first step
  double rate{0};
  std::optional<double> ap50;  // empty before the first validation
  std::optional<double> ap50_95;
};

// The most important values come first, because a terminal may cut the line. `-` stands for a value that was not
// measured.
[[nodiscard]] std::string text_of(const RunStatus& status);

// Returns the number with this many decimals, or `-`.
[[nodiscard]] std::string number_or_dash(const std::optional<double>& value, int decimals);

}  // namespace yolod::train
