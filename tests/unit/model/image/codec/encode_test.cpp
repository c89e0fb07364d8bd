#include "model/image/codec/encode.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

#include "model/image/codec/decode.hpp"

using namespace yolod::model::image;
using yolod::common::FileType;

namespace {

// A picture with unused bytes after each row.
struct Drawn {
  static constexpr int kWidth = 37;
  static constexpr int kHeight = 23;
  static constexpr std::size_t kStride = 3 * kWidth + 5;

  Drawn() : bytes(kStride * kHeight) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % kStride + i / kStride * 3);
  }
  [[nodiscard]] PixelView view() const { return {bytes.data(), kWidth, kHeight, kStride}; }

  std::vector<std::uint8_t> bytes;
};

int furthest(const PixelView& one, const PixelView& other) {
  REQUIRE(one.width == other.width);
  REQUIRE(one.height == other.height);
  int most = 0;
  for (std::size_t y = 0; y < static_cast<std::size_t>(one.height); ++y) {
    for (std::size_t i = 0; i < 3 * static_cast<std::size_t>(one.width); ++i) {
      most = std::max(most, std::abs(one.bgr[y * one.stride_bytes + i] - other.bgr[y * other.stride_bytes + i]));
    }
  }
  return most;
}

}  // namespace

TEST_CASE("Encode: a PNG keeps every pixel, a JPEG keeps them nearly", "[model][unit]") {
  const Drawn drawn;
  const auto png = encode(drawn.view(), FileType::kPng);
  REQUIRE(png.ok());
  const auto from_png = decode(*png, {});
  REQUIRE(from_png.ok());
  CHECK(furthest(from_png->view(), drawn.view()) == 0);
  const auto jpeg = encode(drawn.view(), FileType::kJpeg);
  REQUIRE(jpeg.ok());
  const auto from_jpeg = decode(*jpeg, {});
  REQUIRE(from_jpeg.ok());
  CHECK(furthest(from_jpeg->view(), drawn.view()) < 60);
}

TEST_CASE("Encode: a lower quality makes a smaller JPEG", "[model][unit]") {
  const Drawn drawn;
  CHECK(encode(drawn.view(), FileType::kJpeg, 30)->size() < encode(drawn.view(), FileType::kJpeg)->size());
}

TEST_CASE("Encode: a picture that does not fit a JPEG is an error", "[model][unit]") {
  const Drawn drawn;
  auto view = drawn.view();
  view.height = 70'000;
  view.stride_bytes = 0;  // every row is the first row
  CHECK_FALSE(encode(view, FileType::kJpeg).ok());
}
