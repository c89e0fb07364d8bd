#include "common/json_splitter.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace yolod::common {
namespace {

// Splits the text in steps of that many bytes. Returns the skeleton, or the reason after "bad: ".
std::string split(std::string_view text, std::size_t budget, JsonSplitter::End end = JsonSplitter::End::kOfText) {
  JsonSplitter splitter(text, end);
  for (;;) {
    const auto done = splitter.step(budget);
    if (!done) return "bad: " + done.error().message;
    if (*done) return std::string(splitter.skeleton());
  }
}

const std::string kBad = "bad: failed to parse the request JSON buffer: ";

TEST_CASE("JsonSplitter: each value of data is replaced by its number, for every size of a step", "[common][unit]") {
  const std::string text =
      R"({"inputs":[{"name":"a","data":[1,[2.5e3,-4]],"shape":[3]}, {"name":"b\"]","data" : ["x]\\","\"","" ]}],"id":"7"} )";
  for (std::size_t budget = 1; budget <= text.size(); ++budget) {
    CAPTURE(budget);
    JsonSplitter splitter(text, JsonSplitter::End::kOfText);
    for (;;) {
      const auto done = splitter.step(budget);
      REQUIRE(done.ok());
      if (*done) break;
    }
    CHECK(splitter.skeleton() ==
          R"({"inputs":[{"name":"a","data": 0 ,"shape":[3]}, {"name":"b\"]","data" : 1 }],"id":"7"})");
    REQUIRE(splitter.values().size() == 2);
    CHECK(splitter.values()[0].text == "[1,[2.5e3,-4]]");
    CHECK(splitter.values()[0].string_count == 0);
    CHECK(splitter.values()[1].text == R"(["x]\\","\"","" ])");
    CHECK(splitter.values()[1].strings == std::vector<std::string_view>{R"(x]\\)", R"(\")", ""});
    CHECK(splitter.object_bytes() == text.size() - 1);
  }
}

TEST_CASE("JsonSplitter: only data of a tensor is split off", "[common][unit]") {
  for (const char* text : {R"({"data":[1]})", R"({"a":{"data":[1]}})", R"({"inputs":[{"data_":[1],"b":"data"}]})",
                           R"({"inputs":[{"parameters":{"data":[1]}}]})", R"({"inputs":[["data",":"]]})", "[]", "{}"}) {
    CHECK(split(text, 3) == text);
  }
}

TEST_CASE("JsonSplitter: blanks may follow the object, or any bytes if the caller allows it", "[common][unit]") {
  CHECK(split("{} \n\t", 1) == "{}");
  CHECK(split("{} x", 1) == kBad + "there is text after the object");
  CHECK(split("{}\x80\x00", 1, JsonSplitter::End::kOfObject) == "{}");
}

