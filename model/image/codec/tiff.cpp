#include "model/image/codec/tiff.hpp"

#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <vector>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/codec/jpeg_header.hpp"
#include "model/image/codec/tiff_layout.hpp"

namespace yolod::model::image::codec::tiff {
namespace {

using common::Outcome;

// The file in memory, for libtiff's callbacks, and whether libtiff has reported a problem.
struct Source {
  Bytes file;
  std::uint64_t at{0};
  bool complained{false};
};

Source& source_of(thandle_t handle) { return *static_cast<Source*>(handle); }

tmsize_t read_bytes(thandle_t handle, void* into, tmsize_t count) {
  auto& source = source_of(handle);
  const auto held = source.at < source.file.size() ? source.file.size() - source.at : 0;
  const auto given = std::min<std::uint64_t>(held, static_cast<std::uint64_t>(std::max<tmsize_t>(0, count)));
  if (given > 0) std::memcpy(into, source.file.data() + source.at, static_cast<std::size_t>(given));
  source.at += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t write_nothing(thandle_t /*handle*/, void* /*from*/, tmsize_t /*count*/) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = source_of(handle);
  const auto base = whence == SEEK_CUR ? source.at : whence == SEEK_END ? source.file.size() : 0;
  source.at = base + offset;
  return source.at;
}

int close_nothing(thandle_t /*handle*/) { return 0; }
toff_t size_of(thandle_t handle) { return source_of(handle).file.size(); }

int map_file(thandle_t handle, void** base, toff_t* size) {
  const auto file = source_of(handle).file;
  // libtiff only reads the mapped bytes.
  *base = const_cast<std::byte*>(file.data());
  *size = file.size();
  return 1;
}

void unmap_nothing(thandle_t /*handle*/, void* /*base*/, toff_t /*size*/) {}

// Returns 1, so that libtiff prints nothing.
int on_message(TIFF* /*tiff*/, void* source, const char* /*module*/, const char* /*format*/, va_list /*values*/) {
  static_cast<Source*>(source)->complained = true;
  return 1;
}

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};
using Tiff = std::unique_ptr<TIFF, Close>;

// Returns null if libtiff refuses the file.
Tiff open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(kMostBlockBytes));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_message, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_message, &source);
  // The mode means: read only, load arrays of strips on demand, and do not split strips.
  return Tiff(TIFFClientOpenExt("picture", "rOc", &source, read_bytes, write_nothing, seek, close_nothing, size_of,
                                map_file, unmap_nothing, options.get()));
}

// Converts samples as they are stored to BGR.
class RowConverter {
 public:
  RowConverter(const Layout& layout, TIFF* tiff) : layout_(layout) {
    const unsigned most = (1U << std::min(layout.bits, 8U)) - 1;
    for (unsigned value = 0; value <= most; ++value) {
      shades_[value] = layout.colours == Colours::kPalette ? static_cast<std::uint8_t>(value)
                                                           : static_cast<std::uint8_t>(value * 255 / most);
    }
    if (layout.colours != Colours::kPalette) return;
    std::array<std::uint16_t*, 3> map{};
    if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &map[2], &map[1], &map[0]) != 1) return;
    for (unsigned value = 0; value <= most; ++value) {
      for (std::size_t c = 0; c < 3; ++c) palette_[value][c] = static_cast<std::uint8_t>(map[c][value] >> 8U);
    }
    has_palette_ = true;
  }

  [[nodiscard]] bool ready() const { return layout_.colours != Colours::kPalette || has_palette_; }

  // `planes` are the rows of each plane.
  void run(const std::array<const std::uint8_t*, 4>& planes, std::size_t width, std::uint8_t* bgr) const {
    switch (layout_.colours) {
      case Colours::kWhiteIsZero:
        for (std::size_t x = 0; x < width; ++x)
          put_grey(static_cast<std::uint8_t>(255 - sample(planes, x, 0)), bgr + 3 * x);
        break;
      case Colours::kBlackIsZero:
        for (std::size_t x = 0; x < width; ++x) put_grey(sample(planes, x, 0), bgr + 3 * x);
        break;
      case Colours::kPalette:
        for (std::size_t x = 0; x < width; ++x) std::memcpy(bgr + 3 * x, palette_[sample(planes, x, 0)].data(), 3);
        break;
      case Colours::kCmyk:
        for (std::size_t x = 0; x < width; ++x) {
          const unsigned light = 255U - sample(planes, x, 3);
          for (unsigned c = 0; c < 3; ++c) {
            bgr[3 * x + c] = static_cast<std::uint8_t>(((255U - sample(planes, x, 2 - c)) * light + 127) / 255);
          }
        }
        break;
      case Colours::kRgb:
      case Colours::kYcc:
        if (layout_.bits == 8 && !layout_.is_planar) {
          put_rgb(planes[0], width, layout_.samples, bgr);
          break;
        }
        for (std::size_t x = 0; x < width; ++x) {
          for (unsigned c = 0; c < 3; ++c) bgr[3 * x + c] = sample(planes, x, 2 - c);
        }
        break;
    }
  }

 private:
  // A fast path for the most common files, without a check of each sample's kind.
  static void put_rgb(const std::uint8_t* row, std::size_t width, std::size_t samples, std::uint8_t* bgr) {
    for (std::size_t x = 0; x < width; ++x, row += samples, bgr += 3) {
      bgr[0] = row[2];
      bgr[1] = row[1];
      bgr[2] = row[0];
    }
  }

  static void put_grey(std::uint8_t value, std::uint8_t* bgr) { bgr[0] = bgr[1] = bgr[2] = value; }

  // Returns the sample as 8 bits.
  [[nodiscard]] std::uint8_t sample(const std::array<const std::uint8_t*, 4>& planes, std::size_t x, unsigned c) const {
    const auto* row = planes[layout_.is_planar ? c : 0];
    const auto at = layout_.is_planar ? x : x * layout_.samples + c;
    if (layout_.bits == 8) return row[at];
    if (layout_.bits == 16) {
      std::uint16_t value = 0;  // in this machine's byte order, because libtiff swaps the bytes
      std::memcpy(&value, row + 2 * at, sizeof value);
      return static_cast<std::uint8_t>(value >> 8U);
    }
    const auto bit = at * layout_.bits;
    const auto value = row[bit / 8] >> (8 - layout_.bits - bit % 8) & ((1U << layout_.bits) - 1);
    return shades_[value];
  }

  const Layout& layout_;
  std::array<std::uint8_t, 256> shades_{};
  std::array<std::array<std::uint8_t, 3>, 256> palette_{};
  bool has_palette_{false};
};

