// Measures how fast a cfg learns. It helps to choose a cfg.
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
  double images_per_second{0};  // median over the steps
  // Mean, by the CPU time of all threads. On a busy machine this value is more reliable.
  double images_per_cpu_second{0};
};

// Learns from noise with some objects in each picture, after three steps to warm up. Returns the errors of
// read_trainable_cfg(), learning_precision() and Learner.
[[nodiscard]] common::Outcome<Speed> learning_speed(const SpeedOptions& options);

}  // namespace yolod::train
