#include "model/image/decode.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "model/image/annotate.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

using namespace yolod::model::image;
using yolod::common::ErrorCode;
using yolod::tests::test_data;

namespace {

constexpr std::uint64_t kEnough = 100'000'000;

yolod::common::Outcome<Picture> decode_text(const std::string& file, std::uint64_t max_pixels = kEnough,
                                            std::optional<Size> needed = std::nullopt) {
  prepare_decoder();
  return decode(std::as_bytes(std::span<const char>(file)), max_pixels, needed);
}

double mean_difference(const PixelView& a, const PixelView& b) {
  double sum = 0;
  for (int y = 0; y < a.height; ++y) {
    for (std::size_t i = 0; i < 3 * static_cast<std::size_t>(a.width); ++i) {
      const auto row = static_cast<std::size_t>(y);
      sum += std::abs(a.bgr[row * a.stride_bytes + i] - b.bgr[row * b.stride_bytes + i]);
    }
  }
  return sum / (3.0 * a.width * a.height);
}

// `factor` times as large.
std::string encode_jpeg(const PixelView& picture, int factor) {
  const cv::Mat pixels(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.bgr),
                       picture.stride_bytes);
  cv::Mat large;
  cv::resize(pixels, large, {}, factor, factor);
  std::vector<unsigned char> file;
  cv::imencode(".jpg", large, file);
  return {file.begin(), file.end()};
}

// Of the picture `small`, which is half as large as the file that is looked at: that file's pixels at 1 / `factor`, by
// the means of OpenCV; turned to the right if asked.
struct Shrunk {
  cv::Mat pixels;
  [[nodiscard]] PixelView view() const { return {pixels.data, pixels.cols, pixels.rows, pixels.step[0]}; }
};

Shrunk shrunk(const Picture& small, int factor, bool turned = false) {
  const auto seen = small.view();
  const cv::Mat pixels(seen.height, seen.width, CV_8UC3, const_cast<std::uint8_t*>(seen.bgr), seen.stride_bytes);
  Shrunk result;
  cv::resize(pixels, result.pixels, {2 * seen.width / factor, 2 * seen.height / factor}, 0, 0,
             factor > 2 ? cv::INTER_AREA : cv::INTER_LINEAR);
  if (turned) cv::rotate(result.pixels, result.pixels, cv::ROTATE_90_CLOCKWISE);
  return result;
}

// With an APP1 segment of orientation 6 after its first two bytes: to be seen after a quarter turn.
std::string turned_by_exif(const std::string& jpeg) {
  const std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0"
      "II*\0\x08\0\0\0"
      "\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
      "\0\0\0\0",
      36);
  return jpeg.substr(0, 2) + exif + jpeg.substr(2);
}

std::string load(const std::filesystem::path& file) { return yolod::tests::read_file(file); }

}  // namespace

TEST_CASE("Decode: pixels of a small picture, in BGR", "[model][unit]") {
  const auto picture = decode_text("P6 2 1 255\n\x01\x02\x03\x0B\x0C\x0D");
  REQUIRE(picture.ok());
  const auto view = picture->view();
  REQUIRE(view.width == 2);
  REQUIRE(view.height == 1);
  CHECK(std::vector<int>(view.bgr, view.bgr + 6) == std::vector<int>{3, 2, 1, 13, 12, 11});
}

TEST_CASE("Decode: grey becomes colour and bits beyond 8 are cut", "[model][unit]") {
  const auto grey = decode_text("P5 1 1 255\n\x50");
  REQUIRE(grey.ok());
  CHECK(std::vector<int>(grey->view().bgr, grey->view().bgr + 3) == std::vector<int>{0x50, 0x50, 0x50});
  const auto deep = decode_text("P5 1 1 65535\n\x50\x01");
  REQUIRE(deep.ok());
  CHECK(std::abs(deep->view().bgr[0] - 0x50) <= 1);
}

TEST_CASE("Decode: the header's refusals come through", "[model][unit]") {
  CHECK(decode_text("hello").error().code == ErrorCode::kInvalidImage);
  CHECK(decode_text("").error().code == ErrorCode::kInvalidImage);
  CHECK(decode_text("P6 200 200 255\n" + std::string(120'000, 'x'), 39'999).error().code == ErrorCode::kImageTooLarge);
  CHECK(decode_text("P6 2 2 255\nxx").error().code == ErrorCode::kInvalidImage);
}

TEST_CASE("Decode: a header alone is no picture", "[model][unit]") {
  using namespace std::string_literals;
  const auto png = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0"s;
  CHECK(decode_text(png).error().code == ErrorCode::kInvalidImage);
  const auto jpeg = "\xFF\xD8\xFF\xC0\0\x11\x08\0\x10\0\x10\x03\x01\x11\0\x02\x11\0\x03\x11\0"s;
  CHECK(decode_text(jpeg).error().code == ErrorCode::kInvalidImage);
}

TEST_CASE("Decode: odd files are pictures or errors, never a crash", "[model][unit]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  const std::set<std::string> broken{"truncated_image.png", "truncated_jpeg.jpg", "reallybig.bmp"};
  const std::set<std::string> good{"hopper.bmp",   "hopper.jpg",          "hopper.png",       "hopper.ppm",
                                   "hopper.tif",   "hopper.webp",         "hopper_16bit.pgm", "hopper_gray.jpg",
                                   "monkey16.png", "pil_sample_cmyk.jpg", "testimgari.jpg",   "transparent.png"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "odd")) {
    if (!entry.is_regular_file()) continue;
    const auto name = entry.path().filename().string();
    INFO(name);
    const auto picture = decode_text(load(entry.path()));
    if (good.contains(name)) CHECK(picture.ok());
    if (broken.contains(name)) CHECK(picture.error().code == ErrorCode::kInvalidImage);
    if (entry.path().extension() == ".gif") CHECK(picture.error().code == ErrorCode::kUnsupportedMediaType);
    if (!picture) CHECK(picture.error().code != ErrorCode::kInternal);
  }
}

