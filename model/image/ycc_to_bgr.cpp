#include "model/image/ycc_to_bgr.hpp"

#include <algorithm>
#include <array>
#include <opencv2/core/hal/intrin.hpp>

namespace yolod::model::image {
namespace {

// The factors of stb_image's conversion, in 4096ths: 1.402, 0.71414, 0.34414, 1.772.
constexpr short kRedOfCr = 5743;
constexpr short kGreenOfCr = 2925;
constexpr short kGreenOfCb = 1410;
constexpr short kBlueOfCb = 7258;

// In sixteenths; every product is rounded down to those before they are added, as stb_image's are.
void convert_pixel(int luma, int blue_chroma, int red_chroma, std::uint8_t* bgr) {
  const auto times = [](int chroma, int factor) { return (chroma * factor) >> 8; };
  const auto to_byte = [](int sixteenths) { return static_cast<std::uint8_t>(std::clamp(sixteenths >> 4, 0, 255)); };
  const int y = luma * 16 + 8;
  const int cb = blue_chroma - 128;
  const int cr = red_chroma - 128;
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

constexpr int kStep = 16;

void convert_sixteen(const cv::v_uint8x16& y, const cv::v_uint8x16& cb, const cv::v_uint8x16& cr, std::uint8_t* bgr) {
  std::array<cv::v_uint16x8, 2> wide_y;
  std::array<cv::v_uint16x8, 2> wide_cb;
  std::array<cv::v_uint16x8, 2> wide_cr;
  cv::v_expand(y, wide_y[0], wide_y[1]);
  cv::v_expand(cb, wide_cb[0], wide_cb[1]);
  cv::v_expand(cr, wide_cr[0], wide_cr[1]);
  const auto low = convert_eight(wide_y[0], wide_cb[0], wide_cr[0]);
  const auto high = convert_eight(wide_y[1], wide_cb[1], wide_cr[1]);
  cv::v_store_interleave(bgr, to_bytes(low.blue, high.blue), to_bytes(low.green, high.green),
                         to_bytes(low.red, high.red));
}
#endif

}  // namespace

void ycc_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width) {
  int x = 0;
#if CV_SIMD128
  for (; x + kStep <= width; x += kStep) {
    cv::v_uint8x16 y;
    cv::v_uint8x16 cb;
    cv::v_uint8x16 cr;
    cv::v_load_deinterleave(ycc + 3 * x, y, cb, cr);
    convert_sixteen(y, cb, cr, bgr + 3 * x);
  }
#endif
  for (; x < width; ++x) convert_pixel(ycc[3 * x], ycc[3 * x + 1], ycc[3 * x + 2], bgr + 3 * x);
}

void planes_row_to_bgr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, std::uint8_t* bgr,
                       int width) {
  int x = 0;
#if CV_SIMD128
  for (; x + kStep <= width; x += kStep) {
    convert_sixteen(cv::v_load(y + x), cv::v_load(cb + x), cv::v_load(cr + x), bgr + 3 * x);
  }
#endif
  for (; x < width; ++x) convert_pixel(y[x], cb[x], cr[x], bgr + 3 * x);
}

}  // namespace yolod::model::image
