#include <cstdio>  // libjpeg's header needs <cstdio> first

#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "model/image/coarse_jpeg/coarse_picture.hpp"
#include "model/image/coarse_jpeg/lanes.hpp"
#include "model/image/coarse_jpeg/scan.hpp"
#include "tests/support/rounds.hpp"

namespace {

namespace coarse = yolod::model::image::coarse;
using JpegBytes = std::vector<std::uint8_t>;

// Says how the test draws and encodes a picture.
struct JpegKind {
  int width;
  int height;
  int across = 2;  // blocks of Y for each block of Cb and Cr
  int down = 2;
  int quality = 85;
  int noise = 20;  // 0: the whole picture has one colour
  unsigned restart_interval = 0;
  bool optimized = false;
  bool progressive = false;
  bool arithmetic = false;
  J_COLOR_SPACE colours = JCS_YCbCr;
  int components = 3;
  std::array<unsigned, 3> steps{};  // quantization steps of DC, across and down, 0: the step of the quality
};

std::string name_of(const JpegKind& kind) {
  return std::to_string(kind.width) + "x" + std::to_string(kind.height) + " " + std::to_string(kind.across) + "x" +
         std::to_string(kind.down) + " q" + std::to_string(kind.quality) + " noise " + std::to_string(kind.noise) +
         " restart " + std::to_string(kind.restart_interval) + (kind.optimized ? " optimized" : "");
}

JpegBytes drawn_jpeg(const JpegKind& kind) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = static_cast<JDIMENSION>(kind.width);
  info.image_height = static_cast<JDIMENSION>(kind.height);
  info.input_components = kind.components;
  info.in_color_space = kind.components == 1 ? JCS_GRAYSCALE : kind.components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, kind.colours);
  jpeg_set_quality(&info, kind.quality, TRUE);
  if (kind.steps[0] != 0) {
    std::array<unsigned, DCTSIZE2> table{};
    table.fill(20);
    table[0] = kind.steps[0];
    table[1] = kind.steps[1];
    table[8] = kind.steps[2];  // in natural order
    for (int i = 0; i < 2; ++i) jpeg_add_quant_table(&info, i, table.data(), 100, TRUE);
  }
  info.comp_info[0].h_samp_factor = kind.across;
  info.comp_info[0].v_samp_factor = kind.down;
  info.restart_interval = kind.restart_interval;
  info.optimize_coding = kind.optimized ? TRUE : FALSE;
  info.arith_code = kind.arithmetic ? TRUE : FALSE;
  if (kind.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::mt19937 random(static_cast<unsigned>(kind.width * 31 + kind.height));
  std::uniform_int_distribution<int> noise(-kind.noise, kind.noise);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(kind.width * kind.components));
  for (int y = 0; y < kind.height; ++y) {
    for (int x = 0; x < kind.width; ++x) {
      for (int c = 0; c < kind.components; ++c) {
        const double wave = kind.noise == 0 ? 0 : 100 * std::sin((x + 7 * c) / 23.0) * std::cos(y / 31.0);
        const int value = 128 + static_cast<int>(wave) + noise(random);
        row[static_cast<std::size_t>(x * kind.components + c)] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
      }
    }
    auto* line = row.data();
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  JpegBytes file(out, out + size);
  std::free(out);
  return file;
}

// Holds three coefficients of each block, in the order of the scan. DC is the full value, not a difference.
using Coefficients = std::vector<std::array<int, 3>>;

// Reads a file with libjpeg. The constructor reads the header.
struct LibjpegReader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};

  explicit LibjpegReader(const JpegBytes& file) {
    info.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, file.data(), file.size());
    jpeg_read_header(&info, TRUE);
  }
  LibjpegReader(const LibjpegReader&) = delete;
  LibjpegReader& operator=(const LibjpegReader&) = delete;
  ~LibjpegReader() {
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
  }
};

