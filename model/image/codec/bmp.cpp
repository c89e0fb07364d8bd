#include "model/image/codec/bmp.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"

namespace yolod::model::image::codec::bmp {
namespace {

using common::Outcome;
using Pixel = std::array<std::uint8_t, 3>;  // BGR

constexpr std::uint64_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;  // the first version of OS/2
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kOs2Header = 64;

enum class Coding { kPlain, kRle8, kRle4 };

struct Layout {
  std::uint64_t width{0};
  std::uint64_t height{0};
  bool top_down{false};
  unsigned bits{0};
  Coding coding{Coding::kPlain};
  std::array<std::uint32_t, 3> masks{};  // of blue, green and red, for 16 and 32 bits
  std::uint64_t pixels_at{0};
  std::array<Pixel, 256> palette{};  // black for missing entries

  [[nodiscard]] std::uint64_t stride() const { return (width * bits + 31) / 32 * 4; }
};

bool is_known_header(std::uint32_t size) {
  constexpr std::array<std::uint32_t, 7> kKnown{kCoreHeader, kInfoHeader, 52, 56, kOs2Header, 108, 124};
  return std::find(kKnown.begin(), kKnown.end(), size) != kKnown.end();
}

// Returns whether the bits are contiguous, or absent.
bool is_mask(std::uint32_t mask) {
  if (mask == 0) return true;
  const auto ones = mask >> static_cast<unsigned>(std::countr_zero(mask));
  return (ones & (ones + 1)) == 0;
}

void read_palette(Bytes file, std::uint64_t at, std::uint64_t entry_bytes, std::uint64_t entries, Layout& layout) {
  ByteReader in(file, false);
  const auto room = layout.pixels_at > at ? (layout.pixels_at - at) / entry_bytes : 0;
  entries = std::min({entries, room, std::uint64_t{layout.palette.size()}});
  for (std::uint64_t i = 0; i < entries; ++i) {
    for (std::uint64_t c = 0; c < 3; ++c) layout.palette[i][c] = in.u8(at + i * entry_bytes + c);
  }
}

Outcome<void> read_masks(ByteReader& in, std::uint32_t compression, Layout& layout) {
  constexpr std::uint64_t kMasksAt = kFileHeader + kInfoHeader;
  if (compression != 0) {
    if (layout.bits != 16 && layout.bits != 32)
      return invalid("the BMP file has channel masks, but not 16 or 32 bits a pixel");
    layout.masks = {in.u32(kMasksAt + 8), in.u32(kMasksAt + 4), in.u32(kMasksAt)};
    if (!std::all_of(layout.masks.begin(), layout.masks.end(), is_mask)) {
      return invalid("the BMP file's channel masks have gaps");
    }
  } else if (layout.bits == 16) {
    layout.masks = {0x001F, 0x03E0, 0x7C00};
  } else if (layout.bits == 32) {
    layout.masks = {0x0000FF, 0x00FF00, 0xFF0000};
  }
  return {};
}

Outcome<void> read_coding(std::uint32_t compression, std::uint32_t info_size, Layout& layout) {
  constexpr std::uint32_t kRle8 = 1;
  constexpr std::uint32_t kRle4 = 2;
  constexpr std::uint32_t kMasks = 3;
  constexpr std::uint32_t kMasksAndAlpha = 6;
  const bool has_masks = compression == kMasks || compression == kMasksAndAlpha;
  if (compression == kRle8 && layout.bits == 8) {
    layout.coding = Coding::kRle8;
  } else if (compression == kRle4 && layout.bits == 4) {
    layout.coding = Coding::kRle4;
  } else if (compression != 0 && (!has_masks || info_size == kOs2Header || info_size == kCoreHeader)) {
    constexpr std::uint32_t kJpeg = 4;
    constexpr std::uint32_t kPng = 5;
    const auto* inside = compression == kJpeg ? " (a JPEG inside)" : compression == kPng ? " (a PNG inside)" : "";
    return invalid("the BMP file's compression " + std::to_string(compression) + inside + " is not served");
  }
  return {};
}

Outcome<Layout> read_layout(Bytes file) {
  ByteReader in(file, false);
  Layout layout;
  layout.pixels_at = in.u32(10);
  const auto info_size = in.u32(14);
  if (in.past_end()) return cut_short("BMP");
  if (!is_known_header(info_size)) return invalid("the BMP file has an unknown header");
  std::uint32_t compression = 0;
  std::uint64_t entries = 0;
  if (info_size == kCoreHeader) {
    layout.width = in.u16(18);
    layout.height = in.u16(20);
    layout.bits = in.u16(24);
  } else {
    const auto width = static_cast<std::int32_t>(in.u32(18));
    const auto height = static_cast<std::int32_t>(in.u32(22));
    if (width < 0) return invalid("the BMP file's width is negative");
    layout.top_down = height < 0;
    layout.width = static_cast<std::uint64_t>(width);
    layout.height = static_cast<std::uint64_t>(layout.top_down ? -static_cast<std::int64_t>(height) : height);
    layout.bits = in.u16(28);
    compression = in.u32(30);
    entries = in.u32(46);
  }
  if (in.past_end()) return cut_short("BMP");
  // Check the compression first, because a file with another file inside may have 0 bits.
  if (auto read = read_coding(compression, info_size, layout); !read) return read.error();
  const auto bits = layout.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return invalid("the BMP file has " + std::to_string(bits) + " bits a pixel");
  }
  if (bits > 8) {
    if (auto read = read_masks(in, compression, layout); !read) return read.error();
  } else {
    if (entries == 0) entries = std::uint64_t{1} << bits;
    read_palette(file, kFileHeader + info_size, info_size == kCoreHeader ? 3 : 4, entries, layout);
  }
  if (layout.pixels_at < kFileHeader + info_size) return invalid("the BMP file's pixels lie in its header");
  if (in.past_end() || layout.pixels_at > file.size()) return cut_short("BMP");
  if (layout.coding == Coding::kPlain) {
    std::uint64_t needed = 0;
    if (__builtin_mul_overflow(layout.stride(), layout.height, &needed) || needed > file.size() - layout.pixels_at) {
      return cut_short("BMP");
    }
  }
  return layout;
}

// Converts one channel of a pixel with masks to 8 bits: repeats the bits if there are fewer, and keeps the highest if
// there are more.
class Channel {
 public:
  explicit Channel(std::uint32_t mask) : mask_(mask) {
    if (mask == 0) return;
    shift_ = static_cast<unsigned>(std::countr_zero(mask));
    const auto bits = static_cast<unsigned>(std::popcount(mask));
    if (bits > 8) {
      shift_ += bits - 8;
      mask_ = 0xFFU << shift_;
    }
    for (unsigned value = 0; value < values_.size(); ++value) {
      const unsigned used = std::min(bits, 8U);
      const unsigned high = value << (8 - used) & 0xFFU;
      unsigned repeated = high;
      for (unsigned by = used; by < 8; by += used) repeated |= high >> by;
      values_[value] = static_cast<std::uint8_t>(repeated);
    }
  }
  [[nodiscard]] std::uint8_t of(std::uint32_t pixel) const { return values_[(pixel & mask_) >> shift_]; }

