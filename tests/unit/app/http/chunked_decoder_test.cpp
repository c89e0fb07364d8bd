#include "app/http/chunked_decoder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace yolod::app::http {
namespace {

using namespace std::string_literals;
using State = ChunkedDecoder::State;

struct Decoded {
  State state{State::kMore};
  std::string content;
  std::size_t consumed{0};
};

// Gives the body to the decoder in pieces of `piece` bytes.
Decoded decode(const std::string& text, std::size_t piece = std::string::npos, std::uint64_t limit = 1'000'000) {
  ChunkedDecoder decoder(limit);
  Decoded decoded;
  std::vector<std::byte> place(text.size() + 1);
  std::size_t received = 0;
  while (decoded.consumed != text.size() && decoder.state() == State::kMore) {
    const auto next = std::string_view(text).substr(decoded.consumed, piece);
    const auto [consumed, content] = decoder.decode(next, std::span(place).subspan(received));
    decoded.consumed += consumed;
    received += content;
    if (consumed == 0) FAIL("it takes nothing of: " << next);
  }
  decoded.state = decoder.state();
  decoded.content.assign(reinterpret_cast<const char*>(place.data()), received);
  return decoded;
}

TEST_CASE("ChunkedDecoder: the chunks are joined, and the bytes after the body are not read", "[app][unit]") {
  const std::string body = "5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n";
  const auto piece = GENERATE(std::string::npos, 1, 2, 3, 7);
  const auto decoded = decode(body + "GET / HTTP/1.1\r\n", piece);
  CHECK(decoded.state == State::kDone);
  CHECK(decoded.content == "hello 0123456789");
  CHECK(decoded.consumed == body.size());
}

TEST_CASE("ChunkedDecoder: a body without chunks is empty", "[app][unit]") {
  CHECK(decode("0\r\n\r\n").state == State::kDone);
  CHECK(decode("000\r\n\r\n").state == State::kDone);
  CHECK(decode("0\r\n\r\n").content.empty());
}

TEST_CASE("ChunkedDecoder: sizes are hexadecimal, in either case, with leading zeros", "[app][unit]") {
  CHECK(decode("a\r\n0123456789\r\n0\r\n\r\n").content.size() == 10);
  CHECK(decode("0000000000000A\r\n0123456789\r\n0\r\n\r\n").content.size() == 10);
  CHECK(decode("1f\r\n" + std::string(31, 'x') + "\r\n0\r\n\r\n").content.size() == 31);
}

TEST_CASE("ChunkedDecoder: the content may hold the characters that frame chunks", "[app][unit]") {
  CHECK(decode("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n").content == "\r\n0\r\n\r\n");
}

TEST_CASE("ChunkedDecoder: extensions and trailer fields are read and dropped", "[app][unit]") {
  const auto text = GENERATE("1;a\r\nx\r\n0\r\n\r\n"s, "1;a=b\r\nx\r\n0\r\n\r\n"s, "1 ; a = b\r\nx\r\n0\r\n\r\n"s,
                             "1;a=\"b\"\r\nx\r\n0\r\n\r\n"s, "1;a=\"b;c \\\" \\\\ d\";e\r\nx\r\n0;f=g\r\n\r\n"s,
                             "1;a;b;c=\"\"\r\nx\r\n0\r\n\r\n"s, "1\r\nx\r\n0\r\nA: b\r\n\r\n"s,
                             "1\r\nx\r\n0\r\nA:\r\nB-c: \t d\xC3\r\nContent-Length: 5\r\n\r\n"s,
                             "1\t;a\r\nx\r\n0;b=\"c\"\r\nD: e\r\n\r\n"s);
  const auto piece = GENERATE(std::string::npos, 1);
  CAPTURE(text);
  const auto decoded = decode(text, piece);
  CHECK(decoded.state == State::kDone);
  CHECK(decoded.content == "x");
  CHECK(decoded.consumed == text.size());
}

TEST_CASE("ChunkedDecoder: bytes that violate RFC 9112 are refused at once", "[app][unit]") {
  const auto text = GENERATE(
      // sizes
      "g"s, "-"s, "+"s, " "s, "\t"s, "0x"s, "\r"s, "\n"s, ";"s, "1 2"s, "1 \r"s, "1,"s, "1\n"s, "1\rx"s, "1\r\r"s,
      "00000000000000001"s, "\0"s, "1\0"s,
      // extensions
      "1;\r"s, "1;;"s, "1;="s, "1;a=\r"s, "1;a=;"s, "1;a=\"b\r"s, "1;a=\"b\n"s, "1;a=\"b\\\r"s, "1;a=\"b\"c"s, "1;a b"s,
      "1;a=b c"s, "1;a=\"\0"s, "1;\""s, "1;a\n"s, "1;a\rx"s, "1;a=\"\x7F"s,
      // content and its end
      "1\r\nxy"s, "1\r\nx\n"s, "1\r\nx\rx"s, "1\r\nx0"s,
      // trailer
      "0\r\n:"s, "0\r\n "s, "0\r\nA "s, "0\r\nA\r"s, "0\r\nA: b\n"s, "0\r\nA: b\rx"s, "0\r\nA: b\r\n "s, "0\r\nA: \0"s,
      "0\r\n\n"s, "0\r\n\rx"s, "0\n"s);
  const auto piece = GENERATE(std::string::npos, 1);
  CAPTURE(text);
  const auto decoded = decode(text, piece);
  CHECK(decoded.state == State::kMalformed);
  CHECK(decode(text.substr(0, text.size() - 1), piece).state == State::kMore);  // only the last byte is wrong
}

TEST_CASE("ChunkedDecoder: a chunk that exceeds the limit is refused before its content", "[app][unit]") {
  CHECK(decode("a\r\n", std::string::npos, 9).state == State::kBodyTooLarge);
  CHECK(decode("5\r\nhello\r\n5\r\n", std::string::npos, 9).state == State::kBodyTooLarge);
  CHECK(decode("FFFFFFFFFFFFFFFF\r\n", std::string::npos, 9).state == State::kBodyTooLarge);
  CHECK(decode("5\r\nhello\r\n4\r\nyou!\r\n0\r\n\r\n", std::string::npos, 9).state == State::kDone);
}

TEST_CASE("ChunkedDecoder: the limit of extensions covers all chunks together", "[app][unit]") {
  constexpr auto kLimit = ChunkedDecoder::kExtensionLimitBytes;
  const auto chunk = [](std::size_t extension_bytes) {
    return "1;" + std::string(extension_bytes - 2, 'a') + "\r\nx\r\n";  // the semicolon and the CR count
  };
  CHECK(decode(chunk(kLimit) + "0\r\n\r\n").state == State::kDone);
  CHECK(decode(chunk(kLimit + 1)).state == State::kMalformed);
  CHECK(decode(chunk(kLimit / 2) + chunk(kLimit / 2) + "0\r\n\r\n").state == State::kDone);
  CHECK(decode(chunk(kLimit / 2) + chunk(kLimit / 2 + 1)).state == State::kMalformed);
  CHECK(decode("1;" + std::string(1'000'000, ' ')).state == State::kMalformed);
}

TEST_CASE("ChunkedDecoder: trailer fields are bounded", "[app][unit]") {
  constexpr auto kLimit = ChunkedDecoder::kTrailerLimitBytes;
  CHECK(decode("0\r\nA: " + std::string(kLimit - 7, 'x') + "\r\n\r\n").state == State::kDone);
  CHECK(decode("0\r\nA: " + std::string(kLimit, 'x')).state == State::kTrailerTooLarge);
  std::string many = "0\r\n";
  for (int i = 0; i < 10'000; ++i) many += "a:\r\n";
  CHECK(decode(many).state == State::kTrailerTooLarge);
}

TEST_CASE("ChunkedDecoder: without a place for content the decoder stops, and continues with a new place",
          "[app][unit]") {
  ChunkedDecoder decoder(100);
  std::array<std::byte, 3> small{};
  const std::string text = "5\r\nhello\r\n0\r\n\r\n";
  const auto first = decoder.decode(text, small);
  CHECK(first.content_bytes == 3);
  CHECK(first.consumed_bytes == 6);
  CHECK(decoder.expected_content_bytes() == 2);
  const auto again = decoder.decode(std::string_view(text).substr(6), {});
  CHECK(again.consumed_bytes == 0);
  const auto second = decoder.decode(std::string_view(text).substr(6), small);
  CHECK(second.content_bytes == 2);
  CHECK(decoder.state() == State::kDone);
}

TEST_CASE("ChunkedDecoder: the caller may read content past the decoder", "[app][unit]") {
  ChunkedDecoder decoder(100);
  std::array<std::byte, 8> place{};
  CHECK(decoder.expected_content_bytes() == 0);
  (void)decoder.decode("5\r\nh"s, place);
  CHECK(decoder.expected_content_bytes() == 4);
  decoder.content_came(3);
  CHECK(decoder.expected_content_bytes() == 1);
  decoder.content_came(1);
  CHECK(decoder.expected_content_bytes() == 0);
  (void)decoder.decode("\r\n0\r\n\r\n"s, place);
  CHECK(decoder.state() == State::kDone);
}

TEST_CASE("ChunkedDecoder: a body decodes the same however it is cut into pieces", "[app][unit]") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{"0",
                                        "1",
                                        "5",
                                        "a",
                                        "\r\n",
                                        "\r",
                                        "\n",
                                        ";",
                                        "=",
                                        "\"",
                                        "\\",
                                        " ",
                                        ":",
                                        "x",
                                        "hello",
                                        "0\r\n\r\n",
                                        "5\r\nhello\r\n",
                                        "1;a=\"b\"\r\nx\r\n"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = random() % 10; i > 0; --i) text += pieces[random() % pieces.size()];
    if (text.empty()) continue;
    const auto whole = decode(text);
    const auto cut = decode(text, 1 + random() % 3);
    const bool same = whole.state == cut.state && whole.content == cut.content && whole.consumed == cut.consumed;
    if (!same) FAIL("cut into pieces it is another body: " << text);
  }
}

}  // namespace
}  // namespace yolod::app::http
