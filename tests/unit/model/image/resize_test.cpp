#include "model/image/resize.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "model/image/placement.hpp"

using namespace yolod::model::image;

namespace {

struct TestPicture {
  int width;
  int height;
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] PixelView view() const { return {bytes.data(), width, height, 3 * static_cast<std::size_t>(width)}; }
  [[nodiscard]] double at(int x, int y, int rgb) const {
    return bytes[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) +
                 static_cast<std::size_t>(2 - rgb)] /
           255.0;
  }
};

TestPicture noise(int width, int height) {
  TestPicture picture{width, height, std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width * height))};
  std::mt19937 random(3);
  for (auto& byte : picture.bytes) byte = static_cast<std::uint8_t>(random());
  return picture;
}

// Computes corner-aligned bilinear interpolation directly from its definition.
double expected_at(const TestPicture& picture, int out_width, int out_height, int x, int y, int channel) {
  const double sx = out_width > 1 ? static_cast<double>(x) * (picture.width - 1) / (out_width - 1) : picture.width - 1;
  const double sy =
      out_height > 1 ? static_cast<double>(y) * (picture.height - 1) / (out_height - 1) : picture.height - 1;
  const int x0 = std::min(static_cast<int>(sx), picture.width - 1);
  const int y0 = std::min(static_cast<int>(sy), picture.height - 1);
  const int x1 = std::min(x0 + 1, picture.width - 1);
  const int y1 = std::min(y0 + 1, picture.height - 1);
  const double dx = sx - x0;
  const double dy = sy - y0;
  return (1 - dy) * ((1 - dx) * picture.at(x0, y0, channel) + dx * picture.at(x1, y0, channel)) +
         dy * ((1 - dx) * picture.at(x0, y1, channel) + dx * picture.at(x1, y1, channel));
}

std::vector<float> stretched(const TestPicture& picture, Size size, const Normalization& normalization = {}) {
  std::vector<float> input(3 * static_cast<std::size_t>(size.width * size.height), -99);
  resize_into(picture.view(), place(Fit::kStretch, {picture.width, picture.height}, size, Rounding::kTruncated), size,
              normalization, Sampling::kCornersAligned, input);
  return input;
}

}  // namespace

TEST_CASE("Resize: the interpolation is corner-aligned and bilinear, and the result is RGB", "[model][unit]") {
  const auto source = GENERATE(Size{7, 5}, Size{64, 48}, Size{1, 1}, Size{1, 9}, Size{9, 1}, Size{2, 2});
  const auto size = GENERATE(Size{16, 16}, Size{5, 11}, Size{1, 1}, Size{2, 3});
  const auto picture = noise(source.width, source.height);
  const auto input = stretched(picture, size);
  double worst = 0;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto got = input[static_cast<std::size_t>(3 * (y * size.width + x) + c)];
        worst = std::max(worst, std::abs(got - expected_at(picture, size.width, size.height, x, y, c)));
      }
    }
  }
  // The code computes positions in float, as Darknet does.
  CHECK(worst < 1e-4);
}

TEST_CASE("Resize: the same size copies the picture", "[model][unit]") {
  const auto picture = noise(6, 4);
  const auto input = stretched(picture, {6, 4});
  CHECK(input[0] == Approx(picture.at(0, 0, 0)));
  CHECK(input.back() == Approx(picture.at(5, 3, 2)));
}

TEST_CASE("Resize: the padding at the ends of rows is ignored", "[model][unit]") {
  const std::vector<std::uint8_t> bytes{10, 20, 30, 255, 255, 40, 50, 60, 255, 255};
  std::vector<float> input(6);
  resize_into({bytes.data(), 1, 2, 5}, {0, 0, 1, 2}, {1, 2}, {}, Sampling::kCornersAligned, input);
  CHECK(input[0] == Approx(30 / 255.0));
  CHECK(input[5] == Approx(40 / 255.0));
}

TEST_CASE("Resize: the input has the configured normalisation and channel order", "[model][unit]") {
  const TestPicture picture{1, 1, {10, 20, 30}};
  Normalization normalization;
  normalization.scale = 1;
  normalization.mean = {1, 2, 3};
  normalization.std = {2, 4, 8};
  CHECK(stretched(picture, {1, 1}, normalization) == std::vector<float>{14.5F, 4.5F, 0.875F});
  normalization.swap_to_rgb = false;
  CHECK(stretched(picture, {1, 1}, normalization) == std::vector<float>{4.5F, 4.5F, 3.375F});
}

TEST_CASE("Placement: stretching fills the input", "[model][unit]") {
  CHECK(place(Fit::kStretch, {768, 576}, {416, 320}, Rounding::kTruncated) == Placement{0, 0, 416, 320});
}