// Returns the coefficients that libjpeg reads, as the reference.
Coefficients libjpeg_coefficients(const JpegBytes& file) {
  LibjpegReader reader(file);
  auto& info = reader.info;
  auto** arrays = jpeg_read_coefficients(&info);
  Coefficients all;
  const auto block_at = [&](int component, JDIMENSION x, JDIMENSION y) {
    auto** rows = info.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info), arrays[component], y, 1, FALSE);
    const auto* block = rows[0][x];
    all.push_back({block[0], block[1], block[8]});
  };
  const auto across = static_cast<JDIMENSION>(info.comp_info[0].h_samp_factor);
  const auto down = static_cast<JDIMENSION>(info.comp_info[0].v_samp_factor);
  for (JDIMENSION row = 0; row < (info.image_height + 8 * down - 1) / (8 * down); ++row) {
    for (JDIMENSION column = 0; column < (info.image_width + 8 * across - 1) / (8 * across); ++column) {
      for (JDIMENSION i = 0; i < across * down; ++i) block_at(0, column * across + i % across, row * down + i / across);
      block_at(1, column, row);
      block_at(2, column, row);
    }
  }
  return all;
}

std::optional<Coefficients> coefficients_of(const JpegBytes& bytes, coarse::Reading reading) {
  const auto file = coarse::read_baseline_file(bytes);
  if (!file) return std::nullopt;
  const auto scan = coarse::read_scan(*file, reading);
  if (!scan) return std::nullopt;
  Coefficients all;
  std::array<int, 3> dc{};
  const auto luma_blocks = file->blocks_of_mcu() - 2;
  for (const auto& run : scan->runs) {
    if (run.restarts) dc = {};
    for (std::size_t i = 0; i < run.blocks.size(); ++i) {
      const auto place = i % file->blocks_of_mcu();
      const auto colour = place < luma_blocks ? 0 : place - luma_blocks + 1;
      dc[colour] += coarse::dc_difference(run.blocks[i]);
      all.push_back({dc[colour], coarse::across(run.blocks[i]), coarse::down(run.blocks[i])});
    }
  }
  return all;
}

// Returns the coefficients that pack() keeps.
Coefficients kept_coefficients(const JpegBytes& bytes, Coefficients all) {
  const auto file = coarse::read_baseline_file(bytes);
  REQUIRE(file.has_value());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto place = i % file->blocks_of_mcu();
    const auto colour = place < file->blocks_of_mcu() - 2 ? 0 : place - (file->blocks_of_mcu() - 3);
    const auto kept = [](int value, unsigned step) {
      return std::clamp(step == 1 ? value >> 1 : value, -coarse::kLimit, coarse::kLimit);
    };
    all[i][1] = kept(all[i][1], file->colours[colour].quantization_across);
    all[i][2] = kept(all[i][2], file->colours[colour].quantization_down);
  }
  return all;
}

std::vector<coarse::Reading> readings() {
  std::vector<coarse::Reading> all{coarse::Reading::kOneByOne, coarse::Reading::kFastest};
  if (coarse::have_lanes()) all.push_back(coarse::Reading::kInManyParts);
  return all;
}

const std::vector<JpegKind>& jpeg_kinds() {
  static const std::vector<JpegKind> all{
      {.width = 1, .height = 1},
      {.width = 8, .height = 8, .across = 1, .down = 1},
      {.width = 17, .height = 33},
      {.width = 640, .height = 480},
      {.width = 641, .height = 479, .across = 1, .down = 1},
      {.width = 333, .height = 777, .across = 2, .down = 1},
      {.width = 500, .height = 375, .across = 1, .down = 2, .optimized = true},
      {.width = 1200, .height = 900, .quality = 30, .noise = 60},
      {.width = 800, .height = 600, .quality = 95, .noise = 60},
      {.width = 800, .height = 600, .quality = 100, .noise = 127},
      {.width = 800, .height = 600, .quality = 100, .noise = 127, .optimized = true},
      {.width = 2000, .height = 1500, .noise = 0},
      {.width = 2000, .height = 1500, .noise = 1, .optimized = true},
      {.width = 640, .height = 480, .restart_interval = 1},
      {.width = 640, .height = 480, .across = 1, .down = 1, .restart_interval = 77},
      {.width = 64, .height = 64, .restart_interval = 4000},
      {.width = 640, .height = 480, .noise = 127, .steps = {1, 1, 100}},
      {.width = 640, .height = 480, .noise = 127, .steps = {3, 90, 1}},
  };
  return all;
}

}  // namespace

