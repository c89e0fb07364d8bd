#include "model/image/codec/decode.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/sanitizers.hpp"
#include "model/image/codec/encode.hpp"
#include "model/image/upright.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/sample_pictures.hpp"

using namespace yolod::model::image;
using yolod::common::ErrorCode;
using yolod::tests::test_data;

namespace {

constexpr std::uint64_t kEnough = 100'000'000;

yolod::common::Outcome<Picture> decode_text(const std::string& file, std::uint64_t max_pixels = kEnough,
                                            std::optional<Size> needed = std::nullopt) {
  return decode(std::as_bytes(std::span<const char>(file)),
                {.max_pixels = max_pixels, .max_time = std::chrono::minutes(1)}, needed);
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

// A picture whose pixels the test sets.
struct Pixels {
  Pixels(int of_width, int of_height)
      : bgr(3 * static_cast<std::size_t>(of_width) * static_cast<std::size_t>(of_height)),
        width(of_width),
        height(of_height) {}

  [[nodiscard]] std::uint8_t& at(int x, int y, int c) {
    return bgr[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) +
               static_cast<std::size_t>(c)];
  }
  [[nodiscard]] PixelView view() const { return {bgr.data(), width, height, 3 * static_cast<std::size_t>(width)}; }

  std::vector<std::uint8_t> bgr;
  int width;
  int height;
};

int value_of(const PixelView& picture, int x, int y, int c) {
  return picture.bgr[static_cast<std::size_t>(y) * picture.stride_bytes + static_cast<std::size_t>(3 * x + c)];
}

// Returns a JPEG of twice the width and height. Each pixel of `picture` becomes four pixels.
std::string twice_as_large(const PixelView& picture) {
  Pixels large(2 * picture.width, 2 * picture.height);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) {
      for (int c = 0; c < 3; ++c) large.at(x, y, c) = static_cast<std::uint8_t>(value_of(picture, x / 2, y / 2, c));
    }
  }
  const auto file = encode(large.view(), yolod::common::FileType::kJpeg);
  REQUIRE(file.ok());
  return {reinterpret_cast<const char*>(file->data()), file->size()};
}

// Returns the expected pixels of a file at 1 / `factor` of its size. `small` is the picture at half the size of the
// file. Each result pixel is a mean of pixels of `small`. `turned` turns the result to the right.
Pixels shrunk(const PixelView& small, int factor, bool turned = false) {
  const int width = 2 * small.width / factor;
  const int height = 2 * small.height / factor;
  Pixels result(turned ? height : width, turned ? width : height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        const int side = std::max(1, factor / 2);
        for (int i = 0; i < side * side; ++i) {
          const int left = factor == 1 ? x / 2 : x * side;
          const int top = factor == 1 ? y / 2 : y * side;
          sum += value_of(small, left + i % side, top + i / side, c);
        }
        (turned ? result.at(height - 1 - y, x, c) : result.at(x, y, c)) =
            static_cast<std::uint8_t>(sum / (side * side));
      }
    }
  }
  return result;
}

// Inserts an APP1 segment with orientation 6, so that a viewer turns the picture by a quarter.
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

std::string file_bytes(const std::filesystem::path& file) { return yolod::tests::read_file(file); }

}  // namespace

TEST_CASE("Decode: the pixels of a small picture are in the order BGR", "[model][unit]") {
  const auto picture = decode_text("P6 2 1 255\n\x01\x02\x03\x0B\x0C\x0D");
  REQUIRE(picture.ok());
  const auto view = picture->view();
  REQUIRE(view.width == 2);
  REQUIRE(view.height == 1);
  CHECK(std::vector<int>(view.bgr, view.bgr + 6) == std::vector<int>{3, 2, 1, 13, 12, 11});
}

TEST_CASE("Decode: grey becomes colour, and 16-bit samples keep their upper 8 bits", "[model][unit]") {
  const auto grey = decode_text("P5 1 1 255\n\x50");
  REQUIRE(grey.ok());
  CHECK(std::vector<int>(grey->view().bgr, grey->view().bgr + 3) == std::vector<int>{0x50, 0x50, 0x50});
  const auto deep = decode_text("P5 1 1 65535\n\x50\x01");
  REQUIRE(deep.ok());
  CHECK(std::abs(deep->view().bgr[0] - 0x50) <= 1);
}

TEST_CASE("Decode: make_grey() writes the luma to all channels", "[model][unit]") {
  auto picture =
      decode(yolod::tests::bytes_of("P6 4 1 255\n" + std::string("\xFF\0\0\0\xFF\0\0\0\xFF\x7B\x7B\x7B", 12)), {});
  REQUIRE(picture);
  picture->make_grey();
  const auto view = picture->view();
  for (int c = 0; c < 3; ++c) {
    // The values are 255 times 0.299, 0.587 and 0.114. A grey pixel does not change.
    CHECK(value_of(view, 0, 0, c) == 76);
    CHECK(value_of(view, 1, 0, c) == 150);
    CHECK(value_of(view, 2, 0, c) == 29);
    CHECK(value_of(view, 3, 0, c) == 0x7B);
  }
}

