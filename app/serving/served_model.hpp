// One model, as a request meets it. One thread.
#pragma once

#include "app/observe/metrics.hpp"
#include "app/schedule/dispatcher.hpp"
#include "common/config/model_config.hpp"

namespace yolod::app::serving {

struct ServedModel {
  const common::ModelConfig* config;  // of the generation that serves: it may be another after a wait
  schedule::Dispatcher& dispatcher;
  observe::ModelMetrics& metrics;
};

}  // namespace yolod::app::serving