TEST_CASE("Placement: a letterbox keeps the shape and centres it", "[model][unit]") {
  CHECK(place(Fit::kLetterbox, {768, 576}, {416, 416}, Rounding::kTruncated) == Placement{0, 52, 416, 312});
  CHECK(place(Fit::kLetterbox, {576, 768}, {416, 416}, Rounding::kTruncated) == Placement{52, 0, 312, 416});
  CHECK(place(Fit::kLetterbox, {100, 100}, {320, 320}, Rounding::kTruncated) == Placement{0, 0, 320, 320});
  CHECK(place(Fit::kLetterbox, {100'000, 1}, {320, 320}, Rounding::kTruncated) == Placement{0, 159, 320, 1});
}

// The expected values come from LetterBox's arithmetic in Python. They include sides of 252.5 and 257.5 pixels.
TEST_CASE("Placement: a letterbox for Ultralytics' networks is rounded as LetterBox does", "[model][unit]") {
  struct Case {
    Size image;
    Size input;
    Placement rounded;
  };
  const auto tried =
      GENERATE(Case{{1000, 667}, {640, 640}, {0, 106, 640, 427}}, Case{{667, 1000}, {640, 640}, {106, 0, 427, 640}},
               Case{{256, 101}, {640, 640}, {0, 194, 640, 252}}, Case{{256, 103}, {640, 640}, {0, 191, 640, 258}},
               Case{{768, 576}, {416, 416}, {0, 52, 416, 312}}, Case{{1920, 1079}, {640, 384}, {0, 12, 640, 360}},
               Case{{1279, 853}, {640, 640}, {0, 106, 640, 427}}, Case{{3, 1}, {320, 320}, {0, 106, 320, 107}});
  CHECK(place(Fit::kLetterbox, tried.image, tried.input, Rounding::kHalfToEven) == tried.rounded);
  // No side becomes 0, while LetterBox itself would fail here.
  CHECK(place(Fit::kLetterbox, {100'000, 1}, {320, 320}, Rounding::kHalfToEven) == Placement{0, 159, 320, 1});
}

TEST_CASE("Placement: a letterbox for Darknet's networks is truncated", "[model][unit]") {
  CHECK(place(Fit::kLetterbox, {1000, 667}, {640, 640}, Rounding::kTruncated) == Placement{0, 107, 640, 426});
}

TEST_CASE("Resize: a letterbox is grey around the picture", "[model][unit]") {
  const TestPicture white{4, 2, std::vector<std::uint8_t>(24, 255)};
  std::vector<float> input(48, -99);
  const Size size{4, 4};
  resize_into(white.view(), place(Fit::kLetterbox, {4, 2}, size, Rounding::kTruncated), size, {},
              Sampling::kCornersAligned, input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto row = i / 12;
    CHECK(input[i] == Approx(row == 1 || row == 2 ? 1.0 : 0.5));
  }
}

TEST_CASE("Placement: a crop covers the input and keeps the middle of the picture", "[model][unit]") {
  CHECK(place(Fit::kCrop, {768, 576}, {224, 224}, Rounding::kTruncated) == Placement{-37, 0, 298, 224});
  CHECK(place(Fit::kCrop, {576, 768}, {224, 224}, Rounding::kTruncated) == Placement{0, -37, 224, 298});
  CHECK(place(Fit::kCrop, {100, 100}, {224, 224}, Rounding::kTruncated) == Placement{0, 0, 224, 224});
  CHECK(place(Fit::kCrop, {100, 100}, {320, 160}, Rounding::kTruncated) == Placement{0, -80, 320, 320});
  CHECK(place(Fit::kCrop, {1, 1000}, {32, 32}, Rounding::kTruncated) == Placement{0, -15984, 32, 32'000});
}

TEST_CASE("Placement: a crop's fraction leaves the margin of torchvision's Resize(256) and CenterCrop(224)",
          "[model][unit]") {
  CHECK(place(Fit::kCrop, {224, 224}, {224, 224}, Rounding::kTruncated, 0.875) == Placement{-16, -16, 256, 256});
  CHECK(place(Fit::kCrop, {768, 576}, {224, 224}, Rounding::kTruncated, 0.875) == Placement{-58, -16, 341, 256});
}

// (343 - 224) / 2 is 59.5, which Python rounds to 60. (340 - 224) / 2 is 58. (298 - 223) / 2 is 37.5, which Python
// rounds to 38.
TEST_CASE(
    "Placement: a centre crop rounds its offset half to even as torchvision, and truncates it for Darknet's networks",
    "[model][unit]") {
  CHECK(place(Fit::kCrop, {1340, 1000}, {224, 224}, Rounding::kHalfToEven, 0.875) == Placement{-60, -16, 343, 256});
  CHECK(place(Fit::kCrop, {1000, 1340}, {224, 224}, Rounding::kHalfToEven, 0.875) == Placement{-16, -60, 256, 343});
  CHECK(place(Fit::kCrop, {1332, 1000}, {224, 224}, Rounding::kHalfToEven, 0.875) == Placement{-58, -16, 340, 256});
  CHECK(place(Fit::kCrop, {768, 576}, {224, 224}, Rounding::kHalfToEven, 0.875) == Placement{-58, -16, 341, 256});
  CHECK(place(Fit::kCrop, {1340, 1000}, {224, 224}, Rounding::kTruncated, 0.875) == Placement{-59, -16, 343, 256});
}

TEST_CASE("Resize: the part of the picture outside the input is cut off, for every sampling", "[model][unit]") {
  const auto sampling = GENERATE(Sampling::kCornersAligned, Sampling::kCentersAligned, Sampling::kAveraged);
  const auto picture = noise(30, 20);
  const Size whole{48, 32};
  std::vector<float> all(3 * 48 * 32);
  resize_into(picture.view(), {0, 0, 48, 32}, whole, {}, sampling, all);
  std::vector<float> part(3 * 20 * 10, -99);
  resize_into(picture.view(), {-14, -11, 48, 32}, {20, 10}, {}, sampling, part);
  for (std::size_t y = 0; y < 10; ++y) {
    for (std::size_t i = 0; i < 60; ++i) REQUIRE(part[y * 60 + i] == all[(y + 11) * 144 + 14 * 3 + i]);
  }
}

namespace {

std::vector<float> resized(const TestPicture& picture, Size size, Sampling sampling) {
  std::vector<float> input(3 * static_cast<std::size_t>(size.width * size.height), -99);
  resize_into(picture.view(), {0, 0, size.width, size.height}, size, {}, sampling, input);
  return input;
}

}  // namespace

TEST_CASE("Resize: with aligned centres, an enlargement by two takes a quarter of each neighbour", "[model][unit]") {
  const TestPicture picture{2, 1, {0, 0, 0, 255, 255, 255}};
  const auto sampling = GENERATE(Sampling::kCentersAligned, Sampling::kAveraged);
  const auto input = resized(picture, {4, 1}, sampling);
  for (std::size_t x = 0; x < 4; ++x) CHECK(input[3 * x] == Approx(std::vector<double>{0, 0.25, 0.75, 1}[x]));
}

TEST_CASE("Resize: with averaging, every pixel counts", "[model][unit]") {
  // Pillow's Image.resize((2, 1), BILINEAR) gives the expected values for 0 0 0 0 0 0 255 255. The triangle filter of
  // each output pixel covers four pixels on each side.
  TestPicture picture{8, 1, std::vector<std::uint8_t>(24)};
  std::fill(picture.bytes.begin() + 18, picture.bytes.end(), std::uint8_t{255});
  const auto input = resized(picture, {2, 1}, Sampling::kAveraged);
  // The first output pixel uses the pixels 0 to 5. The second uses the pixels 2 to 7 with the weights 1 3 5 7 7 5 of
  // 28.
  CHECK(input[0] == Approx(0));
  CHECK(input[3] == Approx(12.0 / 28));
}

TEST_CASE("Resize: a picture of one colour keeps that colour, for every sampling", "[model][unit]") {
  const TestPicture grey{37, 23, std::vector<std::uint8_t>(3 * 37 * 23, 100)};
  const auto sampling = GENERATE(Sampling::kCornersAligned, Sampling::kCentersAligned, Sampling::kAveraged);
  for (const Size size : {Size{5, 7}, Size{1, 1}, Size{64, 50}, Size{37, 23}, Size{40, 3}}) {
    for (const float value : resized(grey, size, sampling)) REQUIRE(value == Approx(100 / 255.0));
  }
}

TEST_CASE("Resize: the border of a letterbox has the configured grey", "[model][unit]") {
  const TestPicture white{4, 2, std::vector<std::uint8_t>(24, 255)};
  Normalization normalization;
  normalization.grey = 114.0F / 255;
  normalization.mean = {0.25F, 0.25F, 0.25F};
  std::vector<float> input(48);
  resize_into(white.view(), place(Fit::kLetterbox, {4, 2}, {4, 4}, Rounding::kTruncated), {4, 4}, normalization,
              Sampling::kCentersAligned, input);
  CHECK(input[0] == Approx(114 / 255.0 - 0.25));
  CHECK(input[24] == Approx(0.75));
}
