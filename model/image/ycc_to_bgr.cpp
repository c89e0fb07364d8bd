#include "model/image/ycc_to_bgr.hpp"

#include <algorithm>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace yolod::model::image {
namespace {

// The factors of stb_image's conversion (1.402, 0.71414, 0.34414, 1.772), in units of 1/4096.
constexpr short kRedOfCr = 5743;
constexpr short kGreenOfCr = 2925;
constexpr short kGreenOfCb = 1410;
constexpr short kBlueOfCb = 7258;

// Computes in units of 1/16. Every product is rounded down to that unit before the sum, as stb_image does.
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

// This type holds three vectors of 16 bytes, used as one vector of 48.
struct Three {
  __m128i first;
  __m128i second;
  __m128i third;
};

__m128i high_half(__m128i bytes) { return _mm_unpackhi_epi64(bytes, bytes); }

// Interleaves the two halves of 48 bytes.
Three shuffle(const Three& t) {
  return {_mm_unpacklo_epi8(t.first, high_half(t.second)), _mm_unpacklo_epi8(high_half(t.first), t.third),
          _mm_unpacklo_epi8(t.second, high_half(t.third))};
}

// The inverse: first the bytes at even positions, then the bytes at odd positions.
Three unshuffle(const Three& t) {
  const auto low = _mm_set1_epi16(0x00FF);
  const auto even = [&](__m128i bytes) { return _mm_and_si128(bytes, low); };
  const auto odd = [](__m128i bytes) { return _mm_srli_epi16(bytes, 8); };
  return {_mm_packus_epi16(even(t.first), even(t.second)), _mm_packus_epi16(even(t.third), odd(t.first)),
          _mm_packus_epi16(odd(t.second), odd(t.third))};
}

// Separates 48 bytes of pixels into three planes. A shuffle moves byte i to 2 i modulo 47, so four shuffles move byte
// 3 i to i, because 3 * 16 is 1 more than 47.
Three planes_of(const Three& pixels) { return shuffle(shuffle(shuffle(shuffle(pixels)))); }
Three pixels_of(const Three& planes) { return unshuffle(unshuffle(unshuffle(unshuffle(planes)))); }

__m128i load(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

void store(__m128i bytes, std::uint8_t* into) { _mm_storeu_si128(reinterpret_cast<__m128i*>(into), bytes); }

// Returns the 16-bit sums of eight pixels for blue, green and red.
Three convert_eight(__m128i luma, __m128i blue_chroma, __m128i red_chroma) {
  const auto half = _mm_set1_epi16(128);
  const auto y = _mm_add_epi16(_mm_slli_epi16(luma, 4), _mm_set1_epi16(8));
  const auto cb = _mm_slli_epi16(_mm_sub_epi16(blue_chroma, half), 8);
  const auto cr = _mm_slli_epi16(_mm_sub_epi16(red_chroma, half), 8);
  // (chroma << 8) * factor >> 16 is the same product as in convert_pixel().
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

// The same conversion with AVX2, for processors that have it. Pixels 0 to 15 are in the lower halves of the vectors,
// and pixels 16 to 31 in the upper halves. Each function has the attribute, because the file is compiled for every
// processor.
#define YOLOD_AVX2 __attribute__((target("avx2"), always_inline)) inline

constexpr int kWideStep = 32;

struct WideThree {
  __m256i first;
  __m256i second;
  __m256i third;
};

YOLOD_AVX2 __m256i load_two(const std::uint8_t* low, const std::uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load(low)), load(high), 1);
}

YOLOD_AVX2 void store_two(__m256i bytes, std::uint8_t* low, std::uint8_t* high) {
  store(_mm256_castsi256_si128(bytes), low);
  store(_mm256_extracti128_si256(bytes, 1), high);
}

// `from` gives the source index for each byte; a byte whose highest bit is set becomes 0.
YOLOD_AVX2 __m256i pick(__m256i bytes, __m128i from) {
  return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(from));
}

YOLOD_AVX2 __m256i any_of(__m256i a, __m256i b, __m256i c) { return _mm256_or_si256(_mm256_or_si256(a, b), c); }

constexpr char kNo = -1;

YOLOD_AVX2 WideThree wide_planes_of(const WideThree& t) {
  const auto no = kNo;
  return {any_of(pick(t.first, _mm_setr_epi8(0, 3, 6, 9, 12, 15, no, no, no, no, no, no, no, no, no, no)),
                 pick(t.second, _mm_setr_epi8(no, no, no, no, no, no, 2, 5, 8, 11, 14, no, no, no, no, no)),
                 pick(t.third, _mm_setr_epi8(no, no, no, no, no, no, no, no, no, no, no, 1, 4, 7, 10, 13))),
          any_of(pick(t.first, _mm_setr_epi8(1, 4, 7, 10, 13, no, no, no, no, no, no, no, no, no, no, no)),
                 pick(t.second, _mm_setr_epi8(no, no, no, no, no, 0, 3, 6, 9, 12, 15, no, no, no, no, no)),
                 pick(t.third, _mm_setr_epi8(no, no, no, no, no, no, no, no, no, no, no, 2, 5, 8, 11, 14))),
          any_of(pick(t.first, _mm_setr_epi8(2, 5, 8, 11, 14, no, no, no, no, no, no, no, no, no, no, no)),
                 pick(t.second, _mm_setr_epi8(no, no, no, no, no, 1, 4, 7, 10, 13, no, no, no, no, no, no)),
                 pick(t.third, _mm_setr_epi8(no, no, no, no, no, no, no, no, no, no, 0, 3, 6, 9, 12, 15)))};
}

