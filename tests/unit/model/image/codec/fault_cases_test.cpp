// Decodes files that once did harm, and checks that they do no harm now.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/sanitizers.hpp"
#include "model/image/codec/decode.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

using namespace yolod::model::image;
using namespace std::chrono_literals;
using yolod::common::ErrorCode;

namespace {

yolod::common::Outcome<Picture> decode_case(const std::string& file, std::chrono::nanoseconds max_time = 100s,
                                            std::optional<Size> needed = std::nullopt) {
  return decode(std::as_bytes(std::span<const char>(file)), {.max_time = max_time}, needed);
}

std::vector<std::uint8_t> all_pixels(const Picture& picture) {
  const auto view = picture.view();
  return {view.bgr, view.bgr + static_cast<std::size_t>(view.height) * view.stride_bytes};
}

std::string case_bytes(const char* name) {
  auto bytes = yolod::tests::read_file(*yolod::tests::fault_cases() / name);
  REQUIRE_FALSE(bytes.empty());
  return bytes;
}

ErrorCode error_of_case(const char* name) {
  INFO(name);
  const auto picture = decode_case(case_bytes(name));
  REQUIRE_FALSE(picture.ok());
  return picture.error().code;
}

// Returns the B, G and R values of a pixel.
std::vector<int> one_pixel(const Picture& picture, int x, int y) {
  const auto view = picture.view();
  const auto* at = view.bgr + static_cast<std::size_t>(y) * view.stride_bytes + 3 * x;
  return {at[0], at[1], at[2]};
}

#define SKIP_WITHOUT_CASES()                        \
  if (!yolod::tests::fault_cases()) {               \
    WARN("SKIPPED: no cases beside the test data"); \
    return;                                         \
  }

}  // namespace

TEST_CASE("FaultCases: a PNM that begins with a comment is a picture, whatever the comment holds",
          "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  for (const auto* name : {"pnm_hash_plain.ppm", "pnm_hash_dicm.ppm", "pnm_hash_dted.ppm"}) {
    INFO(name);
    const auto picture = decode_case(case_bytes(name));
    REQUIRE(picture.ok());
    REQUIRE(picture->size() == Size{8, 8});
    for (int i = 0; i < 64; ++i) {
      CHECK(one_pixel(*picture, i % 8, i / 8) == std::vector<int>{3 * i + 2, 3 * i + 1, 3 * i});
    }
  }
}

TEST_CASE("FaultCases: files for GDAL and GDCM do not reach these libraries", "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  CHECK(error_of_case("webp_dicm.webp") == ErrorCode::kInvalidImage);
  // GDAL would read a label in the comment that names another file. The file itself holds a black picture.
  const auto picture = decode_case(case_bytes("gdal_pds_passwd.ppm"));
  REQUIRE(picture.ok());
  CHECK(picture->size() == Size{16, 16});
  CHECK(all_pixels(*picture) == std::vector<std::uint8_t>(3 * 16 * 16, 0));
}

TEST_CASE("FaultCases: a file with endless scans takes no longer than the allowed time", "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  CHECK(error_of_case("dc_80.jpg") == ErrorCode::kInvalidImage);  // the file is arithmetic-coded
  const auto file = case_bytes("jpeg_prog_refine_100MP_100.jpg");
  const auto began = std::clock();
  const auto picture = decode_case(file, 200ms);
  CHECK(std::clock() - began < CLOCKS_PER_SEC * 3 / 2);
  REQUIRE_FALSE(picture.ok());
  CHECK((picture.error().code == ErrorCode::kImageTooComplex || picture.error().code == ErrorCode::kInvalidImage));
}

TEST_CASE("FaultCases: small files that decode to large pictures succeed, or are too complex in less time",
          "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  for (const auto* name : {"png_1bit_100MP.png", "tiff_g4_100MP.tif"}) {
    INFO(name);
    const auto file = case_bytes(name);
    const auto refused = decode_case(file, 20ms);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kImageTooComplex);
    // The hundred million pixels take seconds there.
    if (yolod::common::kSanitized && !yolod::tests::is_long_run()) continue;
    const auto picture = decode_case(file);
    REQUIRE(picture.ok());
    REQUIRE(picture->size() == Size{10'000, 10'000});
    // All pixels have the same colour.
    const auto view = picture->view();
    const auto* last = view.bgr + 9'999 * view.stride_bytes;
    CHECK(std::vector<int>(last, last + 3) == one_pixel(*picture, 0, 0));
  }
}

TEST_CASE("FaultCases: the decoder does not unpack the texts of a PNG", "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  const auto picture = decode_case(case_bytes("png_ztxt_12x8MB.png"), 50ms);
  CHECK(picture.ok());
}

