#include "model/eval/yolo_labels.hpp"

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using yolod::model::eval::parse_yolo_labels;

TEST_CASE("YOLO labels: a label becomes a box with corners", "[model][unit]") {
  const auto truths = parse_yolo_labels("58 0.5 0.25 0.5 0.5\r\n\n  3\t0.5 0.5 1 1", 80, "a.txt");
  REQUIRE(truths.ok());
  REQUIRE(truths->size() == 2);
  CHECK((*truths)[0].class_id == 58);
  CHECK((*truths)[0].box == yolod::common::Box{0.25F, 0, 0.75F, 0.5F});
  CHECK((*truths)[1].class_id == 3);
  CHECK((*truths)[1].box == yolod::common::Box{0, 0, 1, 1});
}

TEST_CASE("YOLO labels: an empty file is a picture without objects", "[model][unit]") {
  CHECK(parse_yolo_labels("", 1, "a.txt")->empty());
  CHECK(parse_yolo_labels("\n \r\n", 1, "a.txt")->empty());
}

TEST_CASE("YOLO labels: the error names the mistake and its line", "[model][unit]") {
  const auto message = [](std::string_view text) {
    const auto truths = parse_yolo_labels(text, 2, "a.txt");
    REQUIRE_FALSE(truths.ok());
    CHECK(truths.error().code == yolod::common::ErrorCode::kInvalidParameter);
    return truths.error().message;
  };
  CHECK_THAT(message("0 0 0 1 1\n2 0 0 1 1"), Contains("a.txt:2: class 2: there are 2, counted from 0"));
  CHECK_THAT(message("dog 0 0 1 1"), Contains("a.txt:1: \"dog\""));
  CHECK_THAT(message("-1 0 0 1 1"), Contains("class number"));
  CHECK_THAT(message("0 0 0 1"), Contains("fewer than 5"));
  CHECK_THAT(message("0 0 0 1 1 0.9"), Contains("more than 5"));
  CHECK_THAT(message("0 0 x 1 1"), Contains("\"x\""));
  CHECK_THAT(message("0 0 nan 1 1"), Contains("number"));
  CHECK_THAT(message("0 0 1e99 1 1"), Contains("number"));
  CHECK_THAT(message("0 0 0 -1 1"), Contains("negative"));
  CHECK_THAT(message(std::string_view("\0\xFF 1", 4)), Contains("class number"));
}

TEST_CASE("YOLO labels: a byte order mark before the first class is skipped", "[model][unit]") {
  const auto truths = parse_yolo_labels(
      "\xEF\xBB\xBF"
      "1 0.5 0.5 1 1\n",
      2, "a.txt");
  REQUIRE(truths.ok());
  REQUIRE(truths->size() == 1);
  CHECK(truths->front().class_id == 1);
}

TEST_CASE("YOLO labels: boxes in pixels are refused, and the error says which values are allowed", "[model][unit]") {
  const auto message = [](std::string_view text) { return parse_yolo_labels(text, 2, "a.txt").error().message; };
  CHECK(message("0 0.5 0.5 1 1\n1 320 240.5 64 32\n") ==
        "a.txt:2: a box at 320, 240.5 of 64 x 32, as in pixels: its centre and size must be fractions of the picture, "
        "0 to 1");
  CHECK_THAT(message("0 0.5 0.5 0.5 3"), Contains("as in pixels"));
  CHECK_THAT(message("0 -40 0.5 0.5 0.5"), Contains("as in pixels"));
  CHECK_THAT(message("0 50 50 20 20"), Contains("fractions of the picture"));  // the boxes may also be in percent
  // In a part that was cut out of a larger picture, boxes may reach beyond the edge.
  CHECK(parse_yolo_labels("0 1.2 -0.1 1.5 0.5", 2, "a.txt").ok());
  CHECK(parse_yolo_labels("0 2 2 2 2", 2, "a.txt").ok());
}