TEST_CASE("Decode: an error from the header check is returned", "[model][unit]") {
  CHECK(decode_text("hello").error().code == ErrorCode::kInvalidImage);
  CHECK(decode_text("").error().code == ErrorCode::kInvalidImage);
  CHECK(decode_text("P6 200 200 255\n" + std::string(120'000, 'x'), 39'999).error().code == ErrorCode::kImageTooLarge);
  CHECK(decode_text("P6 2 2 255\nxx").error().code == ErrorCode::kInvalidImage);
}

TEST_CASE("Decode: a file that ends after its header is an error", "[model][unit]") {
  using namespace std::string_literals;
  const auto png = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0"s;
  CHECK(decode_text(png).error().code == ErrorCode::kInvalidImage);
  const auto jpeg = "\xFF\xD8\xFF\xC0\0\x11\x08\0\x10\0\x10\x03\x01\x11\0\x02\x11\0\x03\x11\0"s;
  CHECK(decode_text(jpeg).error().code == ErrorCode::kInvalidImage);
}

TEST_CASE("Decode: odd files give pictures or errors, and never a crash", "[model][unit][skips]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  const std::set<std::string> broken{"truncated_image.png", "reallybig.bmp", "testimgari.jpg"};
  const std::set<std::string> good{"hopper.bmp", "hopper.jpg", "hopper.png", "hopper.ppm", "hopper.tif", "hopper.webp",
                                   "hopper_16bit.pgm", "hopper_gray.jpg", "monkey16.png", "pil_sample_cmyk.jpg",
                                   "transparent.png",
                                   // This file only lacks the last byte of its end marker.
                                   "truncated_jpeg.jpg"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "odd")) {
    if (!entry.is_regular_file()) continue;
    const auto name = entry.path().filename().string();
    INFO(name);
    const auto picture = decode_text(file_bytes(entry.path()));
    if (good.contains(name)) CHECK(picture.ok());
    if (broken.contains(name)) CHECK(picture.error().code == ErrorCode::kInvalidImage);
    if (entry.path().extension() == ".gif") CHECK(picture.error().code == ErrorCode::kUnsupportedMediaType);
    if (!picture) CHECK(picture.error().code != ErrorCode::kInternal);
  }
  const auto cut = file_bytes(*data / "odd/truncated_jpeg.jpg");
  CHECK(mean_difference(decode_text(cut)->view(), decode_text(cut + '\xD9')->view()) == 0);
}

TEST_CASE("Decode: EXIF orientation is applied", "[model][unit][skips]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  const auto upright = decode_text(file_bytes(*data / "exif/Landscape_1.jpg"));
  REQUIRE(upright.ok());
  for (int orientation = 2; orientation <= 8; ++orientation) {
    INFO(orientation);
    const auto turned = decode_text(file_bytes(*data / ("exif/Landscape_" + std::to_string(orientation) + ".jpg")));
    REQUIRE(turned.ok());
    REQUIRE(turned->view().width == upright->view().width);
    REQUIRE(turned->view().height == upright->view().height);
    CHECK(mean_difference(turned->view(), upright->view()) < 6);
  }
}

TEST_CASE("Decode: a large JPEG is decoded at a reduced size if the network needs less, and reports its full size",
          "[model][unit][skips]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  // The picture has 1800 x 1200 pixels. The test doubles both sides, so that the decoder treats it as large.
  const auto small = decode_text(file_bytes(*data / "exif/Landscape_1.jpg"));
  REQUIRE(small.ok());
  const auto large = twice_as_large(small->view());
  struct Case {
    Size needed;
    int factor;
  };
  std::vector<Case> cases{{{800, 800}, 2}, {{1, 1}, 8}};
  if (!yolod::common::kSanitized) {  // there a case takes seconds
    cases.insert(cases.end(), {{{801, 10}, 1}, {{400, 400}, 4}, {{10, 400}, 4}});
  }
  for (const auto& [needed, factor] : cases) {
    const auto picture = decode_text(large, kEnough, needed);
    REQUIRE(picture.ok());
    CHECK(picture->size() == Size{3600, 2400});
    CHECK(picture->view().width == 3600 / factor);
    CHECK(picture->view().height == 2400 / factor);
    CHECK(mean_difference(picture->view(), shrunk(small->view(), factor).view()) < 3);
    // With an EXIF orientation, the result is the same picture turned.
    const auto turned = decode_text(turned_by_exif(large), kEnough, needed);
    REQUIRE(turned.ok());
    CHECK(turned->size() == Size{2400, 3600});
    CHECK(turned->view().width == 2400 / factor);
    const auto right = shrunk(small->view(), factor, true);
    CHECK(mean_difference(turned->view(), right.view()) < 3);
  }
  // This file is too small to be decoded at a reduced size.
  const auto whole = decode_text(file_bytes(*data / "exif/Landscape_6.jpg"), kEnough, Size{1, 1});
  REQUIRE(whole.ok());
  CHECK(whole->view().width == 1800);
}

