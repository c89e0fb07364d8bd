// How fast a cfg learns: for choosing one.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::train {

struct SpeedOptions {
  std::filesystem::path cfg;
  std::size_t batch{16};
  std::size_t threads{1};
  common::Precision precision{common::Precision::kAuto};
  std::chrono::duration<double> time{10};
};

struct Speed {
  double images_per_second{0};      // the median of the steps
  double images_per_cpu_second{0};  // the mean, by the time of all threads: on a busy machine the better guide
};

// Of learning from noise with some objects in each picture, after three steps that warm up.
[[nodiscard]] common::Outcome<Speed> learning_speed(const SpeedOptions& options);

}  // namespace yolod::train