YOLOD_AVX2 WideThree wide_pixels_of(const WideThree& t) {
  const auto no = kNo;
  return {any_of(pick(t.first, _mm_setr_epi8(0, no, no, 1, no, no, 2, no, no, 3, no, no, 4, no, no, 5)),
                 pick(t.second, _mm_setr_epi8(no, 0, no, no, 1, no, no, 2, no, no, 3, no, no, 4, no, no)),
                 pick(t.third, _mm_setr_epi8(no, no, 0, no, no, 1, no, no, 2, no, no, 3, no, no, 4, no))),
          any_of(pick(t.first, _mm_setr_epi8(no, no, 6, no, no, 7, no, no, 8, no, no, 9, no, no, 10, no)),
                 pick(t.second, _mm_setr_epi8(5, no, no, 6, no, no, 7, no, no, 8, no, no, 9, no, no, 10)),
                 pick(t.third, _mm_setr_epi8(no, 5, no, no, 6, no, no, 7, no, no, 8, no, no, 9, no, no))),
          any_of(pick(t.first, _mm_setr_epi8(no, 11, no, no, 12, no, no, 13, no, no, 14, no, no, 15, no, no)),
                 pick(t.second, _mm_setr_epi8(no, no, 11, no, no, 12, no, no, 13, no, no, 14, no, no, 15, no)),
                 pick(t.third, _mm_setr_epi8(10, no, no, 11, no, no, 12, no, no, 13, no, no, 14, no, no, 15)))};
}

YOLOD_AVX2 __m256i wide_times(__m256i chroma, short factor) {
  return _mm256_mulhi_epi16(chroma, _mm256_set1_epi16(factor));
}

YOLOD_AVX2 WideThree convert_sixteen_sums(__m256i luma, __m256i blue_chroma, __m256i red_chroma) {
  const auto half = _mm256_set1_epi16(128);
  const auto y = _mm256_add_epi16(_mm256_slli_epi16(luma, 4), _mm256_set1_epi16(8));
  const auto cb = _mm256_slli_epi16(_mm256_sub_epi16(blue_chroma, half), 8);
  const auto cr = _mm256_slli_epi16(_mm256_sub_epi16(red_chroma, half), 8);
  return {_mm256_add_epi16(y, wide_times(cb, kBlueOfCb)),
          _mm256_add_epi16(_mm256_add_epi16(y, wide_times(cr, -kGreenOfCr)), wide_times(cb, -kGreenOfCb)),
          _mm256_add_epi16(y, wide_times(cr, kRedOfCr))};
}

YOLOD_AVX2 __m256i wide_bytes(__m256i low, __m256i high) {
  return _mm256_packus_epi16(_mm256_srai_epi16(low, 4), _mm256_srai_epi16(high, 4));
}

YOLOD_AVX2 void convert_thirty_two(const WideThree& ycc, std::uint8_t* bgr) {
  const auto zero = _mm256_setzero_si256();
  const auto low = convert_sixteen_sums(_mm256_unpacklo_epi8(ycc.first, zero), _mm256_unpacklo_epi8(ycc.second, zero),
                                        _mm256_unpacklo_epi8(ycc.third, zero));
  const auto high = convert_sixteen_sums(_mm256_unpackhi_epi8(ycc.first, zero), _mm256_unpackhi_epi8(ycc.second, zero),
                                         _mm256_unpackhi_epi8(ycc.third, zero));
  const auto pixels = wide_pixels_of(
      {wide_bytes(low.first, high.first), wide_bytes(low.second, high.second), wide_bytes(low.third, high.third)});
  store_two(pixels.first, bgr, bgr + 48);
  store_two(pixels.second, bgr + 16, bgr + 64);
  store_two(pixels.third, bgr + 32, bgr + 80);
}

// Both functions return the number of converted pixels.
__attribute__((target("avx2"))) int wide_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width) {
  int x = 0;
  for (; x + kWideStep <= width; x += kWideStep) {
    const auto* const at = ycc + 3 * x;
    const WideThree pixels{load_two(at, at + 48), load_two(at + 16, at + 64), load_two(at + 32, at + 80)};
    convert_thirty_two(wide_planes_of(pixels), bgr + 3 * x);
  }
  return x;
}

__attribute__((target("avx2"))) int wide_planes_to_bgr(const std::uint8_t* y, const std::uint8_t* cb,
                                                       const std::uint8_t* cr, std::uint8_t* bgr, int width) {
  int x = 0;
  for (; x + kWideStep <= width; x += kWideStep) {
    convert_thirty_two({load_two(y + x, y + x + 16), load_two(cb + x, cb + x + 16), load_two(cr + x, cr + x + 16)},
                       bgr + 3 * x);
  }
  return x;
}

bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2") != 0;
  return have;
}
#endif

}  // namespace

void ycc_row_to_bgr(const std::uint8_t* ycc, std::uint8_t* bgr, int width) {
  int x = 0;
#if defined(__SSE2__)
  if (have_avx2()) x = wide_row_to_bgr(ycc, bgr, width);
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
  if (have_avx2()) x = wide_planes_to_bgr(y, cb, cr, bgr, width);
  for (; x + kStep <= width; x += kStep) {
    convert_sixteen(load(y + x), load(cb + x), load(cr + x), bgr + 3 * x);
  }
#endif
  for (; x < width; ++x) convert_pixel(y[x], cb[x], cr[x], bgr + 3 * x);
}

}  // namespace yolod::model::image
