// How fast a cfg learns: for choosing one.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "common/config.hpp"
#include "common/outcome.hpp"

namespace yolod::train {

struct SpeedOptions {
  std::filesystem::path cfg;
  std::size_t batch{16};
  std::size_t threads{1};
  common::Precision precision{common::Precision::kAuto};
  std::chrono::duration<double> time{10};
};

// Images a second that learn from noise, some objects in each; the median of the steps after three that warm up.
[[nodiscard]] common::Outcome<double> images_per_second(const SpeedOptions& options);

}  // namespace yolod::train
