#include "app/http/text_buffer.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>

namespace yolod::app::http {
namespace {

std::string fixed(float value, int decimals) {
  TextBuffer text;
  text.add_fixed(value, decimals);
  return std::string(text.view());
}

TEST_CASE("Text: a float has the form that printf gives", "[app][unit]") {
  CHECK(fixed(0, 2) == "0.00");
  CHECK(fixed(1, 4) == "1.0000");
  CHECK(fixed(0.005F, 2) == "0.00");
  CHECK(fixed(0.015F, 2) == "0.01");
  CHECK(fixed(0.125F, 2) == "0.12");
  CHECK(fixed(0.375F, 2) == "0.38");
  CHECK(fixed(0.99999F, 4) == "1.0000");
  CHECK(fixed(-1.5F, 2) == "-1.50");
  CHECK(fixed(7, 0) == "7");
  constexpr auto kLargest = std::numeric_limits<float>::max();
  for (const float odd : {-0.0F, 1e9F, kLargest, -kLargest, std::numeric_limits<float>::denorm_min()}) {
    CHECK(fixed(odd, 2) == fmt::format("{:.2f}", odd));
  }
}

TEST_CASE("Text: floats of every size have the form that printf gives", "[app][unit]") {
  std::mt19937 random(5);
  for (int round = 0; round < 50'000; ++round) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const int decimals = round % 7;
    REQUIRE(fixed(value, decimals) == fmt::format("{:.{}f}", value, decimals));
    const float probability = static_cast<float>(random() % 100'000) / 100'000;
    REQUIRE(fixed(probability, 4) == fmt::format("{:.4f}", probability));
  }
}

TEST_CASE("Text: whole numbers, hexadecimal ones and milliseconds", "[app][unit]") {
  TextBuffer text;
  text.add_whole(0);
  text += ' ';
  text.add_whole(UINT64_MAX);
  text += ' ';
  text.add_hex(0xBEEF, 8);
  text += ' ';
  text.add_ms(7);
  text += ' ';
  text.add_ms(UINT32_MAX);
  CHECK(text.view() == "0 18446744073709551615 0000beef 0.007 4294967.295");
}

TEST_CASE("Text: a JSON string is quoted, and escaped where JSON requires it", "[app][unit]") {
  TextBuffer text;
  text.add_json("");
  text.add_json("Stra\xC3\x9F\x65");
  text.add_json("a\"b\\c\n\x01");
  CHECK(text.view() == "\"\"\"Stra\xC3\x9F\x65\"\"a\\\"b\\\\c\\n\\u0001\"");
}

TEST_CASE("Text: pieces of any size follow one another, and clear() keeps the memory", "[app][unit]") {
  TextBuffer text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 37), static_cast<char>('a' + i % 26));
    text += piece;
    text += '-';
    text += "two";
    expected += piece + "-two";
  }
  CHECK(text.view() == expected);
  const auto capacity = text.capacity();
  text.clear();
  CHECK(text.view().empty());
  text += "short";
  CHECK(text.view() == "short");
  CHECK(text.capacity() == capacity);
}

TEST_CASE("TextBuffer: a text that was moved away leaves an empty text", "[app][unit]") {
  const std::string text(GENERATE(as<std::size_t>{}, 3, 5'000), 'x');
  TextBuffer from;
  from += text;
  TextBuffer to(std::move(from));
  CHECK(to.view() == text);
  CHECK(from.size() == 0);  // NOLINT(bugprone-use-after-move)
  from += "next";
  to = std::move(from);
  CHECK(to.view() == "next");
  CHECK(from.size() == 0);  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace yolod::app::http