TEST_CASE("Decode: a file of another format is always decoded at full size", "[model][unit]") {
  const auto picture = decode_text("P6 16 8 255\n" + std::string(3 * 16 * 8, 'x'), kEnough, Size{1, 1});
  REQUIRE(picture.ok());
  CHECK(picture->view().width == 16);
}

TEST_CASE("Decode: a damaged picture gives an error or a picture of the header's size", "[model][unit][skips]") {
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  std::mt19937 random(5);
  for (const auto* name : {"hopper.jpg", "hopper.png", "hopper.webp", "hopper.bmp", "hopper.tif", "hopper.ppm"}) {
    const auto whole = file_bytes(*data / "odd" / name);
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

TEST_CASE("Decode: each orientation moves every pixel to the right place", "[model][unit]") {
  // The picture has two rows of three pixels. The switch returns the upright place (x, y) of each pixel.
  const auto ppm = decode_text("P6 3 2 255\nabcdefghijklmnopqr");
  REQUIRE(ppm.ok());
  const auto from = ppm->view();
  yolod::model::image::codec::Budget budget(std::chrono::minutes(1));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    auto bgr = std::make_unique_for_overwrite<std::uint8_t[]>(18);
    std::copy_n(from.bgr, 18, bgr.get());
    REQUIRE(make_upright(bgr, 3, 2, orientation, budget));
    const int width = is_transposed(orientation) ? 2 : 3;
    for (int y = 0; y < 2; ++y) {
      for (int x = 0; x < 3; ++x) {
        const auto [to_x, to_y] = [&]() -> std::pair<int, int> {
          switch (orientation) {
            case 2: return {2 - x, y};
            case 3: return {2 - x, 1 - y};
            case 4: return {x, 1 - y};
            case 5: return {y, x};
            case 6: return {1 - y, x};
            case 7: return {1 - y, 2 - x};
            case 8: return {y, 2 - x};
            default: return {x, y};
          }
        }();
        CHECK(bgr[static_cast<std::size_t>(3 * (to_y * width + to_x))] == value_of(from, x, y, 0));
      }
    }
  }
}

TEST_CASE("Decode: turning a large picture in squares gives the same result as turning it pixel by pixel",
          "[model][unit]") {
  constexpr std::size_t kWidth = 71;
  constexpr std::size_t kHeight = 45;
  yolod::model::image::codec::Budget budget(std::chrono::minutes(1));
  auto bgr = std::make_unique<std::uint8_t[]>(3 * kWidth * kHeight);
  for (std::size_t i = 0; i < 3 * kWidth * kHeight; ++i) bgr[i] = static_cast<std::uint8_t>(i * 7 / 3);
  std::vector<std::uint8_t> before(bgr.get(), bgr.get() + 3 * kWidth * kHeight);
  REQUIRE(make_upright(bgr, kWidth, kHeight, 6, budget));
  bool same = true;
  for (std::size_t y = 0; y < kHeight; ++y) {
    for (std::size_t x = 0; x < 3 * kWidth; ++x) {
      same = same && bgr[3 * (x / 3 * kHeight + kHeight - 1 - y) + x % 3] == before[3 * kWidth * y + x];
    }
  }
  CHECK(same);
}

TEST_CASE(
    "Decode: a picture that needs more than the whole decode memory is too complex, other pictures return their memory",
    "[model][unit]") {
  const auto ppm = "P6 100 100 255\n" + std::string(30'000, 'x');
  const auto bytes = std::as_bytes(std::span<const char>(ppm));
  DecodeMemory little(30'000);
  const auto refused = decode(bytes, {}, std::nullopt, &little);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kImageTooComplex);
  DecodeMemory enough(200'000);
  {
    const auto picture = decode(bytes, {}, std::nullopt, &enough);
    REQUIRE(picture.ok());
    CHECK(enough.taken() == 30'000);
  }
  CHECK(enough.taken() == 0);
  CHECK_FALSE(decode(bytes.first(100), {}, std::nullopt, &enough).ok());
  CHECK(enough.taken() == 0);
}

TEST_CASE("Decode: the decoders write nothing to stderr and change no file descriptor", "[model][unit][stderr]") {
  const auto& samples = yolod::tests::sample_pictures();
  const auto before = std::filesystem::read_symlink("/proc/self/fd/2");
  std::FILE* const written = std::tmpfile();
  const int saved = ::dup(2);
  ::dup2(::fileno(written), 2);
  for (const auto& sample : samples) {
    for (std::size_t length = sample.file.size(); length > 0; length /= 2) {
      (void)decode_text(sample.file.substr(0, length));
    }
    auto damaged = sample.file;
    for (std::size_t i = damaged.size() / 3; i < damaged.size(); i += 11)
      damaged[i] = static_cast<char>(damaged[i] + 1);
    (void)decode_text(damaged);
  }
  ::dup2(saved, 2);
  ::close(saved);
  CHECK(std::ftell(written) == 0);
  CHECK(::lseek(::fileno(written), 0, SEEK_END) == 0);
  std::fclose(written);
  CHECK(std::filesystem::read_symlink("/proc/self/fd/2") == before);
}
