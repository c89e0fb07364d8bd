#include "app/http/parameters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/text.hpp"

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

Outcome<void> fraction(std::string_view name, std::string_view text, std::optional<float>& value) {
  value = parse_whole<float>(text);
  if (!value || !std::isfinite(*value) || *value < 0 || *value > 1) return invalid(name, "a number from 0 to 1");
  return {};
}

constexpr std::array<std::string_view, 7> kPredictParameters{"model",          "priority", "confidence", "iou",
                                                             "max_detections", "top_k",    "annotate"};
constexpr std::array<std::string_view, 1> kReloadParameters{"model"};

// Names what came, the nearest name that is known, and all of these.
Error unknown_parameter(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t kLongestShown = 40;
  const auto nearest = common::nearest_word(name.substr(0, kLongestShown), {known.begin(), known.end()});
  std::string message = '"' + common::printable(name, kLongestShown) + "\" is no parameter here" +
                        (nearest.empty() ? ". Known " : ", did you mean " + std::string(nearest) + "? Known ") +
                        (known.size() == 1 ? "is " : "are ");
  for (std::size_t i = 0; i < known.size(); ++i) {
    message.append(i == 0 ? "" : i + 1 == known.size() ? " and " : ", ").append(known[i]);
  }
  return {ErrorCode::kInvalidParameter, std::move(message)};
}

// Hands each pair to `read`; a name that comes twice is an error, as is the first that `read` finds.
template <typename Read>
Outcome<void> read_each_once(const RequestTarget& target, Read&& read) {
  const auto& query = target.query();
  for (auto pair = query.begin(); pair != query.end(); ++pair) {
    // Short: what comes before is known names, each once.
    if (std::any_of(query.begin(), pair, [&pair](const auto& earlier) { return earlier.first == pair->first; })) {
      return Error{ErrorCode::kInvalidParameter, "a parameter is given twice"};
    }
    if (auto one = read(pair->first, pair->second); !one) return one;
  }
  return {};
}

}  // namespace

std::span<const std::string_view> predict_parameters() { return kPredictParameters; }

Outcome<PredictParameters> parse_predict_parameters(const RequestTarget& target) {
  PredictParameters parameters;
  auto& options = parameters.options;
  const auto read = [&](std::string_view name, std::string_view value) -> Outcome<void> {
    if (name == "model") {
      parameters.model = value;
    } else if (name == "confidence") {
      return fraction(name, value, options.confidence);
    } else if (name == "iou") {
      return fraction(name, value, options.iou);
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
      parameters.priority = value == "high" ? Priority::kHigh : Priority::kNormal;
    } else {
      return unknown_parameter(name, kPredictParameters);
    }
    return {};
  };
  if (auto all = read_each_once(target, read); !all) return all.error();
  return parameters;
}

Outcome<std::string_view> parse_reload_parameters(const RequestTarget& target) {
  std::string_view model;
  const auto read = [&model](std::string_view name, std::string_view value) -> Outcome<void> {
    if (name != "model") return unknown_parameter(name, kReloadParameters);
    model = value;
    return {};
  };
  if (auto all = read_each_once(target, read); !all) return all.error();
  return model;
}

Outcome<void> limit_to(const common::ModelConfig& model, const common::PredictionOptions& options) {
  const bool for_detectors = options.confidence || options.iou || options.max_detections;
  if (for_detectors && model.task != common::Task::kDetect) {
    return Error{ErrorCode::kInvalidParameter, "confidence, iou and max_detections are for models that detect"};
  }
  if (options.annotate && (model.task != common::Task::kDetect || !model.detect.annotate)) {
    return Error{ErrorCode::kInvalidParameter, model.task == common::Task::kDetect
                                                   ? "annotate needs detect.annotate: true in the model's config"
                                                   : "annotate is for models that detect"};
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
