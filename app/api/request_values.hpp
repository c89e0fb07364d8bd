// Values of a query and of header fields, read strictly: an unknown or doubled name and a value out of range are the
// client's error. No sockets.
#pragma once

#include <charconv>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "app/http/request_target.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api {

// The number that all of `text` is, in decimal; nothing if it is none or out of range.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// kInvalidParameter: "`name` must be `allowed`".
[[nodiscard]] common::Error invalid(std::string_view name, std::string_view allowed);

// A number from 0 to 1. Errors are kInvalidParameter.
[[nodiscard]] common::Outcome<float> parse_fraction(std::string_view name, std::string_view text);

// kInvalidParameter: shows the name that came, the nearest name that is known, and all of `known`.
[[nodiscard]] common::Error unknown_parameter(std::string_view name, std::span<const std::string_view> known);

// Hands each pair of the query to `read` in order. The first error ends it: one that `read` returns, or
// kInvalidParameter for a name that comes twice.
template <typename Read>
[[nodiscard]] common::Outcome<void> read_each_once(const http::RequestTarget& target, Read&& read) {
  const auto& query = target.query();
  for (auto pair = query.begin(); pair != query.end(); ++pair) {
    // Short: what comes before is known names, each once.
    for (auto earlier = query.begin(); earlier != pair; ++earlier) {
      if (earlier->first == pair->first) {
        return common::Error{common::ErrorCode::kInvalidParameter, "a parameter is given twice"};
      }
    }
    if (auto read_one = read(pair->first, pair->second); !read_one) return read_one;
  }
  return {};
}

// X-Request-Timeout: whole milliseconds, at least 1, that its client gives a request from its first byte on; nothing
// for an empty text. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<std::optional<std::chrono::milliseconds>> parse_request_timeout(std::string_view text);

}  // namespace yolod::app::api
