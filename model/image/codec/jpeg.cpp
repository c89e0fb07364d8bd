#include "model/image/codec/jpeg.hpp"

// libjpeg's header needs these two headers before it.
#include <cstdio>
#include <cstdlib>

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <memory>
#include <optional>

#include "model/image/coarse_jpeg/coarse_picture.hpp"
#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/codec/jpeg_header.hpp"
#include "model/image/ycc_to_bgr.hpp"

namespace yolod::model::image::codec::jpeg {
namespace {

using common::Error;
using common::Outcome;

enum class Fault { kNone, kDamaged, kCutShort, kManyScans, kTime, kMemory };

Error error_of(Fault fault) {
  switch (fault) {
    case Fault::kCutShort: return cut_short("JPEG");
    case Fault::kManyScans: return too_complex("the JPEG file has more than " + std::to_string(kMaxScans) + " scans");
    case Fault::kTime: return out_of_time();
    case Fault::kMemory: return out_of_memory();
    case Fault::kDamaged:
    case Fault::kNone: break;
  }
  return damaged("JPEG");
}

// libjpeg's state and the notes of its callbacks. libjpeg reports errors by longjmp(), which runs no destructor.
// Therefore the caller of read_rows() owns every object with a destructor.
struct Decompressor {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape{};
  Budget* budget{nullptr};
  Fault fault{Fault::kNone};
  bool ran_dry{false};  // libjpeg asked for bytes behind the end of the file
  std::array<bool, Header::kMostComponents> had_scan{};

