// Parses the values of queries and header fields strictly: an unknown or repeated name, or a value out of range, is
// the client's error. The functions need no socket; any thread may call them.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "app/http/request_target.hpp"
#include "common/outcome.hpp"

namespace boost::json {
class object;
}

namespace yolod::app::api {

// Returns the decimal number that is the whole `text`, or nothing if there is none or it is out of range.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Returns the object's member if it is a whole number that is not negative.
[[nodiscard]] std::optional<std::uint64_t> whole_member(const boost::json::object& object, std::string_view name);

// Returns kInvalidParameter with the text "`name` must be `allowed`".
[[nodiscard]] common::Error invalid(std::string_view name, std::string_view allowed);

// Parses a number from 0 to 1. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<float> parse_fraction(std::string_view name, std::string_view text);

// Returns kInvalidParameter. The text has the unknown name, the nearest known name, and all of `known`.
[[nodiscard]] common::Error unknown_parameter(std::string_view name, std::span<const std::string_view> known);

// Calls `read` for each pair of the query, in order, until the first error. This is an error of `read`, or
// kInvalidParameter for a name that occurs twice.
template <typename Read>
[[nodiscard]] common::Outcome<void> read_each_once(const http::RequestTarget& target, Read&& read) {
  const auto& query = target.query();
  for (auto pair = query.begin(); pair != query.end(); ++pair) {
    // The inner loop is short, because all earlier names are known and different.
    for (auto earlier = query.begin(); earlier != pair; ++earlier) {
      if (earlier->first == pair->first) {
        return common::Error{common::ErrorCode::kInvalidParameter, "a parameter is given twice"};
      }
    }
    if (auto read_one = read(pair->first, pair->second); !read_one) return read_one;
  }
  return {};
}

// Parses X-Request-Timeout: the whole milliseconds, at least 1, that the client allows from the request's first
// byte. Returns nothing for an empty text. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<std::optional<std::chrono::milliseconds>> parse_request_timeout(std::string_view text);

}  // namespace yolod::app::api