TEST_CASE("Decode: EXIF orientation is applied", "[model][unit]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  const auto upright = decode_text(load(*data / "exif/Landscape_1.jpg"));
  REQUIRE(upright.ok());
  for (int orientation = 2; orientation <= 8; ++orientation) {
    INFO(orientation);
    const auto turned = decode_text(load(*data / ("exif/Landscape_" + std::to_string(orientation) + ".jpg")));
    REQUIRE(turned.ok());
    REQUIRE(turned->view().width == upright->view().width);
    REQUIRE(turned->view().height == upright->view().height);
    CHECK(mean_difference(turned->view(), upright->view()) < 6);
  }
}

TEST_CASE("Decode: a large JPEG is decoded smaller where less is needed, and tells its own size", "[model][unit]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  // 1800 x 1200 as stored, and turned: twice that makes it large.
  prepare_decoder();
  const auto small = decode_text(load(*data / "exif/Landscape_1.jpg"));
  REQUIRE(small.ok());
  const auto large = encode_jpeg(small->view(), 2);
  struct Case {
    Size needed;
    int factor;
  };
  for (const auto& [needed, factor] :
       {Case{{800, 800}, 2}, Case{{801, 10}, 1}, Case{{400, 400}, 4}, Case{{10, 400}, 4}, Case{{1, 1}, 8}}) {
    const auto picture = decode_text(large, kEnough, needed);
    REQUIRE(picture.ok());
    CHECK(picture->size() == Size{3600, 2400});
    CHECK(picture->view().width == 3600 / factor);
    CHECK(picture->view().height == 2400 / factor);
    CHECK(mean_difference(picture->view(), shrunk(*small, factor).view()) < 3);
    // Held another way, it is the same picture turned.
    const auto turned = decode_text(turned_by_exif(large), kEnough, needed);
    REQUIRE(turned.ok());
    CHECK(turned->size() == Size{2400, 3600});
    CHECK(turned->view().width == 2400 / factor);
    const auto right = shrunk(*small, factor, true);
    CHECK(mean_difference(turned->view(), right.view()) < 3);
  }
  // Too small for it to matter.
  const auto whole = decode_text(load(*data / "exif/Landscape_6.jpg"), kEnough, Size{1, 1});
  REQUIRE(whole.ok());
  CHECK(whole->view().width == 1800);
}

TEST_CASE("Decode: what is no JPEG is decoded whole, whatever is needed", "[model][unit]") {
  const auto picture = decode_text("P6 16 8 255\n" + std::string(3 * 16 * 8, 'x'), kEnough, Size{1, 1});
  REQUIRE(picture.ok());
  CHECK(picture->view().width == 16);
}

TEST_CASE("Decode: damaged pictures are errors or pictures of the header's size", "[model][unit]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  std::mt19937 random(5);
  for (const auto* name : {"hopper.jpg", "hopper.png", "hopper.webp", "hopper.bmp", "hopper.tif", "hopper.ppm"}) {
    const auto whole = load(*data / "odd" / name);
    for (int round = 0; round < 100; ++round) {
      auto damaged = whole;
      for (int i = 0; i < 5; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
      if (round % 2 == 0) damaged.resize(random() % damaged.size());
      INFO(name);
      const auto picture = decode_text(damaged, 1'000'000);
      if (picture) CHECK(picture->view().width * picture->view().height <= 1'000'000);
    }
  }
}

TEST_CASE("Annotate: a JPEG of the same size with something drawn", "[model][unit]") {
  const auto picture = decode_text("P6 64 48 255\n" + std::string(64 * 48 * 3, '\0'));
  REQUIRE(picture.ok());
  const std::vector<yolod::common::Detection> detections{{0, 0.9F, {10, 20, 40, 40}}, {7, 0.5F, {0, 0, 64, 48}}};
  const std::vector<std::string> labels{"dog"};
  const auto bytes = annotate(*picture, detections, labels);
  REQUIRE(bytes.ok());
  const auto drawn = decode(*bytes, kEnough);
  REQUIRE(drawn.ok());
  CHECK(drawn->view().width == 64);
  CHECK(drawn->view().height == 48);
  CHECK(mean_difference(drawn->view(), picture->view()) > 5);
}