  explicit Decompressor(Budget& given) : budget(&given) {}
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

Decompressor& decompressor_of(j_common_ptr info) { return *static_cast<Decompressor*>(info->client_data); }

[[noreturn]] void leave(Decompressor& decompressor, Fault fault) {
  decompressor.fault = fault;
  std::longjmp(decompressor.escape, 1);
}

[[noreturn]] void on_error(j_common_ptr info) {
  const auto code = info->err->msg_code;
  const bool no_memory = code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE;
  leave(decompressor_of(info), no_memory ? Fault::kMemory : Fault::kDamaged);
}

// After these warnings libjpeg invents pixels; other warnings are harmless.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  auto& decompressor = decompressor_of(info);
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: decompressor.ran_dry = true; break;  // its bit reader looks ahead
    case JWRN_HIT_MARKER: leave(decompressor, Fault::kCutShort);
    case JWRN_HUFF_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_MUST_RESYNC: leave(decompressor, Fault::kDamaged);
    default: break;
  }
}

void print_nothing(j_common_ptr /*info*/) {}

// libjpeg calls this for each row of MCUs of each scan, and for each row of pixels.
void on_progress(j_common_ptr common_info) {
  auto& decompressor = decompressor_of(common_info);
  const auto& info = decompressor.info;
  if (info.input_scan_number > kMaxScans) leave(decompressor, Fault::kManyScans);
  for (int i = 0; i < info.comps_in_scan; ++i) {
    if (info.cur_comp_info[i] == nullptr) continue;
    decompressor.had_scan[static_cast<std::size_t>(info.cur_comp_info[i]->component_index)] = true;
  }
  if (decompressor.budget->spent(info.image_width)) leave(decompressor, Fault::kTime);
}

// Returns whether a file with several scans, which ended early, had all coefficients that its scans can contain.
bool has_every_scan(const Decompressor& decompressor) {
  const auto& info = decompressor.info;
  for (int c = 0; c < info.num_components; ++c) {
    if (info.progressive_mode == 0) {
      if (!decompressor.had_scan[static_cast<std::size_t>(c)]) return false;
      continue;
    }
    for (int k = 0; k < DCTSIZE2; ++k) {
      if (info.coef_bits[c][k] != 0) return false;
    }
  }
  return true;
}

J_COLOR_SPACE output_colours(J_COLOR_SPACE stored) {
  switch (stored) {
    case JCS_GRAYSCALE: return JCS_GRAYSCALE;
    case JCS_YCbCr: return JCS_YCbCr;
    case JCS_RGB: return JCS_EXT_BGR;
    case JCS_CMYK:
    case JCS_YCCK: return JCS_CMYK;
    default: return JCS_UNKNOWN;
  }
}

void convert_row(J_COLOR_SPACE colours, const std::uint8_t* row, std::size_t width, std::uint8_t* bgr) {
  switch (colours) {
    case JCS_GRAYSCALE:
      for (std::size_t x = 0; x < width; ++x) bgr[3 * x] = bgr[3 * x + 1] = bgr[3 * x + 2] = row[x];
      break;
    case JCS_CMYK:
      // CMYK values are stored inverted, so each is the light that its ink leaves.
      for (std::size_t x = 0; x < width; ++x) {
        const unsigned black = row[4 * x + 3];
        for (std::size_t c = 0; c < 3; ++c) {
          bgr[3 * x + c] = static_cast<std::uint8_t>((row[4 * x + 2 - c] * black + 127) / 255);
        }
      }
      break;
    case JCS_YCbCr: ycc_row_to_bgr(row, bgr, static_cast<int>(width)); break;
    default: std::memcpy(bgr, row, 3 * width); break;
  }
}

// Contains every call from which libjpeg may jump. Returns false after a jump or for a faulty file;
// `decompressor.fault` has the reason. `row` has 4 bytes for each pixel of a row of `into`.
bool read_rows(Decompressor& decompressor, Bytes file, const Header& header, unsigned reduction, Canvas& into,
               std::uint8_t* row, std::uint64_t max_bytes) {
  auto& info = decompressor.info;
  info.err = jpeg_std_error(&decompressor.errors);
  decompressor.errors.error_exit = on_error;
  decompressor.errors.emit_message = on_message;
  decompressor.errors.output_message = print_nothing;
  info.client_data = &decompressor;
  if (setjmp(decompressor.escape) != 0) return false;
  jpeg_create_decompress(&info);
  info.mem->max_memory_to_use = static_cast<long>(max_bytes);
  decompressor.progress.progress_monitor = on_progress;
  info.progress = &decompressor.progress;
  jpeg_mem_src(&info, as_u8(file), static_cast<unsigned long>(file.size()));
  decompressor.fault = Fault::kDamaged;
  jpeg_read_header(&info, TRUE);
  // libjpeg's values must be those on which the probe's cost is based.
  if (info.image_width != header.width || info.image_height != header.height || info.arith_code != 0 ||
      static_cast<std::size_t>(info.num_components) != header.component_count ||
      (jpeg_has_multiple_scans(&info) != 0) != header.has_several_scans()) {
    return false;
  }
  const auto colours = output_colours(info.jpeg_color_space);
  if (colours == JCS_UNKNOWN) return false;
  info.out_color_space = colours;
  info.scale_num = 1;
  info.scale_denom = reduction;
  jpeg_start_decompress(&info);
  if (info.output_width != into.width() || info.output_height != into.height()) return false;
  while (info.output_scanline < info.output_height) {
    auto* const out = into.row(info.output_scanline);
    auto* line = row;
    if (jpeg_read_scanlines(&info, &line, 1) != 1) return false;
    convert_row(colours, row, into.width(), out);
    into.wrote();
  }
  if (decompressor.ran_dry && header.has_several_scans() && !has_every_scan(decompressor)) {
    decompressor.fault = Fault::kCutShort;
    return false;
  }
  decompressor.fault = Fault::kNone;
  return true;
}

// Expands a row of a colour with one value for every `across` pixels to one value per pixel. With `across` 1 it
// returns the row unchanged.
const std::uint8_t* spread(const std::uint8_t* row, int across, std::size_t width, std::uint8_t* into) {
  if (across == 1) return row;
  for (std::size_t x = 0; x + 1 < width; x += 2) into[x] = into[x + 1] = row[x / 2];
  if (width % 2 != 0) into[width - 1] = row[width / 2];
  return into;
}

void paint(const coarse::CoarsePicture& picture, Canvas& into) {
  const auto width = into.width();
  const auto rows = std::make_unique_for_overwrite<std::uint8_t[]>(2 * width);
  const auto& [luma, blue, red] = picture.planes;
  const std::uint8_t* cb = nullptr;
  const std::uint8_t* cr = nullptr;
  for (int y = 0; y < picture.height; ++y) {
    if (y % picture.down == 0) {
      cb = spread(blue.row(y / picture.down), picture.across, width, rows.get());
      cr = spread(red.row(y / picture.down), picture.across, width, rows.get() + width);
    }
    planes_row_to_bgr(luma.row(y), cb, cr, into.row(static_cast<std::size_t>(y)), picture.width);
    into.wrote();
  }
}

}  // namespace

Outcome<void> decode(Bytes file, unsigned reduction, Canvas& into, Budget& budget) {
  const auto header = read_header(file);
  if (!header) return header.error();
  if (reduction == 4 || reduction == 8) {
    const auto coarse = coarse::read_coarse_picture({as_u8(file), file.size()}, static_cast<int>(reduction),
                                                    coarse::Reading::kFastest, &budget);
    if (coarse && static_cast<std::size_t>(coarse->width) == into.width() &&
        static_cast<std::size_t>(coarse->height) == into.height()) {
      paint(*coarse, into);
      return into.full() ? Outcome<void>() : damaged("JPEG");
    }
    if (budget.look()) return out_of_time();
  }
  const auto found = probe(file, header->width * header->height);
  if (!found) return found.error();
  // Allows for memory that is not counted above.
  constexpr std::uint64_t kSlack = 16U << 20U;
  const auto row = std::make_unique_for_overwrite<std::uint8_t[]>(4 * into.width());
  Decompressor decompressor(budget);
  const bool whole = read_rows(decompressor, file, *header, reduction, into, row.get(), found->working_bytes + kSlack);
  if (!whole) return error_of(decompressor.fault);
  return into.full() ? Outcome<void>() : damaged("JPEG");
}

}  // namespace yolod::model::image::codec::jpeg
