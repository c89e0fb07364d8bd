#include "model/json_picture.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace yolod::model {
namespace {

using namespace std::string_literals;

std::string picture(const std::string& json) {
  const auto found = picture_in_json(std::as_bytes(std::span(json)));
  if (!found) {
    CHECK(found.error().code == common::ErrorCode::kBadRequest);
    return "error: " + found.error().message;
  }
  return {reinterpret_cast<const char*>(found->data()), found->size()};
}

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

TEST_CASE("JsonPicture: the text of the key image is the picture", "[model][unit]") {
  CHECK(picture(R"({"image": "Zm9vYmFy"})") == "foobar");
  CHECK(picture(" {\n\"image\"\t:\"Zm9v\\nYmFy\"} \r\n") == "foobar");
  CHECK(picture(R"({"image": "\u005am9v\/w=="})") == "foo\xFF");  // PHP escapes the slash
  CHECK(picture(R"({"im\u0061ge": "Zm9v"})") == "foo");
  CHECK(picture(R"({"image": "data:image/jpeg;base64,Zm9v"})") == "foo");
  CHECK(picture(R"({"image": "data:;base64,Zm9v"})") == "foo");
  CHECK(picture(R"({"image": "data:image/svg+xml;charset=utf-8;base64,Zm9v"})") == "foo");
}

TEST_CASE("JsonPicture: the error for any other JSON text names the mistake", "[model][unit]") {
  const auto check = [](const std::string& json, const std::string& part) {
    CAPTURE(json.substr(0, 100));
    const auto found = picture(json);
    CAPTURE(found);
    CHECK(found.starts_with("error: JSON: "));
    CHECK(found.find(part) != std::string::npos);
    CHECK(found.size() < 200);
  };
  check("", "not well formed, at byte 0");
  check("{", "not well formed");
  check(R"({"image": "Zm9v")", "not well formed");
  check(R"({"image": "Zm9v",})", "not well formed");
  check(R"({"image": "Zm9v"} x)", "there is text after the object");
  check(R"({"image": "Zm9v"}{"image": "Zm9v"})", "there is text after the object");
  check("{}", "the key \"image\" is missing");
  check(R"({"image": "Zm9v", "confidence": 0.5})", "the key \"confidence\" is not read, options go into the query");
  check(R"({"Image": "Zm9v"})", "the key \"Image\" is not read");
  check("{\"" + std::string(900, 'k') + "\\n\": 1}", "the key \"kkk");
  check("{\"" + std::string(100'000, 'k') + "\": 1}", "not well formed");
  check(R"({"image": "Zm9v", "image": "Zm9v"})", "is allowed once");
  for (const auto* value :
       {"1", "-1", "1e5", "18446744073709551615", "true", "null", "[\"Zm9v\"]", "{\"image\": \"Zm9v\"}"}) {
    check("{\"image\": " + std::string(value) + "}", "the body must be");
  }
  check("[\"Zm9v\"]", "the body must be");
  check("\"Zm9v\"", "the body must be");
  check(std::string(1'000'000, '['), "the body must be");
  check(R"({"image": "not base64!"})", "is not base64");
  check(R"({"image": ""})", "is empty");
  check(R"({"image": "https://example.org/a.jpg"})", "is not base64");
  check(R"({"image": "data:image/jpeg,abc"})", "must be base64");
  check(R"({"image": "data:)" + std::string(5000, 'x') + "\"}", "must be base64");
  check("{\"image\": \"Zm9v\xFF\"}", "not well formed");
}

TEST_CASE("JsonPicture: altered bytes do no harm, and a shortened text is refused", "[model][unit]") {
  const std::string right = R"({"image": "data:image/png;base64,Zm9vYmFyZm9vYmFyZm9vYmFy"})";
  for (std::size_t size = 0; size < right.size(); ++size) CHECK(picture(right.substr(0, size)).starts_with("error: "));
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    auto text = right;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    (void)picture(text);
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

}  // namespace
}  // namespace yolod::model
