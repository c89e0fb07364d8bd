#include "common/text.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::common {
namespace {

using namespace std::string_literals;

TEST_CASE("Text: well-formed UTF-8 has a length, and other bytes have none", "[common][unit]") {
  CHECK(utf8_sequence_length("") == 0);
  CHECK(utf8_sequence_length("a") == 1);
  CHECK(utf8_sequence_length("\0"s) == 1);
  CHECK(utf8_sequence_length("\xC3\xA9") == 2);
  CHECK(utf8_sequence_length("\xE2\x82\xAC") == 3);
  CHECK(utf8_sequence_length("\xF0\x9F\x9A\xA6") == 4);
  CHECK(utf8_sequence_length("\xC3") == 0);              // ends too early
  CHECK(utf8_sequence_length("\xC3(") == 0);             // no continuation
  CHECK(utf8_sequence_length("\x80") == 0);              // a continuation alone
  CHECK(utf8_sequence_length("\xC0\xAF") == 0);          // overlong
  CHECK(utf8_sequence_length("\xE0\x80\xAF") == 0);      // overlong
  CHECK(utf8_sequence_length("\xED\xA0\x80") == 0);      // a surrogate
  CHECK(utf8_sequence_length("\xF4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(utf8_sequence_length("\xFF") == 0);
}

TEST_CASE("Text: printable escapes characters that could forge or hide a line, and no others", "[common][unit]") {
  CHECK(printable("") == "");
  CHECK(printable("plain C:\\path \"x\"") == "plain C:\\path \"x\"");
  CHECK(printable("Stra\xC3\x9F"
                  "e") ==
        "Stra\xC3\x9F"
        "e");
  CHECK(printable("a\nb\rc\td") == "a\\nb\\rc\\td");
  CHECK(printable("\x1B[2J\x7F\0"s) == "\\x1b[2J\\x7f\\x00");
  CHECK(printable("\xC2\x9B"
                  "2J") == "\\xc2\\x9b2J");  // CSI as one C1 character
  CHECK(printable("\xFF\xC3") == "\\xff\\xc3");
}

TEST_CASE("Text: printable cuts before the character that does not fit", "[common][unit]") {
  CHECK(printable("abc", 3) == "abc");
  CHECK(printable("abcd", 3) == "abc...");
  CHECK(printable("ab\xC3\xA9", 3) == "ab...");
  CHECK(printable("a", 0) == "...");
}

TEST_CASE("Text: json_escaped makes a valid string of RFC 8259", "[common][unit]") {
  CHECK(json_escaped("") == "");
  CHECK(json_escaped("a\"b\\c/") == "a\\\"b\\\\c/");
  CHECK(json_escaped("\n\r\t\x01\x1F\x7F") == "\\n\\r\\t\\u0001\\u001f\\u007f");
  CHECK(json_escaped("\xC2\x85") == "\\u0085");
  CHECK(json_escaped("\xC3\xA9\xFF") == "\xC3\xA9\\ufffd");
  CHECK(json_escaped("abcd", 2) == "ab...");
}

TEST_CASE("Text: as_utf8 replaces each byte that is not UTF-8", "[common][unit]") {
  CHECK(as_utf8("") == "");
  CHECK(as_utf8("caf\xC3\xA9") == "caf\xC3\xA9");
  CHECK(as_utf8("caf\xE9 \xE2\x82") == "caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(is_utf8(as_utf8("\xFF\xC3(\xED\xA0\x80")));
  CHECK(is_utf8("caf\xC3\xA9"));
  CHECK_FALSE(is_utf8("caf\xE9"));
}

TEST_CASE("Text: a byte order mark is removed once, and only at the beginning", "[common][unit]") {
  CHECK(without_byte_order_mark("\xEF\xBB\xBF"
                                "dog") == "dog");
  CHECK(without_byte_order_mark("\xEF\xBB\xBF\xEF\xBB\xBF") == "\xEF\xBB\xBF");
  CHECK(without_byte_order_mark("a\xEF\xBB\xBF") == "a\xEF\xBB\xBF");
  CHECK(without_byte_order_mark("\xEF\xBB") == "\xEF\xBB");
}

TEST_CASE("Text: trimmed removes the blanks at both ends", "[common][unit]") {
  CHECK(trimmed(" \t a b\r\v\f") == "a b");
  CHECK(trimmed(" \t ").empty());
  CHECK(trimmed("").empty());
}

TEST_CASE("Text: edit_distance counts insertions, deletions and replacements", "[common][unit]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("Text: nearest_word gives the first of the closest words", "[common][unit]") {
  CHECK(nearest_word("anything", {}).empty());
  CHECK(nearest_word("wrokers", {"queue", "workers", "threads"}) == "workers");
  CHECK(nearest_word("abc", {"axc", "ayc"}) == "axc");
  CHECK(nearest_word("nmaes", {"cfg", "names"}) == "names");
  CHECK(nearest_word("conf", {"model", "confidence"}) == "confidence");
}

TEST_CASE("Text: nearest_word gives nothing if no word is near", "[common][unit]") {
  CHECK(nearest_word("port", {"tls", "listen"}).empty());
  CHECK(nearest_word("path", {"batch", "name"}).empty());
  CHECK(nearest_word("_", {"iou", "model"}).empty());
  CHECK(nearest_word("", {"a"}).empty());
  CHECK(nearest_word("ab", {"ax", "abc"}).empty());
  CHECK(nearest_word(std::string(1'000'000, 'x'), {"a", "b"}).empty());
}

}  // namespace
}  // namespace yolod::common
