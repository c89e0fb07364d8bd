#include "app/api/predict/parameters.hpp"

#include <array>
#include <span>
#include <string>

#include "app/api/request_values.hpp"

namespace yolod::app::api::predict {
namespace {

using common::Outcome;

constexpr std::array<std::string_view, 7> kPredictParameters{"model",          "priority", "confidence", "iou",
                                                             "max_detections", "top_k",    "annotate"};

}  // namespace

std::span<const std::string_view> predict_parameters() { return kPredictParameters; }

Outcome<PredictParameters> parse_predict_parameters(const http::RequestTarget& target) {
  PredictParameters parameters;
  auto& options = parameters.options;
  const auto read = [&](std::string_view name, std::string_view value) -> Outcome<void> {
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
    } else if (name == "annotate") {
      if (value != "0" && value != "1") return invalid(name, "0 or 1");
      options.annotate = value == "1";
    } else if (name == "priority") {
      if (value != "high" && value != "normal") return invalid(name, "high or normal");
      parameters.priority = value == "high" ? schedule::Priority::kHigh : schedule::Priority::kNormal;
    } else {
      return api::unknown_parameter(name, kPredictParameters);
    }
    return {};
  };
  if (auto all = api::read_each_once(target, read); !all) return all.error();
  return parameters;
}

}  // namespace yolod::app::api::predict
