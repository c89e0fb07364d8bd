#include "tools/train/run_status.hpp"

#include <array>
#include <cstdio>

namespace yolod::train {

std::string number_or_dash(const std::optional<double>& value, int decimals) {
  if (!value) return "-";
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, *value);
  return text.data();
}

std::string text_of(const RunStatus& status) {
  const auto average = [&](double LossValues::*part) {
    return number_or_dash(status.averages ? std::optional(status.averages->loss.*part) : std::nullopt, 3);
  };
  const auto speed = status.averages ? std::optional(status.averages->images_per_second) : std::nullopt;
  std::array<char, 32> rate{};
  std::snprintf(rate.data(), rate.size(), "%.2g", status.rate);
  return number_or_dash(status.minutes, 1) + " min, " + number_or_dash(status.minutes_left, 1) + " left  step " +
         std::to_string(status.step) + " of " + (status.steps_are_estimated ? "about " : "") +
         (status.steps ? std::to_string(*status.steps) : "-") + "  " + number_or_dash(speed, 1) + " images/s  loss " +
         average(&LossValues::total) + "  AP50 " + number_or_dash(status.ap50, 3) + "  AP50:95 " +
         number_or_dash(status.ap50_95, 3) + "  box " + average(&LossValues::box) + "  object " +
         average(&LossValues::object) + "  class " + average(&LossValues::classes) + "  rate " + rate.data();
}

}  // namespace yolod::train
