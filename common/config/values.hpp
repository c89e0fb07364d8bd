// Parses and formats the single values of system.yaml: sizes, times, numbers, addresses and devices. Each parse_
// function takes the whole text of a scalar. On failure it returns kBadConfig, and the message says what is wrong
// and what is allowed. Pure functions; any thread may call them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::common {

// Accepts a whole decimal number without a sign.
[[nodiscard]] Outcome<std::uint64_t> parse_count(std::string_view text);
// Accepts a finite decimal number.
[[nodiscard]] Outcome<double> parse_real(std::string_view text);
// Accepts a finite decimal number, or a fraction of two numbers such as 1/255.
[[nodiscard]] Outcome<double> parse_fraction(std::string_view text);
// Returns bytes; accepts 512, 512B, 16KiB and 1.5GiB.
[[nodiscard]] Outcome<std::uint64_t> parse_size(std::string_view text);
// Accepts 250ms, 1.5s, 2m and 0.
[[nodiscard]] Outcome<std::chrono::milliseconds> parse_time(std::string_view text);
// Returns a number of pixels; accepts 640000 and 100MP.
[[nodiscard]] Outcome<std::uint64_t> parse_pixels(std::string_view text);
// Accepts an address to listen on: 127.0.0.1:8080, [::1]:8080 or unix:/run/yolod/http.sock. `localhost` becomes
// 127.0.0.1; other names are refused, because the server does not resolve names. Returns the address in the form
// that the front-end reads.
[[nodiscard]] Outcome<std::string> parse_listen_address(std::string_view text);
// Accepts cpu or cuda:N.
[[nodiscard]] Outcome<std::string> parse_device(std::string_view text);

// Returns a text that the parse_ function reads as the same value, in the largest unit that divides it.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] std::string format_time(std::chrono::milliseconds time);
[[nodiscard]] std::string format_pixels(std::uint64_t pixels);
// Returns the shortest decimal number that reads as the same double.
[[nodiscard]] std::string format_real(double value);

// Returns `text` in double quotes, shortened and escaped, to show the file's text in messages.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace yolod::common
