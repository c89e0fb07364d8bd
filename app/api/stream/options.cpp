#include "app/api/stream/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "app/api/request_values.hpp"

namespace yolod::app::api::stream {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::array<std::string_view, 10> kQueryOptions{"model",          "priority",  "confidence", "iou",
                                                         "max_detections", "top_k",     "annotate",   "drop",
                                                         "max_in_flight",  "timeout_ms"};
constexpr std::array<std::string_view, 10> kMessageOptions{
    "id",    "priority", "confidence", "iou",           "max_detections",
    "top_k", "annotate", "drop",       "max_in_flight", "timeout_ms"};
constexpr std::size_t kDeepestJson = 4;

Outcome<std::uint32_t> parse_count(std::string_view name, std::string_view value, std::uint32_t most) {
  const auto count = parse_whole<std::uint32_t>(value);
  if (!count || *count == 0 || *count > most) return invalid(name, fmt::format("a whole number from 1 to {}", most));
  return *count;
}

// Returns false if there is no such option of the prediction.
Outcome<bool> set_prediction_option(std::string_view name, std::optional<std::string_view> value,
                                    common::PredictionOptions& options) {
  constexpr std::uint32_t kAny = 0xFFFF'FFFF;
  if (name == "confidence" || name == "iou") {
    auto& option = name == "iou" ? options.iou : options.confidence;
    option.reset();
    if (!value) return true;
    const auto fraction = parse_fraction(name, *value);
    if (!fraction) return fraction.error();
    option = *fraction;
  } else if (name == "max_detections" || name == "top_k") {
    auto& option = name == "top_k" ? options.top_k : options.max_detections;
    option.reset();
    if (!value) return true;
    const auto count = parse_count(name, *value, name == "top_k" ? common::kMaxTopK : kAny);
    if (!count) return count.error();
    option = *count;
  } else if (name == "annotate") {
    options.annotate = false;
    if (!value) return true;
    if (*value != "0" && *value != "1") return invalid(name, "0 or 1");
    options.annotate = *value == "1";
  } else {
    return false;
  }
  return true;
}

// Sets one option, or sets it back to its default if there is no `value`. REQUIRES: the name is in one of the lists
// above.
Outcome<void> set_option(std::string_view name, std::optional<std::string_view> value, StreamOptions& options) {
  const auto found = set_prediction_option(name, value, options.prediction);
  if (!found) return found.error();
  if (*found) return {};
  if (name == "model") {
    options.model = value.value_or("");
  } else if (name == "id") {
    if (value && value->size() > StreamOptions::kMostIdBytes) return invalid(name, "at most 128 bytes long");
    options.id = value.value_or("");
  } else if (name == "priority") {
    if (value && *value != "high" && *value != "normal") return invalid(name, "high or normal");
    options.priority = value == "high" ? schedule::Priority::kHigh : schedule::Priority::kNormal;
  } else if (name == "drop") {
    if (value && *value != "oldest" && *value != "none") return invalid(name, "oldest or none");
    options.drop = value == "oldest" ? StreamOptions::Drop::kOldest : StreamOptions::Drop::kNone;
  } else if (name == "max_in_flight") {
    options.max_in_flight.reset();
    if (!value) return {};
    const auto count = parse_count(name, *value, StreamOptions::kMostInFlight);
    if (!count) return count.error();
    options.max_in_flight = *count;
  } else if (name == "timeout_ms") {
    constexpr std::uint32_t kDay = 86'400'000;
    options.timeout.reset();
    if (!value) return {};
    const auto count = parse_count(name, *value, kDay);
    if (!count) return count.error();
    options.timeout = std::chrono::milliseconds(*count);
  }
  return {};
}

// Returns the value as the text that a query would have, or nothing if it is null.
Outcome<std::optional<std::string>> text_of(std::string_view name, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return std::optional<std::string>();
    case json::kind::bool_: return std::optional<std::string>(value.get_bool() ? "1" : "0");
    case json::kind::int64: return std::optional<std::string>(std::to_string(value.get_int64()));
    case json::kind::uint64: return std::optional<std::string>(std::to_string(value.get_uint64()));
    case json::kind::double_: return std::optional<std::string>(fmt::format("{}", value.get_double()));
    case json::kind::string: return std::optional<std::string>(std::string(value.get_string()));
    case json::kind::array:
    case json::kind::object: break;
  }
  return invalid(name, "a text, a number or a bool");
}

template <typename Names>
bool is_among(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Outcome<StreamOptions> parse_stream_query(const http::RequestTarget& target) {
  StreamOptions options;
  const auto read = [&options](std::string_view name, std::string_view value) -> Outcome<void> {
    if (!is_among(name, kQueryOptions)) return unknown_parameter(name, kQueryOptions);
    return set_option(name, value, options);
  };
  if (auto all = read_each_once(target, read); !all) return all.error();
  return options;
}

Outcome<void> change_options(std::string_view text, StreamOptions& options) {
  json::parse_options rules;
  rules.max_depth = kDeepestJson;
  std::array<unsigned char, 2048> first_memory;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  json::monotonic_resource memory(first_memory.data(), first_memory.size());
  json::parser parser(&memory, rules);
  json::error_code failure;
  parser.write(text.data(), text.size(), failure);
  if (failure) return Error{ErrorCode::kBadRequest, "the text message is not JSON"};
  const json::value content = parser.release();
  if (!content.is_object()) return Error{ErrorCode::kBadRequest, "the text message is not a JSON object"};
  StreamOptions changed = options;
  for (const auto& member : content.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name == "model") return Error{ErrorCode::kInvalidParameter, "the query of /stream sets the model"};
    if (!is_among(name, kMessageOptions)) return unknown_parameter(name, kMessageOptions);
    const auto value = text_of(name, member.value());
    if (!value) return value.error();
    const std::optional<std::string_view> view = *value ? std::optional<std::string_view>(**value) : std::nullopt;
    if (auto set = set_option(name, view, changed); !set) return set;
  }
  options = std::move(changed);
  return {};
}

}  // namespace yolod::app::api::stream
