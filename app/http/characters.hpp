// Implements character classes of RFC 3986 and RFC 9110. The C library's functions are not used because they depend
// on the locale.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace yolod::app::http {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Returns the value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Writes the last `digits` hexadecimal digits of `value`, in lower case.
constexpr void write_hex(std::uint64_t value, char* place, int digits) {
  char* const begin = place;
  for (place += digits; place != begin; value >>= 4U) *--place = "0123456789abcdef"[value & 0xFU];
}

[[nodiscard]] constexpr char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Compares ASCII text. boost::beast::iequals is not used: in Boost 1.81 it reads one byte past the end of texts that
// differ in case.
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char left, char right) { return lower_case(left) == lower_case(right); });
}

// A set of characters, asked for each character of each request, so that a lookup is a single load.
class CharacterSet {
 public:
  // Contains the letters and digits and `others`.
  constexpr explicit CharacterSet(std::string_view others) {
    for (int c = 0; c < 128; ++c) contains_[static_cast<unsigned char>(c)] = is_letter_or_digit(static_cast<char>(c));
    for (const char c : others) contains_[static_cast<unsigned char>(c)] = true;
  }
  [[nodiscard]] constexpr bool contains(char c) const { return contains_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> contains_{};
};

// RFC 9110, section 5.6.2, defines the characters of a token.
[[nodiscard]] constexpr bool is_token_character(char c) {
  constexpr CharacterSet kToken("!#$%&'*+-.^_`|~");
  return kToken.contains(c);
}

}  // namespace yolod::app::http
