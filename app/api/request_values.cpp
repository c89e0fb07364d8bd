#include "app/api/request_values.hpp"

#include <boost/json/object.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "common/text.hpp"

namespace yolod::app::api {

using common::Error;
using common::ErrorCode;
using common::Outcome;

std::optional<std::uint64_t> whole_member(const boost::json::object& object, std::string_view name) {
  const auto* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  return std::nullopt;
}

Error invalid(std::string_view name, std::string_view allowed) {
  return {ErrorCode::kInvalidParameter, std::string(name).append(" must be ").append(allowed)};
}

Outcome<float> parse_fraction(std::string_view name, std::string_view text) {
  const auto value = parse_whole<float>(text);
  if (!value || !std::isfinite(*value) || *value < 0 || *value > 1) return invalid(name, "a number from 0 to 1");
  return *value;
}

Error unknown_parameter(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t kLongestShown = 40;
  const auto nearest = common::nearest_word(name.substr(0, kLongestShown), {known.begin(), known.end()});
  std::string message = '"' + common::printable(name, kLongestShown) + "\" is not a parameter of this path" +
                        (nearest.empty() ? "" : ", did you mean " + std::string(nearest) + "?") +
                        (nearest.empty() ? ". " : " ") +
                        (known.size() == 1 ? "The only parameter is " : "The parameters are ");
  for (std::size_t i = 0; i < known.size(); ++i) {
    message.append(i == 0 ? "" : i + 1 == known.size() ? " and " : ", ").append(known[i]);
  }
  return {ErrorCode::kInvalidParameter, std::move(message)};
}

Outcome<std::optional<std::chrono::milliseconds>> parse_request_timeout(std::string_view text) {
  if (text.empty()) return std::optional<std::chrono::milliseconds>();
  const auto number = parse_whole<std::uint32_t>(text);
  if (!number || *number == 0) return invalid("X-Request-Timeout", "a whole number of milliseconds, at least 1");
  return std::optional(std::chrono::milliseconds(*number));
}

}  // namespace yolod::app::api
