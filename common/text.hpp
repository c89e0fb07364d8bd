// Helpers for text that people read: they escape text from outside, and guess which word was meant. Pure functions;
// any thread may call them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {

// Returns the length (1 to 4) of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`, or 0 if there is
// none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text);

// Returns whether all of `text` is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

// Returns `text` with U+FFFD instead of each byte that is not UTF-8.
[[nodiscard]] std::string as_utf8(std::string_view text);

// Returns `text` without the byte order mark (U+FEFF) that some Windows editors write.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

// Returns `text` safe for one line of a log or terminal: control characters (C0, DEL, C1) and bytes that are not
// UTF-8 become \n, \r, \t or \xNN. If `text` is longer than `max_bytes`, the rest becomes "..." (never inside a
// character).
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// Returns `text` escaped for a JSON string (RFC 8259), shortened like printable(). Bytes that are not UTF-8 become
// U+FFFD.
[[nodiscard]] std::string json_escaped(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// Returns `text` without blanks at both ends; a line feed does not count as a blank.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// Returns the Levenshtein distance in bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// Returns the candidate that `word` probably means: a candidate that begins with `word`, or the first candidate that
// differs in fewer than half of its letters. Returns an empty text if there is none.
[[nodiscard]] std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace yolod::common
