// Checks a request's options against the settings of its model. Any thread may call it.
#pragma once

#include "common/config/model_config.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api {

// Returns kInvalidParameter if an option does not fit the model's task, or exceeds the model's own limit. The lanes
// have room only for max_detections of the config, so a request may only lower it.
[[nodiscard]] common::Outcome<void> limit_to(const common::ModelConfig& model,
                                             const common::PredictionOptions& options);

}  // namespace yolod::app::api
