// How single values of system.yaml are written: sizes, times, numbers, addresses, devices.
// Each parse_ takes the whole text of a scalar and gives its value, or an Error of kBadConfig that says what is wrong
// and what is allowed. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::common {

// A whole decimal number, no sign.
[[nodiscard]] Outcome<std::uint64_t> parse_count(std::string_view text);
// A finite decimal number.
[[nodiscard]] Outcome<double> parse_real(std::string_view text);
// A finite decimal number, or a fraction of two such as 1/255.
[[nodiscard]] Outcome<double> parse_fraction(std::string_view text);
// Bytes: 512, 512B, 16KiB, 1.5GiB.
[[nodiscard]] Outcome<std::uint64_t> parse_size(std::string_view text);
// 250ms, 1.5s, 2m, or 0.
[[nodiscard]] Outcome<std::chrono::milliseconds> parse_time(std::string_view text);
// Pixels: 640000, 100MP.
[[nodiscard]] Outcome<std::uint64_t> parse_pixels(std::string_view text);
// Where to listen: 127.0.0.1:8080, [::1]:8080, unix:/run/yolod/http.sock. `localhost` becomes 127.0.0.1; other names
// are refused, since nothing here resolves names. Gives the address as the front-end is to read it.
[[nodiscard]] Outcome<std::string> parse_listen_address(std::string_view text);
// cpu or cuda:N.
[[nodiscard]] Outcome<std::string> parse_device(std::string_view text);

// What the parse_ of the same name reads as the same value: the largest unit that divides it.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] std::string format_time(std::chrono::milliseconds time);
[[nodiscard]] std::string format_pixels(std::uint64_t pixels);
// The shortest decimal number that reads as the same double.
[[nodiscard]] std::string format_real(double value);

// `text` in double quotes, shortened and escaped: how messages show what the file says.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace yolod::common