// libtiff decodes a whole strip of JPEG in one call, so the strip must have a single scan and the directory's size.
bool is_plain_jpeg(const Layout& layout, Bytes strip, std::uint64_t rows) {
  const auto header = jpeg::read_header(strip);
  return header && !header->has_several_scans() && header->width <= layout.block_width &&
         header->height <= std::max(rows, layout.block_height);
}

class BlockReader {
 public:
  BlockReader(const Layout& layout, Source& source, TIFF* tiff, Canvas& into, Budget& budget)
      : layout_(layout), source_(source), tiff_(tiff), converter_(layout, tiff), into_(into), budget_(budget) {}

  Outcome<void> run() {
    if (!converter_.ready() || !sizes_agree()) return damaged("TIFF");
    source_.complained = false;  // warnings about the directory are harmless
    return layout_.by_rows() ? read_by_rows() : read_whole_blocks();
  }

 private:
  // libtiff's sizes must be those that the probe checked.
  [[nodiscard]] bool sizes_agree() const {
    const auto row =
        static_cast<std::uint64_t>(layout_.is_tiled ? TIFFTileRowSize64(tiff_) : TIFFScanlineSize64(tiff_));
    const auto blocks = layout_.blocks_across * layout_.blocks_down * layout_.planes();
    const std::uint64_t found = layout_.is_tiled ? TIFFNumberOfTiles(tiff_) : TIFFNumberOfStrips(tiff_);
    std::uint16_t compression = 0;
    std::uint16_t bits = 0;
    std::uint16_t samples = 0;
    std::uint16_t planar = 0;
    const bool known = TIFFGetField(tiff_, TIFFTAG_COMPRESSION, &compression) == 1 &&
                       TIFFGetFieldDefaulted(tiff_, TIFFTAG_BITSPERSAMPLE, &bits) == 1 &&
                       TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLESPERPIXEL, &samples) == 1 &&
                       TIFFGetFieldDefaulted(tiff_, TIFFTAG_PLANARCONFIG, &planar) == 1;
    return known && compression == layout_.compression && bits == layout_.bits && samples == layout_.samples &&
           (planar == PLANARCONFIG_SEPARATE && samples > 1) == layout_.is_planar &&
           TIFFIsTiled(tiff_) == (layout_.is_tiled ? 1 : 0) && row == layout_.block_row_bytes() && found == blocks;
  }

  Outcome<void> read_by_rows() {
    const auto row_bytes = static_cast<std::size_t>(layout_.block_row_bytes());
    const auto row = std::make_unique_for_overwrite<std::uint8_t[]>(row_bytes);
    for (std::size_t y = 0; y < into_.height(); ++y) {
      if (y % layout_.block_height == 0 &&
          !block_is_sound(y / layout_.block_height, rows_of(y / layout_.block_height))) {
        return damaged("TIFF");
      }
      if (TIFFReadScanline(tiff_, row.get(), static_cast<std::uint32_t>(y), 0) != 1 || source_.complained) {
        return incomplete();
      }
      converter_.run({row.get()}, into_.width(), into_.row(y));
      into_.wrote();
      if (budget_.spent(row_bytes)) return out_of_time();
    }
    return {};
  }

  Outcome<void> read_whole_blocks() {
    const auto room = static_cast<std::size_t>(layout_.block_bytes());
    std::array<std::unique_ptr<std::uint8_t[]>, 4> blocks;
    for (std::size_t p = 0; p < layout_.planes(); ++p) blocks[p] = std::make_unique_for_overwrite<std::uint8_t[]>(room);
    const auto per_plane = layout_.blocks_across * layout_.blocks_down;
    for (std::uint64_t down = 0; down < layout_.blocks_down; ++down) {
      const auto rows = rows_of(down);
      for (std::uint64_t across = 0; across < layout_.blocks_across; ++across) {
        for (std::size_t p = 0; p < layout_.planes(); ++p) {
          const auto index = p * per_plane + down * layout_.blocks_across + across;
          if (!block_is_sound(index, rows)) return damaged("TIFF");
          if (!read_block(index, rows, blocks[p].get())) return incomplete();
          // Stored bytes also cost time, because a strip may be mostly empty blocks.
          if (budget_.spent(room + layout_.block(source_.file, index).size())) return out_of_time();
        }
        put_block(blocks, across, down, rows);
      }
      into_.wrote(static_cast<std::size_t>(rows));
    }
    return {};
  }

  [[nodiscard]] bool block_is_sound(std::uint64_t index, std::uint64_t rows) const {
    return !layout_.is_jpeg || is_plain_jpeg(layout_, layout_.block(source_.file, index), rows);
  }

  // Returns the rows of the image in a row of blocks.
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t down) const {
    return std::min(layout_.block_height, layout_.height - down * layout_.block_height);
  }

  bool read_block(std::uint64_t index, std::uint64_t rows, std::uint8_t* into) {
    const auto number = static_cast<std::uint32_t>(index);
    const auto wanted =
        static_cast<tmsize_t>(layout_.block_row_bytes() * (layout_.is_tiled ? layout_.block_height : rows));
    const auto got = layout_.is_tiled ? TIFFReadEncodedTile(tiff_, number, into, wanted)
                                      : TIFFReadEncodedStrip(tiff_, number, into, wanted);
    return got == wanted && !source_.complained;
  }

  void put_block(const std::array<std::unique_ptr<std::uint8_t[]>, 4>& blocks, std::uint64_t across, std::uint64_t down,
                 std::uint64_t rows) {
    const auto left = across * layout_.block_width;
    const auto width = std::min(layout_.block_width, layout_.width - left);
    for (std::uint64_t y = 0; y < rows; ++y) {
      std::array<const std::uint8_t*, 4> planes{};
      for (std::size_t p = 0; p < layout_.planes(); ++p) planes[p] = blocks[p].get() + y * layout_.block_row_bytes();
      auto* const row = into_.row(static_cast<std::size_t>(down * layout_.block_height + y));
      converter_.run(planes, static_cast<std::size_t>(width), row + 3 * left);
    }
  }

  // libtiff fills the missing part of a strip and only warns.
  static common::Error incomplete() { return invalid("the TIFF file is cut short or damaged"); }

  const Layout& layout_;
  Source& source_;
  TIFF* tiff_;
  RowConverter converter_;
  Canvas& into_;
  Budget& budget_;
};

}  // namespace

Outcome<void> decode(Bytes file, Canvas& into, Budget& budget) {
  const auto layout = read_layout(file, into.width() * into.height());
  if (!layout) return layout.error();
  if (layout->width != into.width() || layout->height != into.height()) return damaged("TIFF");
  Source source{file};
  const auto tiff = open(source);
  if (tiff == nullptr) return damaged("TIFF");
  if (layout->colours == Colours::kYcc && TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) != 1) {
    return damaged("TIFF");
  }
  if (auto read = BlockReader(*layout, source, tiff.get(), into, budget).run(); !read) return read;
  return into.full() ? Outcome<void>() : damaged("TIFF");
}

}  // namespace yolod::model::image::codec::tiff
