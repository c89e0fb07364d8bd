// Small helpers for text that people read: escaping what others wrote, and guessing which word was meant.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {

// Bytes of the well-formed UTF-8 sequence (RFC 3629) that `text` begins with: 1 to 4; 0 where there is none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text);

// Whether all of `text` is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

// `text` with U+FFFD for each byte that is not UTF-8.
[[nodiscard]] std::string as_utf8(std::string_view text);

// `text` without the byte order mark (U+FEFF) that Windows editors put before UTF-8.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

// `text` as it may stand in one line of a log or terminal: control characters (C0, DEL, C1) and bytes that are not
// UTF-8 become \n, \r, \t or \xNN. Past `max_bytes` of `text` the rest is replaced by "..." (never inside a character).
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// `text` between the quotes of a JSON string (RFC 8259), cut like printable(); bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_escaped(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// `text` without the blanks around it; a line feed is none.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// Levenshtein distance in bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `word` was most likely meant to be: one that it begins, or the first of those that fewer than half of
// its letters tell from it. Empty if there is none.
[[nodiscard]] std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace yolod::common
