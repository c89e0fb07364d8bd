#include "app/http/text_buffer.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>

#include "app/http/characters.hpp"

namespace yolod::app::http {
namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '\x7F'; }

// Writes `value` before `end`. Returns the first digit's place.
char* write_whole(char* end, std::uint64_t value) {
  do {
    *--end = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return end;
}

// Writes the last `count` digits of `value`, with leading zeros, before `end`. Returns the first digit's place.
char* write_decimals(char* end, std::uint64_t value, int count) {
  for (; count > 0; --count) {
    *--end = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return end;
}

}  // namespace

void TextBuffer::add_whole(std::uint64_t value) {
  const fmt::format_int text(value);
  *this += std::string_view(text.data(), text.size());
}

// Every answer has about ten durations. So the digits are written to their place, and the decimals without a loop.
void TextBuffer::add_ms(std::uint32_t us) {
  const std::uint32_t ms = us / 1000;
  const std::uint32_t rest = us % 1000;
  std::size_t digits = 1;
  for (std::uint32_t larger = ms; larger >= 10; larger /= 10) ++digits;
  char* const point = add_room(digits + 4) + digits;
  write_whole(point, ms);
  point[0] = '.';
  point[1] = static_cast<char>('0' + rest / 100);
  point[2] = static_cast<char>('0' + rest / 10 % 10);
  point[3] = static_cast<char>('0' + rest % 10);
}

void TextBuffer::add_hex(std::uint64_t value, int digits) {
  write_hex(value, add_room(static_cast<std::size_t>(digits)), digits);
}

void TextBuffer::add_fixed(float value, int decimals) {
  static constexpr std::array<std::uint32_t, 7> kPowers{1, 10, 100, 1000, 10'000, 100'000, 1'000'000};
  const std::uint32_t power = kPowers[static_cast<std::size_t>(decimals)];
  if (!(value >= 0 && value < 1e9F) || std::signbit(value)) {
    *this += std::string_view(fmt::format("{:.{}f}", value, decimals));
    return;
  }
  // The product of a float and a power of ten is exact as a double. So only llrint() rounds, to even as printf does.
  const auto scaled = static_cast<std::uint64_t>(std::llrint(static_cast<double>(value) * power));
  std::array<char, 17> digits;  // 10 digits, a point and 6 decimals
  char* const end = digits.data() + digits.size();
  char* begin = end;
  if (decimals != 0) {
    begin = write_decimals(begin, scaled, decimals);
    *--begin = '.';
  }
  begin = write_whole(begin, scaled / power);
  *this += std::string_view(begin, static_cast<std::size_t>(end - begin));
}

void TextBuffer::add_json(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    *this += std::string_view(
        boost::json::serialize(boost::json::string(boost::json::string_view(text.data(), text.size()))));
    return;
  }
  *this += '"';
  *this += text;
  *this += '"';
}

}  // namespace yolod::app::http
