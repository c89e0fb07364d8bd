// Parses the options of POST /predict and PUT /image. They come in the query, as fields of a form, or as members of a
// JSON object. Any thread may call these functions.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/http/request_target.hpp"
#include "app/schedule/urgency.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::predict {

// Returns the names of all parameters.
[[nodiscard]] std::span<const std::string_view> predict_parameters();

struct PredictParameters {
  std::string model;  // empty for the default model
  schedule::Priority priority{schedule::Priority::kNormal};
  std::optional<bool> annotate;  // absent: the Accept header decides
  common::PredictionOptions options;
};

// Reads one parameter, whose value replaces an earlier value. An Error of these functions is kInvalidParameter.
[[nodiscard]] common::Outcome<void> read_parameter(std::string_view name, std::string_view value,
                                                   PredictParameters& parameters);
// Does the same with a member of a JSON object. A null changes nothing.
[[nodiscard]] common::Outcome<void> read_json_parameter(std::string_view name, const boost::json::value& value,
                                                        PredictParameters& parameters);

[[nodiscard]] common::Outcome<PredictParameters> parse_predict_parameters(const http::RequestTarget& target);

}  // namespace yolod::app::api::predict
