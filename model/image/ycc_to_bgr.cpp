#include "model/image/ycc_to_bgr.hpp"

#include <algorithm>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

#if defined(__SSE2__)
constexpr int kStep = 16;

// Three vectors of 16 bytes, as one of 48.
struct Three {
  __m128i first;
  __m128i second;
  __m128i third;
};

__m128i high_half(__m128i bytes) { return _mm_unpackhi_epi64(bytes, bytes); }

// The two halves of 48 bytes, a byte of each in turn.
Three shuffle(const Three& t) {
  return {_mm_unpacklo_epi8(t.first, high_half(t.second)), _mm_unpacklo_epi8(high_half(t.first), t.third),
          _mm_unpacklo_epi8(t.second, high_half(t.third))};
}

// The opposite: bytes at even places, then those at odd ones.
Three unshuffle(const Three& t) {
  const auto low = _mm_set1_epi16(0x00FF);
  const auto even = [&](__m128i bytes) { return _mm_and_si128(bytes, low); };
  const auto odd = [](__m128i bytes) { return _mm_srli_epi16(bytes, 8); };
  return {_mm_packus_epi16(even(t.first), even(t.second)), _mm_packus_epi16(even(t.third), odd(t.first)),
          _mm_packus_epi16(odd(t.second), odd(t.third))};
}

// Of 48 bytes in threes all first ones, all second ones, all third ones: a shuffle moves byte i to 2 i modulo 47, four
// of them move byte 3 i to i, as 3 * 16 is 1 more than 47.
Three planes_of(const Three& pixels) { return shuffle(shuffle(shuffle(shuffle(pixels)))); }
Three pixels_of(const Three& planes) { return unshuffle(unshuffle(unshuffle(unshuffle(planes)))); }

__m128i load(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

void store(__m128i bytes, std::uint8_t* into) { _mm_storeu_si128(reinterpret_cast<__m128i*>(into), bytes); }

// Eight pixels' sums of 16 bits, in blue, green, red.
Three convert_eight(__m128i luma, __m128i blue_chroma, __m128i red_chroma) {
  const auto half = _mm_set1_epi16(128);
  const auto y = _mm_add_epi16(_mm_slli_epi16(luma, 4), _mm_set1_epi16(8));
  const auto cb = _mm_slli_epi16(_mm_sub_epi16(blue_chroma, half), 8);
  const auto cr = _mm_slli_epi16(_mm_sub_epi16(red_chroma, half), 8);
  // (chroma << 8) * factor >> 16 is the product of convert_pixel().
  const auto times = [](__m128i chroma, short factor) { return _mm_mulhi_epi16(chroma, _mm_set1_epi16(factor)); };
  return {_mm_add_epi16(y, times(cb, kBlueOfCb)),
          _mm_add_epi16(_mm_add_epi16(y, times(cr, -kGreenOfCr)), times(cb, -kGreenOfCb)),
          _mm_add_epi16(y, times(cr, kRedOfCr))};
}

void convert_sixteen(__m128i y, __m128i cb, __m128i cr, std::uint8_t* bgr) {
  const auto zero = _mm_setzero_si128();
  const auto low = convert_eight(_mm_unpacklo_epi8(y, zero), _mm_unpacklo_epi8(cb, zero), _mm_unpacklo_epi8(cr, zero));
  const auto high = convert_eight(_mm_unpackhi_epi8(y, zero), _mm_unpackhi_epi8(cb, zero), _mm_unpackhi_epi8(cr, zero));
  const auto to_bytes = [](__m128i first_eight, __m128i last_eight) {
    return _mm_packus_epi16(_mm_srai_epi16(first_eight, 4), _mm_srai_epi16(last_eight, 4));
  };
  const auto pixels =
      pixels_of({to_bytes(low.first, high.first), to_bytes(low.second, high.second), to_bytes(low.third, high.third)});
  store(pixels.first, bgr);
  store(pixels.second, bgr + 16);
  store(pixels.third, bgr + 32);
}
#endif

}  // namespace

void ycc_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width) {
  int x = 0;
#if defined(__SSE2__)
  for (; x + kStep <= width; x += kStep) {
    const auto* const at = ycc + 3 * x;
    const auto [y, cb, cr] = planes_of({load(at), load(at + 16), load(at + 32)});
    convert_sixteen(y, cb, cr, bgr + 3 * x);
  }
#endif
  for (; x < width; ++x) convert_pixel(ycc[3 * x], ycc[3 * x + 1], ycc[3 * x + 2], bgr + 3 * x);
}

void planes_row_to_bgr(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, std::uint8_t* bgr,
                       int width) {
  int x = 0;
#if defined(__SSE2__)
  for (; x + kStep <= width; x += kStep) {
    convert_sixteen(load(y + x), load(cb + x), load(cr + x), bgr + 3 * x);
  }
#endif
  for (; x < width; ++x) convert_pixel(y[x], cb[x], cr[x], bgr + 3 * x);
}

}  // namespace yolod::model::image
