#include "model/image/jpeg.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <vector>

using yolod::model::image::decode_jpeg;
using Bytes = std::vector<std::uint8_t>;

namespace {

Bytes encoded(const cv::Mat& picture) {
  Bytes file;
  REQUIRE(cv::imencode(".jpg", picture, file));
  return file;
}

std::optional<cv::Mat> decoded(const Bytes& file, std::uint64_t reduction = 1) {
  return decode_jpeg(std::as_bytes(std::span(file)), reduction);
}

// Every row of one colour, so that JPEG keeps it so; colours far apart, so that sums leave 0 to 255 on both sides.
cv::Mat striped(int width, std::mt19937& random) {
  std::uniform_int_distribution<int> value(0, 255);
  cv::Mat picture(64, width, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y) picture.row(y).setTo(cv::Scalar(value(random), value(random), value(random)));
  return picture;
}

}  // namespace

TEST_CASE("JPEG: pixels taken sixteen at once and one by one are the same, and near OpenCV's", "[model][unit]") {
  // libjpeg rounds the chroma of every other column another way.
  constexpr int kPair = 6;
  std::mt19937 random(3);
  for (const int width : {1, 15, 16, 17, 37, 64}) {
    const auto file = encoded(striped(width, random));
    const auto own = decoded(file);
    REQUIRE(own.has_value());
    const auto theirs = cv::imdecode(file, cv::IMREAD_COLOR);
    REQUIRE(own->size() == theirs.size());
    REQUIRE(own->type() == CV_8UC3);
    int furthest = 0;
    bool even = true;
    for (int y = 0; y < own->rows; ++y) {
      const auto* row = own->ptr<std::uint8_t>(y);
      for (int i = 0; i < 3 * own->cols; ++i) {
        even = even && row[i] == row[i % kPair];
        furthest = std::max(furthest, std::abs(row[i] - theirs.ptr<std::uint8_t>(y)[i]));
      }
    }
    INFO(width);
    CHECK(even);
    CHECK(furthest <= 1);
  }
}

TEST_CASE("JPEG: a reduced picture has its sides rounded up", "[model][unit]") {
  std::mt19937 random(3);
  const auto file = encoded(striped(37, random));
  for (const std::uint64_t by : {2, 4, 8}) {
    const auto small = decoded(file, by);
    REQUIRE(small.has_value());
    CHECK(small->rows == 64 / static_cast<int>(by));
    CHECK(small->cols == (37 + static_cast<int>(by) - 1) / static_cast<int>(by));
  }
}

TEST_CASE("JPEG: what has a fault or another kind of colour is left to OpenCV", "[model][unit]") {
  std::mt19937 random(3);
  const auto whole = encoded(striped(64, random));
  CHECK_FALSE(decoded({}).has_value());
  CHECK_FALSE(decoded({0xFF, 0xD8}).has_value());
  CHECK_FALSE(decoded(encoded(cv::Mat(16, 16, CV_8UC1, cv::Scalar(9)))).has_value());
  for (std::size_t length = 0; length + 2 < whole.size(); length += 7) {
    CHECK_FALSE(decoded(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))).has_value());
  }
}