TEST_CASE("JsonSplitter: an unfinished or unbalanced text is refused", "[common][unit]") {
  const std::size_t budget = GENERATE(1, 1000);
  for (const char* text : {"", " ", "{", R"({"a)", R"({"a\)", R"({"inputs":[{"data":)", R"({"inputs":[{"data":[1,)",
                           R"({"inputs":[{"data":["x)", R"({"inputs":[{"data":["x\)", "5"}) {
    CHECK(split(text, budget) == kBad + "the text ends within its object");
  }
  CHECK(split("{]", budget) == kBad + "a bracket does not match");
  CHECK(split("}", budget) == kBad + "a bracket does not match");
  CHECK(split(R"({"inputs":[{"data":5}]})", budget) == kBad + "'data' must be an array");
  CHECK(split(R"({"inputs":[{"data":[{}]}]})", budget) == kBad + "'data' may have only numbers, texts, true and false");
}

TEST_CASE("JsonSplitter: a skeleton or a nesting beyond the limit is refused, and long data is not", "[common][unit]") {
  const std::string digits(100'000, '1');
  CHECK(split(R"({"inputs":[{"data":[)" + digits + "]}]}", 1000) == R"({"inputs":[{"data": 0 }]})");
  CHECK(split(R"({"inputs":[{"data":[")" + digits + R"("]}]})", 1000) == R"({"inputs":[{"data": 0 }]})");
  CHECK(split(R"({"id":")" + digits + R"("})", 1000) == kBad + "it is longer than 32 KiB without its data");
  CHECK(split("{" + std::string(40'000, ' ') + "}", 1000) == kBad + "it is longer than 32 KiB without its data");
  CHECK(split(std::string(101, '['), 1000) == kBad + "it is nested deeper than 100");
  CHECK(split(R"({"inputs":[{"data":)" + std::string(101, '['), 1000) == kBad + "it is nested deeper than 100");
}

TEST_CASE("JsonSplitter: a rule names another key, whose values are texts", "[common][unit]") {
  constexpr JsonSplitter::Rule kRule{{"value"}, {"{{", "{[{"}, JsonSplitter::Rule::Kind::kText};
  const std::string text =
      R"({"image":{"type":"base64", "value" : "abc\"\\"},"value":"stays","list":[{"value":""}],"a":{"b":"value"}})";
  for (std::size_t budget = 1; budget <= text.size(); ++budget) {
    CAPTURE(budget);
    JsonSplitter splitter(text, JsonSplitter::End::kOfText, kRule);
    for (;;) {
      const auto done = splitter.step(budget);
      REQUIRE(done.ok());
      if (*done) break;
    }
    CHECK(splitter.skeleton() ==
          R"({"image":{"type":"base64", "value" : 0 },"value":"stays","list":[{"value": 1 }],"a":{"b":"value"}})");
    REQUIRE(splitter.values().size() == 2);
    CHECK(splitter.values()[0].text == R"(abc\"\\)");
    CHECK(splitter.values()[1].text.empty());
  }
  JsonSplitter number(R"({"image":{"value":7}})", JsonSplitter::End::kOfText, kRule);
  CHECK(number.step(100).error().message.ends_with("'value' must be a text"));
  JsonSplitter open(R"({"image":{"value":"abc)", JsonSplitter::End::kOfText, kRule);
  CHECK_FALSE(open.step(100).ok());
}

constexpr JsonSplitter::Rule kPictures{{"image", "images"}, {"{"}, JsonSplitter::Rule::Kind::kTexts, 4};

struct Pictures {
  std::string skeleton;  // or the reason after "bad: "
  std::vector<std::string_view> texts;
  friend bool operator==(const Pictures&, const Pictures&) = default;
};

Pictures pictures_in(std::string_view text, std::size_t budget = 3, const JsonSplitter::Rule& rule = kPictures) {
  JsonSplitter splitter(text, JsonSplitter::End::kOfText, rule);
  for (;;) {
    const auto done = splitter.step(budget);
    if (!done) return {"bad: " + done.error().message, {}};
    if (*done) break;
  }
  Pictures found{std::string(splitter.skeleton()), {}};
  for (const auto& value : splitter.values()) found.texts.push_back(value.text);
  return found;
}

TEST_CASE("JsonSplitter: a rule may have several keys, whose values are texts or lists of texts", "[common][unit]") {
  const std::string text =
      R"( {"confidence": 0.5, "image" : "abc\"\\", "x":{"images":["d"]},"images":["e",  "f\u0041"],"y":["image"]} )";
  for (std::size_t budget = 1; budget <= text.size(); ++budget) {
    CAPTURE(budget);
    const auto found = pictures_in(text, budget);
    CHECK(found.skeleton ==
          R"( {"confidence": 0.5, "image" : 0 , "x":{"images":["d"]},"images":[ 1 ,   2 ],"y":["image"]})");
    CHECK(found.texts == std::vector<std::string_view>{R"(abc\"\\)", "e", R"(f\u0041)"});
  }
  CHECK(pictures_in(R"({"Image":"a","imag":"b","x":"image","im\u0061ge":"c","":"d"})").texts.empty());
  CHECK(pictures_in(R"({"images":[]})") == Pictures{R"({"images":[]})", {}});
  CHECK(pictures_in(R"({"images":["a""b"]})").skeleton == R"({"images":[ 0  1 ]})");  // which no parser accepts
  for (const char* other : {"1", "null", "{}", "[1]", R"(["a",{}])", R"([["a"]])"}) {
    CHECK(pictures_in(R"({"image":)" + std::string(other) + "}").skeleton ==
          "bad: JSON: 'image' must be a text or a list of texts");
  }
}

TEST_CASE("JsonSplitter: a number behind a value stays apart from the value's number", "[common][unit]") {
  CHECK(pictures_in(R"({"image":"a","image":"b"2})").skeleton == R"({"image": 0 ,"image": 1 2})");
  CHECK(pictures_in(R"({"image":"a""b"})").skeleton == R"({"image": 0 "b"})");
  CHECK(pictures_in(R"({"images":["a"]2})").skeleton == R"({"images":[ 0 ]2})");
  CHECK(split(R"({"inputs":[{"data":[1]},{"data":[1]2}]})", 3) == R"({"inputs":[{"data": 0 },{"data": 1 2}]})");
}

TEST_CASE("JsonSplitter: a rule may bound the number of values", "[common][unit]") {
  CHECK(pictures_in(R"({"images":["","","",""]})").texts.size() == 4);
  CHECK(pictures_in(R"({"images":["","","","",""]})").skeleton == "bad: JSON: it has more than 4 pictures");
  constexpr JsonSplitter::Rule kOne{{"image"}, {"{"}, JsonSplitter::Rule::Kind::kText, 1};
  CHECK(pictures_in(R"({"image":"","image":""})", 9, kOne).skeleton == "bad: JSON: it has more than 1 picture");
  CHECK(pictures_in(R"({"a":")" + std::string(40'000, 'x') + "\"}", 1000).skeleton ==
        "bad: JSON: it is longer than 32 KiB without its pictures");
  CHECK(pictures_in(R"({"images":[)" + std::string(40'000, ' ') + "]}", 1000).skeleton ==
        "bad: JSON: it is longer than 32 KiB without its pictures");
}

TEST_CASE("JsonSplitter: altered bytes do no harm, and the steps do not matter", "[common][unit]") {
  const std::string right = R"({"images":["abc","d\\\"ef"],"image":"x","confidence":[0.5,{"a":"b"}]})";
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    auto text = right;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = "\"\\[]{}:,a"[random() % 9];
    CHECK(pictures_in(text, 1) == pictures_in(text, 1000));
  }
}

TEST_CASE("JsonSplitter: of many texts the first are kept and all are counted", "[common][unit]") {
  std::string text = R"({"inputs":[{"data":["a")";
  for (int i = 0; i < 99; ++i) text += R"(,"b")";
  text += "]}]}";
  JsonSplitter splitter(text, JsonSplitter::End::kOfText);
  REQUIRE(splitter.step(text.size()).value());
  CHECK(splitter.values()[0].strings.size() == JsonSplitter::kMostStrings);
  CHECK(splitter.values()[0].string_count == 100);
}

}  // namespace
}  // namespace yolod::common
