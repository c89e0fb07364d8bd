#include "model/image/jpeg.hpp"

// libjpeg's header wants these two before it.
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/core/hal/intrin.hpp>

namespace yolod::model::image {
namespace {

// Where libjpeg jumps to instead of ending the process.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf escape;
};

[[noreturn]] void jump_out(j_common_ptr info) { std::longjmp(reinterpret_cast<ErrorManager*>(info->err)->escape, 1); }

// A fault that libjpeg would pass over: OpenCV decides what becomes of such a picture.
void take_warning(j_common_ptr info, int level) {
  if (level < 0) jump_out(info);
}

void print_nothing(j_common_ptr /*info*/) {}

// The factors of stb_image's conversion, in 4096ths: 1.402, 0.71414, 0.34414, 1.772.
constexpr short kRedOfCr = 5743;
constexpr short kGreenOfCr = 2925;
constexpr short kGreenOfCb = 1410;
constexpr short kBlueOfCb = 7258;

// In sixteenths; every product is rounded down to those before they are added, as stb_image's are.
void convert_pixel(const std::uint8_t* ycc, std::uint8_t* bgr) {
  const auto times = [](int chroma, int factor) { return (chroma * factor) >> 8; };
  const auto to_byte = [](int sixteenths) { return static_cast<std::uint8_t>(std::clamp(sixteenths >> 4, 0, 255)); };
  const int y = ycc[0] * 16 + 8;
  const int cb = ycc[1] - 128;
  const int cr = ycc[2] - 128;
  bgr[0] = to_byte(y + times(cb, kBlueOfCb));
  bgr[1] = to_byte(y + times(cr, -kGreenOfCr) + times(cb, -kGreenOfCb));
  bgr[2] = to_byte(y + times(cr, kRedOfCr));
}

#if CV_SIMD128
// Eight pixels' sums of 16 bits; (chroma << 8) * factor >> 16 is the product above.
struct Sums {
  cv::v_int16x8 blue;
  cv::v_int16x8 green;
  cv::v_int16x8 red;
};

Sums convert_eight(const cv::v_uint16x8& luma, const cv::v_uint16x8& blue_chroma, const cv::v_uint16x8& red_chroma) {
  const auto half = cv::v_setall_s16(128);
  const auto y = (cv::v_reinterpret_as_s16(luma) << 4) + cv::v_setall_s16(8);
  const auto cb = (cv::v_reinterpret_as_s16(blue_chroma) - half) << 8;
  const auto cr = (cv::v_reinterpret_as_s16(red_chroma) - half) << 8;
  return {y + cv::v_mul_hi(cb, cv::v_setall_s16(kBlueOfCb)),
          y + cv::v_mul_hi(cr, cv::v_setall_s16(-kGreenOfCr)) + cv::v_mul_hi(cb, cv::v_setall_s16(-kGreenOfCb)),
          y + cv::v_mul_hi(cr, cv::v_setall_s16(kRedOfCr))};
}

cv::v_uint8x16 to_bytes(const cv::v_int16x8& low, const cv::v_int16x8& high) {
  return cv::v_pack_u(low >> 4, high >> 4);
}
#endif

void convert_row(const std::uint8_t* ycc, std::uint8_t* bgr, int width) {
  int x = 0;
#if CV_SIMD128
  constexpr int kStep = 16;
  for (; x + kStep <= width; x += kStep) {
    cv::v_uint8x16 y;
    cv::v_uint8x16 cb;
    cv::v_uint8x16 cr;
    cv::v_load_deinterleave(ycc + 3 * x, y, cb, cr);
    std::array<cv::v_uint16x8, 2> wide_y;
    std::array<cv::v_uint16x8, 2> wide_cb;
    std::array<cv::v_uint16x8, 2> wide_cr;
    cv::v_expand(y, wide_y[0], wide_y[1]);
    cv::v_expand(cb, wide_cb[0], wide_cb[1]);
    cv::v_expand(cr, wide_cr[0], wide_cr[1]);
    const auto low = convert_eight(wide_y[0], wide_cb[0], wide_cr[0]);
    const auto high = convert_eight(wide_y[1], wide_cb[1], wide_cr[1]);
    cv::v_store_interleave(bgr + 3 * x, to_bytes(low.blue, high.blue), to_bytes(low.green, high.green),
                           to_bytes(low.red, high.red));
  }
#endif
  for (; x < width; ++x) convert_pixel(ycc + 3 * x, bgr + 3 * x);
}

struct Decompressor {
  jpeg_decompress_struct info{};
  ErrorManager errors{};

  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

// False where libjpeg has a fault to find, or the picture is of another kind. A jump runs no destructor: what has one
// is made before the place that is jumped to. `orientation` is what the file says.
bool read_pixels(std::span<const std::byte> file, std::uint64_t reduction, cv::Mat& pixels, cv::Mat& row,
                 int& orientation) {
  Decompressor decompressor;
  auto& info = decompressor.info;
  auto& errors = decompressor.errors;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = jump_out;
  errors.base.emit_message = take_warning;
  errors.base.output_message = print_nothing;
  if (setjmp(errors.escape) != 0) return false;
  jpeg_create_decompress(&info);
  constexpr unsigned kWholeMarker = 0xFFFF;
  jpeg_save_markers(&info, JPEG_APP0 + 1, kWholeMarker);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  if (info.jpeg_color_space != JCS_YCbCr || info.data_precision != 8) return false;
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    orientation = exif_orientation({marker->data, marker->data_length});
    if (orientation != 1) break;
  }
  info.out_color_space = JCS_YCbCr;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(reduction);
  jpeg_start_decompress(&info);
  pixels.create(static_cast<int>(info.output_height), static_cast<int>(info.output_width), CV_8UC3);
  row.create(1, pixels.cols, CV_8UC3);
  while (info.output_scanline < info.output_height) {
    auto* const out = pixels.ptr<std::uint8_t>(static_cast<int>(info.output_scanline));
    auto* line = row.ptr<std::uint8_t>(0);
    jpeg_read_scanlines(&info, &line, 1);
    convert_row(line, out, pixels.cols);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// The eight are: as it is, mirrored, turned by half, mirrored upside down, transposed, turned right, transposed about
// the other diagonal, turned left.
void make_upright(cv::Mat& pixels, int orientation) {
  constexpr int kUpsideDown = 0;
  constexpr int kMirror = 1;
  constexpr int kBoth = -1;
  if (orientation >= 5) cv::transpose(pixels, pixels);
  switch (orientation) {
    case 2:
    case 6: cv::flip(pixels, pixels, kMirror); break;
    case 3:
    case 7: cv::flip(pixels, pixels, kBoth); break;
    case 4:
    case 8: cv::flip(pixels, pixels, kUpsideDown); break;
    default: break;
  }
}

}  // namespace

std::optional<cv::Mat> decode_jpeg(std::span<const std::byte> file, std::uint64_t reduction) {
  cv::Mat pixels;
  cv::Mat row;
  int orientation = 1;
  if (!read_pixels(file, reduction, pixels, row, orientation)) return std::nullopt;
  make_upright(pixels, orientation);
  return pixels;
}

int exif_orientation(std::span<const std::uint8_t> app1) {
  constexpr std::array<std::uint8_t, 6> kExif{'E', 'x', 'i', 'f', 0, 0};
  constexpr std::size_t kEntryBytes = 12;
  if (app1.size() < kExif.size() || !std::equal(kExif.begin(), kExif.end(), app1.begin())) return 1;
  const auto tiff = app1.subspan(kExif.size());
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return 1;
  // Callers have checked that the bytes are there.
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | tiff[little ? at + bytes - 1 - i : at + i];
    return value;
  };
  const auto directory = number(4, 4);
  if (number(2, 2) != 42 || directory > tiff.size() - 2) return 1;
  const auto count = std::min(number(directory, 2), (tiff.size() - directory - 2) / kEntryBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = directory + 2 + i * kEntryBytes;
    constexpr std::size_t kOrientation = 0x0112;
    constexpr std::size_t kShort = 3;
    if (number(entry, 2) != kOrientation) continue;
    const auto value = number(entry + 8, 2);
    return number(entry + 2, 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace yolod::model::image
