// Parses the query of POST /predict and PUT /image. Any thread may call these functions.
#pragma once

#include <span>
#include <string_view>

#include "app/http/request_target.hpp"
#include "app/schedule/urgency.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::predict {

// Returns the names of all parameters.
[[nodiscard]] std::span<const std::string_view> predict_parameters();

struct PredictParameters {
  std::string_view model;  // empty for the default model; points into the target
  schedule::Priority priority{schedule::Priority::kNormal};
  common::PredictionOptions options;
};

// An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<PredictParameters> parse_predict_parameters(const http::RequestTarget& target);

}  // namespace yolod::app::api::predict
