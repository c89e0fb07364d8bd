#include "app/api/json_texts.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace yolod::app::api {
namespace {

constexpr std::array<std::string_view, 2> kKeys{"image", "images"};

struct Split {
  std::string skeleton;
  std::vector<std::string> texts;
  std::string why;
};

// Splits the JSON in steps of `at_once` bytes.
Split split(std::string_view json, std::size_t at_once = 3, std::size_t most = 4) {
  JsonTexts texts(json, kKeys, most);
  for (;;) {
    const auto done = texts.step(at_once);
    if (!done) {
      CHECK(done.error().code == common::ErrorCode::kBadRequest);
      return {{}, {}, done.error().message};
    }
    if (*done) break;
  }
  Split result{std::string(texts.skeleton()), {}, {}};
  for (std::size_t i = 0; i < texts.text_count(); ++i) {
    const auto text = texts.text(std::to_string(i));
    REQUIRE(text);
    CHECK(reinterpret_cast<const char*>(text->data()) >= json.data());
    result.texts.emplace_back(reinterpret_cast<const char*>(text->data()), text->size());
  }
  return result;
}

TEST_CASE("JsonTexts: each wanted text is replaced by its number, and stays where it is", "[app][unit]") {
  const std::string json =
      R"( {"confidence": 0.5, "image" : "abc\"\\", "x":{"images":["d",  "e\u0041"],"image":[]},"y":["image"]} )";
  for (std::size_t at_once = 1; at_once < 130; ++at_once) {
    const auto found = split(json, at_once);
    CHECK(found.skeleton ==
          R"( {"confidence": 0.5, "image" : "0", "x":{"images":["1",  "2"],"image":[]},"y":["image"]} )");
    CHECK(found.texts == std::vector<std::string>{R"(abc\"\\)", "d", R"(e\u0041)"});
  }
}

TEST_CASE("JsonTexts: only the values of wanted keys are taken", "[app][unit]") {
  CHECK(split(R"({"Image":"a","imag":"b","x":"image"})").texts.empty());
  CHECK(split(R"({"image":{"a":"b"},"images":[["c"],{"d":"e"}]})").texts.empty());
  CHECK(split(R"({"image":1,"a":"b"})").texts.empty());
  CHECK(split(R"({"image":null,"a":["b"]})").texts.empty());
  CHECK(split(R"(["image","a"])").texts.empty());
  CHECK(split(R"({"images":[1,"a",{},"b"]})").texts == std::vector<std::string>{"a", "b"});
}

TEST_CASE("JsonTexts: a number that the client wrote is no text", "[app][unit]") {
  const std::string json = R"({"im\u0061ge":"7"})";
  JsonTexts texts(json, kKeys, 4);
  REQUIRE(texts.step(1000).value());
  CHECK(texts.skeleton() == json);
  for (const auto* number : {"7", "0", "", "-1", "x", "18446744073709551616"}) CHECK_FALSE(texts.text(number).ok());
}

TEST_CASE("JsonTexts: JSON that is too long, too deep or not closed is refused", "[app][unit]") {
  CHECK(split(R"({"images":["","","",""]})").why.empty());
  CHECK(split(R"({"images":["","","","",""]})").why == "JSON: it has more than 4 pictures");
  CHECK(split(R"({"images":["",""]})", 9, 1).why == "JSON: it has more than 1 picture");
  CHECK(split(std::string(32, '[') + std::string(32, ']')).why.empty());
  CHECK(split(std::string(33, '[')).why == "JSON: it is nested deeper than 32");
  CHECK(split("{]").why == "JSON: a bracket does not match");
  CHECK(split("}").why == "JSON: a bracket does not match");
  CHECK(split(R"({"a":")" + std::string(40'000, 'x') + "\"}", 1000).why ==
        "JSON: it is longer than 32 KiB without its pictures");
  CHECK(split(std::string(40'000, ' '), 1000).why == "JSON: it is longer than 32 KiB without its pictures");
  CHECK(split(R"({"image":")" + std::string(400'000, 'x') + "\"}", 1000).why.empty());
  for (const auto* json : {"{", "{\"", "{\"image\":\"", "{\"image\":\"\\", "{\"image\":\"a\"", "[{}"}) {
    CHECK(split(json).why == "JSON: the body ends within its object");
  }
}

TEST_CASE("JsonTexts: altered bytes do no harm, and the steps do not matter", "[app][unit]") {
  const std::string right = R"({"images":["abc","d\\\"ef"],"image":"x","confidence":[0.5,{"a":"b"}]})";
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    auto json = right;
    for (int i = 0; i < 3; ++i) json[random() % json.size()] = "\"\\[]{}:,a"[random() % 9];
    const auto one = split(json, 1);
    const auto all = split(json, 1000);
    CHECK(one.skeleton == all.skeleton);
    CHECK(one.texts == all.texts);
    CHECK(one.why == all.why);
  }
}

}  // namespace
}  // namespace yolod::app::api