TEST_CASE("CoarseJpeg: the coefficients equal libjpeg's for every way to read the scan", "[model][unit]") {
  for (const auto& kind : jpeg_kinds()) {
    const auto file = drawn_jpeg(kind);
    const auto expected = kept_coefficients(file, libjpeg_coefficients(file));
    for (const auto reading : readings()) {
      INFO(name_of(kind) << ", reading " << static_cast<int>(reading) << ", " << file.size() << " bytes");
      const auto coefficients = coefficients_of(file, reading);
      REQUIRE(coefficients.has_value());
      CHECK((*coefficients == expected));
    }
  }
}

TEST_CASE("CoarseJpeg: other kinds of JPEG are left to libjpeg", "[model][unit]") {
  const auto left = [](const JpegKind& kind) { return !coarse::read_coarse_picture(drawn_jpeg(kind), 4).has_value(); };
  CHECK(left({.width = 64, .height = 64, .progressive = true}));
  CHECK(left({.width = 64, .height = 64, .arithmetic = true}));
  CHECK(left({.width = 64, .height = 64, .across = 4, .down = 1}));
  CHECK(left({.width = 64, .height = 64, .across = 1, .down = 1, .colours = JCS_RGB}));
  CHECK(left({.width = 64, .height = 64, .across = 1, .down = 1, .colours = JCS_GRAYSCALE, .components = 1}));
  CHECK(left({.width = 64, .height = 64, .colours = JCS_YCCK, .components = 4}));
  CHECK_FALSE(left({.width = 64, .height = 64}));
}

TEST_CASE("CoarseJpeg: a file that libjpeg reads differently or refuses is left to libjpeg", "[model][unit]") {
  const auto good = drawn_jpeg({.width = 64, .height = 64});
  const auto left = [](const JpegBytes& file) { return !coarse::read_coarse_picture(file, 4).has_value(); };
  const auto find = [&](const JpegBytes& what) {
    return static_cast<std::size_t>(std::search(good.begin(), good.end(), what.begin(), what.end()) - good.begin());
  };
  REQUIRE_FALSE(left(good));
  // The file names its colours R, G and B. Its JFIF segment is then too short to be valid.
  const auto frame = find({0xFF, 0xC0});
  const auto scan = find({0xFF, 0xDA});
  REQUIRE(frame < good.size());
  auto named = good;
  for (std::size_t i = 0; i < 3; ++i) named[frame + 10 + 3 * i] = named[scan + 5 + 2 * i] = "RGB"[i];
  CHECK_FALSE(left(named));  // a JFIF file is always YCbCr
  const auto jfif = find({0xFF, 0xE0});
  REQUIRE(good[jfif + 3] == 16);
  auto shorter = named;
  shorter[jfif + 3] = 7;
  shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(jfif) + 9,
                shorter.begin() + static_cast<std::ptrdiff_t>(jfif) + 18);
  CHECK(left(shorter));
  // The first table gets two codes of one bit. A code of only ones is invalid.
  auto full = good;
  const auto codes = find({0xFF, 0xC4});
  for (std::size_t length = 0; length < 16; ++length) full[codes + 5 + length] = 0;
  full[codes + 5] = 2;
  CHECK(left(full));
  // libjpeg does not accept this width.
  auto wide = good;
  wide[frame + 7] = wide[frame + 8] = 0xFF;
  CHECK(left(wide));
  // The file has more restart markers than the picture has restart intervals.
  auto restarts = good;
  for (int i = 0; i < 100; ++i) restarts.insert(restarts.end() - 2, {0xFF, static_cast<std::uint8_t>(0xD0 + i % 8)});
  CHECK(left(restarts));
}

TEST_CASE("CoarseJpeg: a file that is cut at any place is left to libjpeg", "[model][unit]") {
  for (const unsigned interval : {0U, 5U}) {
    const auto whole = drawn_jpeg({.width = 200, .height = 120, .noise = 60, .restart_interval = interval});
    for (std::size_t length = 0; length < whole.size(); length += length < 800 ? 1 : 97) {
      const JpegBytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      for (const auto reading : readings()) CHECK_FALSE(coefficients_of(part, reading).has_value());
    }
  }
}

