#include "app/http/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error invalid(std::string_view name, std::string_view allowed) {
  return {ErrorCode::kInvalidParameter, std::string(name).append(" must be ").append(allowed)};
}

Outcome<float> fraction(std::string_view name, std::string_view text) {
  const auto value = parse_whole<float>(text);
  if (!value || !std::isfinite(*value) || *value < 0 || *value > 1) return invalid(name, "a number from 0 to 1");
  return *value;
}

}  // namespace

Outcome<PredictParameters> parse_predict_parameters(const Target& target) {
  PredictParameters parameters;
  const auto& query = target.query();
  for (auto pair = query.begin(); pair != query.end(); ++pair) {
    const auto& [name, value] = *pair;
    // Short: what comes before is known names, each once.
    if (std::any_of(query.begin(), pair, [&pair](const auto& earlier) { return earlier.first == pair->first; })) {
      return Error{ErrorCode::kInvalidParameter, "a parameter is given twice"};
    }
    if (name == "model") {
      parameters.model = value;
    } else if (name == "confidence") {
      auto number = fraction(name, value);
      if (!number) return number.error();
      parameters.options.confidence = *number;
    } else if (name == "iou") {
      auto number = fraction(name, value);
      if (!number) return number.error();
      parameters.options.iou = *number;
    } else if (name == "max_detections") {
      const auto number = parse_whole<std::uint32_t>(value);
      if (!number || *number == 0) return invalid(name, "a whole number of at least 1");
      parameters.options.max_detections = *number;
    } else if (name == "top_k") {
      const auto number = parse_whole<std::uint32_t>(value);
      if (!number || *number == 0 || *number > common::kMaxTopK) {
        return invalid(name, "a whole number from 1 to " + std::to_string(common::kMaxTopK));
      }
      parameters.options.top_k = *number;
    } else if (name == "priority") {
      if (value != "high" && value != "normal") return invalid(name, "high or normal");
      parameters.priority = value == "high" ? Priority::kHigh : Priority::kNormal;
    } else {
      return Error{ErrorCode::kInvalidParameter,
                   "an unknown parameter; known are model, priority, confidence, iou, max_detections and top_k"};
    }
  }
  return parameters;
}

Outcome<void> limit_to(const common::ModelConfig& model, const common::PredictionOptions& options) {
  const bool for_detectors = options.confidence || options.iou || options.max_detections;
  if (for_detectors && model.task != common::Task::kDetect) {
    return Error{ErrorCode::kInvalidParameter, "confidence, iou and max_detections are for models that detect"};
  }
  if (options.top_k && model.task != common::Task::kClassify) {
    return Error{ErrorCode::kInvalidParameter, "top_k is for models that classify"};
  }
  if (options.max_detections && *options.max_detections > model.detect.max_detections) {
    return invalid("max_detections", "at most " + std::to_string(model.detect.max_detections) + " for this model");
  }
  return {};
}

Outcome<std::optional<std::chrono::milliseconds>> parse_request_timeout(std::string_view text) {
  if (text.empty()) return std::optional<std::chrono::milliseconds>();
  const auto number = parse_whole<std::uint32_t>(text);
  if (!number || *number == 0) return invalid("X-Request-Timeout", "a whole number of milliseconds, at least 1");
  return std::optional(std::chrono::milliseconds(*number));
}

}  // namespace yolod::app
