// ServedModel is the view of a model that a request uses. Only the thread of the front-end may use it.
#pragma once

#include <cstdint>

#include "app/observe/metrics.hpp"
#include "app/schedule/dispatcher.hpp"
#include "common/config/model_config.hpp"

namespace yolod::app::serving {

struct ServedModel {
  // The settings of the serving generation. A reload may replace this pointer while a request waits.
  const common::ModelConfig* config;
  schedule::Dispatcher& dispatcher;
  observe::ModelMetrics& metrics;
  std::uint64_t generation{0};  // the number of the serving generation
};

}  // namespace yolod::app::serving
