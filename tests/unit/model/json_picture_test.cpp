#include "model/json_picture.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace yolod::model {
namespace {

using namespace std::string_literals;

std::string base64(const std::string& text) {
  const auto bytes = decode_base64(text);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "refused";
}

TEST_CASE("JsonPicture: base64 is decoded as RFC 4648 defines it", "[model][unit]") {
  // These are the test vectors of RFC 4648, section 10.
  CHECK(base64("").empty());
  CHECK(base64("Zg==") == "f");
  CHECK(base64("Zm8=") == "fo");
  CHECK(base64("Zm9v") == "foo");
  CHECK(base64("Zm9vYg==") == "foob");
  CHECK(base64("Zm9vYmE=") == "fooba");
  CHECK(base64("Zm9vYmFy") == "foobar");
  CHECK(base64("Zm9vYg") == "foob");  // without padding
  CHECK(base64("+/-_") == base64("-_+/"));
  CHECK(base64("+/+/") == "\xFB\xFF\xBF"s);
  CHECK(base64("Zm9v\r\nYmFy\n ==\t") == "refused");
  CHECK(base64("Zm9v\r\nYm\tFy ") == "foobar");
}

TEST_CASE("JsonPicture: text that is not base64 is refused", "[model][unit]") {
  for (const auto* text :
       {"Z", "Zm9vY", "Zg=", "Zg===", "Zm9v=", "=", "Zg==Zg==", "Zm9v!", "Zm\x80v", "Zh==", "Zm9="}) {
    CAPTURE(text);
    CHECK(base64(text) == "refused");
  }
}

std::string picture_of_text(std::string_view text) {
  std::vector<std::byte> unwrapped;
  const auto found = picture_of({std::as_bytes(std::span(text)), common::ContentKind::kBase64}, unwrapped);
  if (!found) return "error: " + found.error().message;
  return {reinterpret_cast<const char*>(found->data()), found->size()};
}

TEST_CASE("JsonPicture: a JSON text with base64 may have escapes", "[model][unit]") {
  CHECK(picture_of_text("Zm9v") == "foo");
  CHECK(picture_of_text(R"(\u005am9v)") == "foo");
  CHECK(picture_of_text(R"(Zm9v\nZm9v)") == "foofoo");
  CHECK(picture_of_text("/w==") == picture_of_text("\\/w=="));
  CHECK(picture_of_text("data:image/png;base64,Zm9v") == "foo");
  CHECK(picture_of_text("\\x") == "error: JSON: a text is not well formed");
  CHECK(picture_of_text("not base64!") == "error: JSON: a picture is not base64");
  CHECK(picture_of_text("data:image/png,Zm9v") == "error: JSON: a picture is not base64");
  CHECK(picture_of_text("") == "error: JSON: a picture is empty");
}

TEST_CASE("JsonPicture: a text may be a data URL in base64, and no other URL", "[model][unit]") {
  CHECK(picture_of_text("data:;base64,Zm9v") == "foo");
  CHECK(picture_of_text("data:image/svg+xml;charset=utf-8;base64,Zm9v") == "foo");
  for (const std::string& text : {"https://example.org/a.jpg"s, "data:" + std::string(5000, 'x'), "Zm9v\xFF"s}) {
    CHECK(picture_of_text(text) == "error: JSON: a picture is not base64");
  }
  CHECK(picture_of_text("\\u00e9\xFF") == "error: JSON: a text is not well formed");
}

TEST_CASE("JsonPicture: altered bytes do no harm", "[model][unit]") {
  const std::string right = "data:image/png;base64,Zm9vYmFy\\nZm9vYmFyZm9vYmFy";
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    auto text = right;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    (void)picture_of_text(text);
  }
}

}  // namespace
}  // namespace yolod::model