 private:
  std::uint32_t mask_;
  unsigned shift_{0};
  std::array<std::uint8_t, 256> values_{};
};

class RowConverter {
 public:
  explicit RowConverter(const Layout& layout)
      : layout_(layout), channels_{Channel(layout.masks[0]), Channel(layout.masks[1]), Channel(layout.masks[2])} {}

  void run(const std::uint8_t* row, std::uint8_t* bgr) const {
    switch (layout_.bits) {
      case 24: std::memcpy(bgr, row, static_cast<std::size_t>(3 * layout_.width)); break;
      case 16:
      case 32: masked(row, bgr); break;
      default: indexed(row, bgr); break;
    }
  }

 private:
  void indexed(const std::uint8_t* row, std::uint8_t* bgr) const {
    const unsigned bits = layout_.bits;
    const unsigned mask = (1U << bits) - 1;
    for (std::uint64_t x = 0; x < layout_.width; ++x) {
      const auto bit = static_cast<unsigned>(x * bits);
      const auto index = row[bit / 8] >> (8 - bits - bit % 8) & mask;
      std::memcpy(bgr + 3 * x, layout_.palette[index].data(), 3);
    }
  }

  void masked(const std::uint8_t* row, std::uint8_t* bgr) const {
    const std::size_t bytes = layout_.bits / 8;
    for (std::uint64_t x = 0; x < layout_.width; ++x) {
      std::uint32_t pixel = 0;
      for (std::size_t i = 0; i < bytes; ++i) pixel |= std::uint32_t{row[bytes * x + i]} << (8 * i);
      for (std::size_t c = 0; c < 3; ++c) bgr[3 * x + c] = channels_[c].of(pixel);
    }
  }

