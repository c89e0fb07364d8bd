#include "app/http/text_buffer.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>

namespace yolod::app::http {
namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '\x7F'; }

}  // namespace

void TextBuffer::add_padded(std::uint64_t value, int digits) {
  char* const place = add_room(static_cast<std::size_t>(digits));
  for (int i = digits - 1; i >= 0; --i) {
    place[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

void TextBuffer::add_whole(std::uint64_t value) {
  const fmt::format_int text(value);
  *this += std::string_view(text.data(), text.size());
}

void TextBuffer::add_hex(std::uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *this += "0123456789abcdef"[(value >> shift) & 0xFU];
}

void TextBuffer::add_ms(std::uint32_t us) {
  add_whole(us / 1000);
  *this += '.';
  add_padded(us % 1000, 3);
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
  add_whole(scaled / power);
  if (decimals == 0) return;
  *this += '.';
  add_padded(scaled % power, decimals);
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
