// The query of POST /predict and PUT /image.
#pragma once

#include <span>
#include <string_view>

#include "app/http/request_target.hpp"
#include "app/schedule/urgency.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::predict {

// Their names.
[[nodiscard]] std::span<const std::string_view> predict_parameters();

struct PredictParameters {
  std::string_view model;  // empty: the default model; the target's
  schedule::Priority priority{schedule::Priority::kNormal};
  common::PredictionOptions options;
};

// Errors are kInvalidParameter. `max_detections` may only lower the model's own limit, which sized the lanes, and what
// is for another task than the model's is refused: that is checked by limit_to(), once the model is known.
[[nodiscard]] common::Outcome<PredictParameters> parse_predict_parameters(const http::RequestTarget& target);
[[nodiscard]] common::Outcome<void> limit_to(const common::ModelConfig& model,
                                             const common::PredictionOptions& options);

}  // namespace yolod::app::api::predict
