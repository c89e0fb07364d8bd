#include "common/text.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace yolod::common {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

std::uint8_t byte_at(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

// U+0080 to U+009F: terminals interpret them like escape sequences.
bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && byte_at(sequence, 0) == 0xC2 && byte_at(sequence, 1) < 0xA0;
}

bool is_ascii_control(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte < 0x20 || byte == 0x7F;
}

void append_hex(std::string& out, std::string_view prefix, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += prefix;
    out += kHexDigits[byte >> 4U];
    out += kHexDigits[byte & 0xFU];
  }
}

// Calls `append(sequence, well_formed)` for each character in the first `max_bytes` of `text`. Returns true if
// characters remain.
template <typename Append>
bool for_each_character(std::string_view text, std::size_t max_bytes, Append append) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_sequence_length(text.substr(at));
    const std::size_t step = std::max<std::size_t>(length, 1);
    if (at + step > max_bytes) return true;
    append(text.substr(at, step), length != 0);
    at += step;
  }
  return false;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) {
  if (text.empty()) return 0;
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return 0;
  }
  const std::uint8_t second = byte_at(text, 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool beyond_unicode = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    made += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);  // U+FFFD
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return made;
}

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  const bool cut = for_each_character(text, max_bytes, [&out](std::string_view sequence, bool well_formed) {
    const char c = sequence.front();
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (!well_formed || is_ascii_control(c) || is_c1_control(sequence)) {
      append_hex(out, "\\x", sequence);
    } else {
      out += sequence;
    }
  });
  if (cut) out += "...";
  return out;
}

std::string json_escaped(std::string_view text, std::size_t max_bytes) {
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  const bool cut = for_each_character(text, max_bytes, [&out](std::string_view sequence, bool well_formed) {
    const char c = sequence.front();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (!well_formed) {
      out += "\\ufffd";
    } else if (is_ascii_control(c)) {
      append_hex(out, "\\u00", sequence);
    } else if (is_c1_control(sequence)) {
      append_hex(out, "\\u00", sequence.substr(1));
    } else {
      out += sequence;
    }
  });
  if (cut) out += "...";
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances from the first i bytes of a to each prefix of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kLongestWord = 64;  // a longer word cannot be a misspelt key, and hostile text would cost time
  word = word.substr(0, kLongestWord);
  // Abbreviations are common, but one or two letters match too many words.
  constexpr std::size_t kShortestBeginning = 3;
  std::string_view nearest;
  std::size_t nearest_distance = (word.size() + 1) / 2;
  for (const std::string_view candidate : candidates) {
    if (word.size() >= kShortestBeginning && candidate.starts_with(word)) return candidate;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return nearest;
}

}  // namespace yolod::common