  const Layout& layout_;
  std::array<Channel, 3> channels_;
};

// Decodes run-length codes into the canvas. Rows have the file's order, with the lowest first.
class RunReader {
 public:
  RunReader(const Layout& layout, Bytes file, Canvas& into)
      : layout_(layout), in_(file, false), at_(layout.pixels_at), into_(into) {}

  // Returns true if the picture is complete.
  Outcome<bool> run(Budget& budget) {
    constexpr std::uint64_t kCodesPerLook = 64U << 10U;
    for (std::uint64_t codes = 1; y_ < layout_.height; ++codes) {
      if (codes % kCodesPerLook == 0 && budget.look()) return out_of_time();
      const unsigned count = next();
      const unsigned value = next();
      // The last pixel may be the file's last code.
      if (in_.past_end()) return y_ + 1 == layout_.height && x_ >= layout_.width;
      if (count > 0) {
        put_run(count, value);
      } else if (value == 0) {
        x_ = 0;
        ++y_;
      } else if (value == 1) {
        return true;
      } else if (value == 2) {
        x_ += next();
        y_ += next();
        if (in_.past_end()) return false;
      } else if (!put_pixels(value)) {
        return false;
      }
    }
    return true;
  }

 private:
  unsigned next() { return in_.u8(at_++); }

  void put_run(unsigned count, unsigned value) {
    for (unsigned i = 0; i < count && x_ < layout_.width; ++i) {
      put(layout_.coding == Coding::kRle8 ? value : i % 2 == 0 ? value >> 4U : value & 15U);
    }
  }

  bool put_pixels(unsigned count) {
    const bool is_bytes = layout_.coding == Coding::kRle8;
    const unsigned bytes = is_bytes ? count : (count + 1) / 2;
    const auto first = at_;
    at_ += bytes + bytes % 2;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned byte = in_.u8(first + (is_bytes ? i : i / 2));
      put(is_bytes ? byte : i % 2 == 0 ? byte >> 4U : byte & 15U);
    }
    return !in_.past_end();
  }

  // Ignores pixels outside the row.
  void put(unsigned index) {
    if (x_ < layout_.width) {
      const auto y = layout_.top_down ? y_ : layout_.height - 1 - y_;
      std::memcpy(into_.row(static_cast<std::size_t>(y)) + 3 * x_, layout_.palette[index].data(), 3);
    }
    ++x_;
  }

  const Layout& layout_;
  ByteReader in_;
  std::uint64_t at_;
  Canvas& into_;
  std::uint64_t x_{0};
  std::uint64_t y_{0};
};

void fill(const Pixel& pixel, Canvas& into) {
  auto* const first = into.row(0);
  for (std::size_t x = 0; x < into.width(); ++x) std::memcpy(first + 3 * x, pixel.data(), pixel.size());
  for (std::size_t y = 1; y < into.height(); ++y) std::memcpy(into.row(y), first, into.row_bytes());
}

}  // namespace

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto layout = read_layout(file);
  if (!layout) return layout.error();
  if (auto checked = check_size(layout->width, layout->height, max_pixels); !checked) return checked.error();
  const bool has_palette = layout->bits <= 8;
  return Probe{
      Format::kBmp, layout->width, layout->height, has_palette ? 1U : 3U, has_palette ? layout->bits : 8U, 1, 0};
}

Outcome<void> decode(Bytes file, Canvas& into, Budget& budget) {
  const auto layout = read_layout(file);
  if (!layout) return layout.error();
  if (layout->width != into.width() || layout->height != into.height()) return damaged("BMP");
  if (layout->coding != Coding::kPlain) {
    fill(layout->palette[0], into);
    const auto whole = RunReader(*layout, file, into).run(budget);
    if (!whole) return whole.error();
    if (!*whole) return cut_short("BMP");
    if (budget.look()) return out_of_time();
    into.wrote(into.height());
    return {};
  }
  const RowConverter converter(*layout);
  const auto* row = as_u8(file) + layout->pixels_at;
  for (std::size_t y = 0; y < into.height(); ++y, row += layout->stride()) {
    converter.run(row, into.row(layout->top_down ? y : into.height() - 1 - y));
    into.wrote();
    if (budget.spent(into.row_bytes())) return out_of_time();
  }
  return into.full() ? Outcome<void>() : damaged("BMP");
}

}  // namespace yolod::model::image::codec::bmp
