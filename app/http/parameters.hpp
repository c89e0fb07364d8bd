// The query of POST /predict, PUT /image and POST /reload, read strictly: an unknown or doubled name and a value out of
// range are the client's error.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "app/http/request_target.hpp"
#include "app/schedule/urgency.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// Their names.
[[nodiscard]] std::span<const std::string_view> predict_parameters();

struct PredictParameters {
  std::string_view model;  // empty: the default model; the target's
  Priority priority{Priority::kNormal};
  common::PredictionOptions options;
};

// Errors are kInvalidParameter. `max_detections` may only lower the model's own limit, which sized the lanes, and what
// is for another task than the model's is refused: that is checked by limit_to(), once the model is known.
[[nodiscard]] common::Outcome<PredictParameters> parse_predict_parameters(const RequestTarget& target);
[[nodiscard]] common::Outcome<void> limit_to(const common::ModelConfig& model,
                                             const common::PredictionOptions& options);

// Of POST /reload: the model alone, empty for all. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<std::string_view> parse_reload_parameters(const RequestTarget& target);

// X-Request-Timeout: whole milliseconds, at least 1, that its client gives a request from its first byte on; an empty
// text is none. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<std::optional<std::chrono::milliseconds>> parse_request_timeout(std::string_view text);

}  // namespace yolod::app