TEST_CASE("FaultCases: a JPEG without its end marker is whole, and a JPEG cut at another place is an error",
          "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  const auto whole = decode_case(case_bytes("jpeg_whole_reference.jpg"));
  REQUIRE(whole.ok());
  const auto without_end = decode_case(case_bytes("jpeg_no_eoi.jpg"));
  REQUIRE(without_end.ok());
  CHECK(all_pixels(*without_end) == all_pixels(*whole));
  CHECK(error_of_case("jpeg_cut_at_half.jpg") == ErrorCode::kInvalidImage);
  CHECK(error_of_case("jpeg_header_only_64x64.jpg") == ErrorCode::kInvalidImage);
  CHECK(error_of_case("jpeg_two_sof.jpg") == ErrorCode::kInvalidImage);
}

TEST_CASE("FaultCases: a WebP is turned by its EXIF orientation, and an animation gives its first frame",
          "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  const auto turned = decode_case(case_bytes("webp_exif6.webp"));
  REQUIRE(turned.ok());
  CHECK(turned->size() == Size{64, 64});
  // Without the EXIF flag, the decoder returns the picture as stored.
  auto file = case_bytes("webp_exif6.webp");
  file[20] = static_cast<char>(file[20] & ~0x08);
  const auto stored = decode_case(file);
  REQUIRE(stored.ok());
  bool same = true;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) same = same && one_pixel(*turned, 63 - y, x) == one_pixel(*stored, x, y);
  }
  CHECK(same);
  CHECK(all_pixels(*turned) != all_pixels(*stored));
  const auto first = decode_case(case_bytes("animated.webp"));
  REQUIRE(first.ok());
  REQUIRE(first->size() == Size{64, 64});
  // libwebp's program gives these values for the first frame. The second frame is its negative.
  CHECK(one_pixel(*first, 0, 0) == std::vector<int>{20, 20, 230});
  CHECK(one_pixel(*first, 32, 32) == std::vector<int>{127, 128, 128});
  CHECK(one_pixel(*first, 63, 63) == std::vector<int>{3, 252, 252});
}

TEST_CASE("FaultCases: the masks of a BMP are used, and transparent pixels of a TIFF keep their colour",
          "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  // Each pixel has four bytes with red in the lowest byte. The pixels begin at byte 66, with the lowest row first.
  const auto file = case_bytes("bmp_bitfields_rgbx.bmp");
  const auto bmp = decode_case(file);
  REQUIRE(bmp.ok());
  REQUIRE(bmp->size() == Size{64, 64});
  const auto first = static_cast<unsigned char>(file[10]);
  bool same = true;
  for (int i = 0; i < 64 * 64; ++i) {
    const auto at = static_cast<std::size_t>(first + 4 * i);
    const auto byte = [&](std::size_t c) { return static_cast<int>(static_cast<unsigned char>(file[at + c])); };
    same = same && one_pixel(*bmp, i % 64, 63 - i / 64) == std::vector<int>{byte(2), byte(1), byte(0)};
  }
  CHECK(same);
  const auto tiff = decode_case(case_bytes("rgba_transparent.tif"));
  REQUIRE(tiff.ok());
  REQUIRE(tiff->size() == Size{64, 64});
  // The TIFF is not compressed. Its only strip is the last 64 x 64 pixels of red, green, blue and alpha.
  const auto stored = case_bytes("rgba_transparent.tif");
  const std::size_t strip = 154;
  REQUIRE(stored.size() >= strip + 64 * 64 * 4);
  int transparent = 0;
  bool alike = true;
  for (int i = 0; i < 64 * 64; ++i) {
    const auto byte = [&](std::size_t c) {
      return static_cast<int>(static_cast<unsigned char>(stored[strip + 4 * static_cast<std::size_t>(i) + c]));
    };
    transparent += byte(3) == 0 ? 1 : 0;
    alike = alike && one_pixel(*tiff, i % 64, i / 64) == std::vector<int>{byte(2), byte(1), byte(0)};
  }
  CHECK(alike);
  CHECK(transparent > 1'000);
}

TEST_CASE("FaultCases: the samples of a PNM are scaled by its largest value", "[model][unit][skips]") {
  SKIP_WITHOUT_CASES();
  for (const auto& [name, most, bytes] :
       {std::tuple("pgm_maxval15.pgm", 15, 1), std::tuple("pgm_maxval1023.pgm", 1023, 2)}) {
    INFO(name);
    const auto file = case_bytes(name);
    const auto picture = decode_case(file);
    REQUIRE(picture.ok());
    REQUIRE(picture->size() == Size{64, 64});
    const auto first = file.size() - static_cast<std::size_t>(64 * 64 * bytes);
    bool same = true;
    for (int i = 0; i < 64 * 64; ++i) {
      int value = 0;
      for (int b = 0; b < bytes; ++b) {
        value = value << 8 | static_cast<unsigned char>(file[first + static_cast<std::size_t>(i * bytes + b)]);
      }
      const int scaled = (std::min(value, most) * 255 + most / 2) / most;
      same = same && one_pixel(*picture, i % 64, i / 64) == std::vector<int>(3, scaled);
    }
    CHECK(same);
  }
}
