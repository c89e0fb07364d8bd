#include "app/api/predict/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "app/api/request_values.hpp"

namespace yolod::app::api::predict {
namespace {

namespace json = boost::json;
using common::Outcome;

constexpr std::array<std::string_view, 7> kPredictParameters{"model",          "priority", "confidence", "iou",
                                                             "max_detections", "top_k",    "annotate"};
constexpr std::string_view kAnnotate = kPredictParameters.back();

}  // namespace

std::span<const std::string_view> predict_parameters() { return kPredictParameters; }

Outcome<void> read_parameter(std::string_view name, std::string_view value, PredictParameters& parameters) {
  auto& options = parameters.options;
  if (name == "model") {
    parameters.model = value;
  } else if (name == "confidence" || name == "iou") {
    const auto fraction = api::parse_fraction(name, value);
    if (!fraction) return fraction.error();
    (name == "iou" ? options.iou : options.confidence) = *fraction;
  } else if (name == "max_detections") {
    options.max_detections = parse_whole<std::uint32_t>(value);
    if (options.max_detections.value_or(0) == 0) return invalid(name, "a whole number of at least 1");
  } else if (name == "top_k") {
    options.top_k = parse_whole<std::uint32_t>(value);
    if (options.top_k.value_or(0) == 0 || *options.top_k > common::kMaxTopK) {
      return invalid(name, "a whole number from 1 to " + std::to_string(common::kMaxTopK));
    }
  } else if (name == kAnnotate) {
    if (value != "0" && value != "1") return invalid(name, "0 or 1");
    parameters.annotate = value == "1";
  } else if (name == "priority") {
    if (value != "high" && value != "normal") return invalid(name, "high or normal");
    parameters.priority = value == "high" ? schedule::Priority::kHigh : schedule::Priority::kNormal;
  } else {
    return api::unknown_parameter(name, kPredictParameters);
  }
  return {};
}

Outcome<void> read_json_parameter(std::string_view name, const json::value& value, PredictParameters& parameters) {
  switch (value.kind()) {
    case json::kind::null: return {};
    case json::kind::string: {
      const auto& text = value.get_string();
      return read_parameter(name, std::string_view(text.data(), text.size()), parameters);
    }
    case json::kind::bool_:
      if (name == kAnnotate) return read_parameter(name, value.get_bool() ? "1" : "0", parameters);
      break;
    case json::kind::int64: return read_parameter(name, std::to_string(value.get_int64()), parameters);
    case json::kind::uint64: return read_parameter(name, std::to_string(value.get_uint64()), parameters);
    case json::kind::double_: return read_parameter(name, fmt::format("{}", value.get_double()), parameters);
    case json::kind::array:
    case json::kind::object: break;
  }
  if (std::find(kPredictParameters.begin(), kPredictParameters.end(), name) == kPredictParameters.end()) {
    return api::unknown_parameter(name, kPredictParameters);
  }
  return invalid(name, name == kAnnotate ? "0, 1, true or false" : "a number or a text");
}

Outcome<PredictParameters> parse_predict_parameters(const http::RequestTarget& target) {
  PredictParameters parameters;
  const auto read = [&parameters](std::string_view name, std::string_view value) {
    return read_parameter(name, value, parameters);
  };
  if (auto all = api::read_each_once(target, read); !all) return all.error();
  return parameters;
}

}  // namespace yolod::app::api::predict
