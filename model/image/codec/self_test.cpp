#include "model/image/codec/self_test.hpp"

#include <array>
#include <cstdlib>
#include <span>
#include <string>

#include "model/image/codec/decode.hpp"
#include "model/image/codec/self_test_pictures.hpp"

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr int kSide = 8;

enum class Drawn { kSlopes, kFlat, kHalves };

struct Case {
  const char* name;
  Drawn drawn;
  std::span<const std::uint8_t> file;
};

constexpr std::array kCases = std::to_array<Case>({
    {"JPEG", Drawn::kFlat, self_test_pictures::kJpeg},
    {"progressive JPEG", Drawn::kFlat, self_test_pictures::kProgressiveJpeg},
    {"PNG", Drawn::kSlopes, self_test_pictures::kPng},
    {"lossless WebP", Drawn::kSlopes, self_test_pictures::kWebpLossless},
    {"lossy WebP", Drawn::kFlat, self_test_pictures::kWebpLossy},
    {"TIFF (LZW)", Drawn::kSlopes, self_test_pictures::kTiffLzw},
    {"TIFF (Deflate)", Drawn::kSlopes, self_test_pictures::kTiffDeflate},
    {"TIFF (group 4)", Drawn::kHalves, self_test_pictures::kTiffFax},
    {"TIFF (JPEG)", Drawn::kFlat, self_test_pictures::kTiffJpeg},
    {"BMP", Drawn::kSlopes, self_test_pictures::kBmp},
    {"PNM", Drawn::kSlopes, self_test_pictures::kPnm},
});

std::array<int, 3> expected_bgr(Drawn drawn, int x, int y) {
  switch (drawn) {
    case Drawn::kSlopes: return {15 * (x + y), 30 * y, 30 * x};
    case Drawn::kFlat: return {50, 100, 200};
    case Drawn::kHalves: break;
  }
  const int shade = x < kSide / 2 ? 0 : 255;
  return {shade, shade, shade};
}

bool is_as_drawn(const PixelView& picture, Drawn drawn) {
  if (picture.width != kSide || picture.height != kSide) return false;
  // Lossy formats are tested with one colour.
  const int allowed = drawn == Drawn::kFlat ? 6 : 0;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const auto expected = expected_bgr(drawn, x, y);
      const auto* pixel = picture.bgr + static_cast<std::size_t>(y) * picture.stride_bytes + 3 * x;
      for (std::size_t c = 0; c < expected.size(); ++c) {
        if (std::abs(pixel[c] - expected[c]) > allowed) return false;
      }
    }
  }
  return true;
}

}  // namespace

Outcome<void> self_test() {
  for (const auto& [name, drawn, file] : kCases) {
    const auto failed = [&name = name](const std::string& why) {
      return Error{ErrorCode::kInternal, std::string("self-test of the decoders: ") + name + ": " + why};
    };
    const auto picture = decode(std::as_bytes(file), {});
    if (!picture) return failed(picture.error().message);
    if (!is_as_drawn(picture->view(), drawn)) return failed("the pixels are wrong");
  }
  return {};
}

}  // namespace yolod::model::image