TEST_CASE("CoarseJpeg: all ways to read a scan agree on damaged files", "[model][unit]") {
  std::mt19937 random(11);
  int read_anyway = 0;
  for (const auto& kind : {JpegKind{.width = 320, .height = 240, .noise = 60}, JpegKind{.width = 640, .height = 480},
                           JpegKind{.width = 320, .height = 240, .noise = 30, .restart_interval = 9}}) {
    const auto whole = drawn_jpeg(kind);
    for (int round = 0; round < yolod::tests::rounds(300); ++round) {
      auto damaged = whole;
      for (int i = 0; i < 1 + round % 4; ++i) {
        const auto at = std::uniform_int_distribution<std::size_t>(2, damaged.size() - 3)(random);
        damaged[at] = static_cast<std::uint8_t>(random());
      }
      const auto expected = coefficients_of(damaged, coarse::Reading::kOneByOne);
      read_anyway += expected.has_value() ? 1 : 0;
      for (const auto reading : readings()) {
        INFO(name_of(kind) << ", round " << round << ", reading " << static_cast<int>(reading));
        CHECK((coefficients_of(damaged, reading) == expected));
      }
    }
  }
  CHECK(read_anyway > 0);
}

TEST_CASE("CoarseJpeg: in a smooth picture each coarse pixel is near the mean of the pixels that it replaces",
          "[model][unit]") {
  for (const int reduction : {4, 8}) {
    // Three coefficients can describe slopes, so the pictures are smooth.
    for (const auto& kind :
         {JpegKind{.width = 320, .height = 240, .quality = 100, .noise = 1},
          JpegKind{.width = 321, .height = 243, .across = 1, .down = 1, .quality = 95, .noise = 3}}) {
      const auto file = drawn_jpeg(kind);
      const auto picture = coarse::read_coarse_picture(file, reduction);
      REQUIRE(picture.has_value());
      CHECK(picture->width == (kind.width + reduction - 1) / reduction);
      CHECK(picture->height == (kind.height + reduction - 1) / reduction);
      CHECK(picture->orientation == 1);

      LibjpegReader reader(file);
      auto& info = reader.info;
      info.out_color_space = JCS_YCbCr;
      jpeg_start_decompress(&info);
      std::vector<std::uint8_t> row(static_cast<std::size_t>(3 * kind.width));
      std::array<std::vector<double>, 3> sums;
      for (auto& sum : sums) sum.resize(static_cast<std::size_t>(picture->width * picture->height));
      while (info.output_scanline < info.output_height) {
        const int y = static_cast<int>(info.output_scanline);
        auto* line = row.data();
        jpeg_read_scanlines(&info, &line, 1);
        for (int x = 0; x < kind.width; ++x) {
          for (int c = 0; c < 3; ++c) {
            sums[static_cast<std::size_t>(c)]
                [static_cast<std::size_t>(y / reduction * picture->width + x / reduction)] +=
                row[static_cast<std::size_t>(3 * x + c)];
          }
        }
      }

      double furthest = 0;
      const int pixels = reduction * reduction;
      for (int y = 0; y < kind.height / reduction; ++y) {
        for (int x = 0; x < kind.width / reduction; ++x) {
          for (std::size_t c = 0; c < 3; ++c) {
            const int across = c == 0 ? 1 : picture->across;
            const int down = c == 0 ? 1 : picture->down;
            // A value of a subsampled colour covers several pixels, so the test compares the value with their mean.
            if (x % across != 0 || y % down != 0) continue;
            if ((x + across) * reduction > kind.width || (y + down) * reduction > kind.height) continue;
            double mean = 0;
            for (int i = 0; i < across * down; ++i) {
              mean += sums[c][static_cast<std::size_t>((y + i / across) * picture->width + x + i % across)];
            }
            mean /= pixels * across * down;
            furthest = std::max(furthest, std::abs(mean - picture->planes[c].row(y / down)[x / across]));
          }
        }
      }
      INFO(name_of(kind) << ", by " << reduction);
      CHECK(furthest < 2.5);
    }
  }
}
