#include "model/image/header.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

using Bytes = std::span<const std::byte>;
using Dimensions = Outcome<Header>;

Error invalid(std::string what) { return {ErrorCode::kInvalidImage, std::move(what)}; }
Error cut_short(const char* format) { return invalid(std::string("the ") + format + " file is cut short"); }

// Reads past the end are 0 and remembered, so that a parser checks once.
class ByteReader {
 public:
  ByteReader(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint8_t u8(std::uint64_t at) {
    if (at >= bytes_.size()) {
      past_end_ = true;
      return 0;
    }
    return std::to_integer<std::uint8_t>(bytes_[static_cast<std::size_t>(at)]);
  }
  [[nodiscard]] std::uint32_t u16(std::uint64_t at) { return unsigned_at(at, 2); }
  [[nodiscard]] std::uint32_t u24(std::uint64_t at) { return unsigned_at(at, 3); }
  [[nodiscard]] std::uint32_t u32(std::uint64_t at) { return unsigned_at(at, 4); }
  [[nodiscard]] bool past_end() const { return past_end_; }

 private:
  std::uint32_t unsigned_at(std::uint64_t at, unsigned count) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      const std::uint32_t byte = u8(at + i);
      value |= byte << (8 * (big_endian_ ? count - 1 - i : i));
    }
    return value;
  }

  Bytes bytes_;
  bool big_endian_;
  bool past_end_{false};
};

bool begins(Bytes file, std::string_view magic, std::size_t at = 0) {
  if (file.size() < at + magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (std::to_integer<unsigned char>(file[at + i]) != static_cast<unsigned char>(magic[i])) return false;
  }
  return true;
}

bool is_start_of_frame(std::uint8_t marker) {
  // C4, C8 and CC lie in the range and are tables.
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Dimensions read_jpeg(Bytes file) {
  ByteReader in(file, true);
  std::uint64_t at = 2;
  while (true) {
    // Decoders skip what is no marker, so junk between segments is passed over as they do.
    while (!in.past_end() && in.u8(at) != 0xFF) ++at;
    while (!in.past_end() && in.u8(at) == 0xFF) ++at;
    const auto marker = in.u8(at++);
    if (in.past_end()) return cut_short("JPEG");
    const bool stands_alone = marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    if (stands_alone) continue;
    if (marker == 0xD9 || marker == 0xDA) return invalid("the JPEG file has no frame header before its data");
    const auto length = in.u16(at);
    if (in.past_end()) return cut_short("JPEG");
    if (length < 2) return invalid("the JPEG file has a segment of no length");
    if (is_start_of_frame(marker)) {
      const Header header{Format::kJpeg, in.u16(at + 5), in.u16(at + 3)};
      if (in.past_end()) return cut_short("JPEG");
      return header;
    }
    at += length;
  }
}

Dimensions read_png(Bytes file) {
  ByteReader in(file, true);
  const Header header{Format::kPng, in.u32(16), in.u32(20)};
  const auto length = in.u32(8);
  if (in.past_end()) return cut_short("PNG");
  if (length != 13 || !begins(file, "IHDR", 12)) return invalid("the PNG file does not begin with its header");
  constexpr std::uint64_t kMaxSide = 0x7FFFFFFF;
  if (header.width > kMaxSide || header.height > kMaxSide) return invalid("the PNG file's dimensions are out of range");
  return header;
}

Dimensions read_webp(Bytes file) {
  ByteReader in(file, false);
  constexpr std::uint64_t kPayload = 20;
  Header header{Format::kWebp, 0, 0};
  if (begins(file, "VP8X", 12)) {
    header.width = std::uint64_t{in.u24(kPayload + 4)} + 1;
    header.height = std::uint64_t{in.u24(kPayload + 7)} + 1;
  } else if (begins(file, "VP8L", 12)) {
    if (in.u8(kPayload) != 0x2F)
      return in.past_end() ? cut_short("WebP") : invalid("the WebP file's bitstream is not one");
    const auto bits = in.u32(kPayload + 1);
    header.width = (bits & 0x3FFFU) + 1;
    header.height = ((bits >> 14U) & 0x3FFFU) + 1;
  } else if (begins(file, "VP8 ", 12)) {
    const bool start_code = in.u8(kPayload + 3) == 0x9D && in.u8(kPayload + 4) == 0x01 && in.u8(kPayload + 5) == 0x2A;
    header.width = in.u16(kPayload + 6) & 0x3FFFU;
    header.height = in.u16(kPayload + 8) & 0x3FFFU;
    if (!in.past_end() && !start_code) return invalid("the WebP file's bitstream is not one");
  } else {
    return file.size() < kPayload ? cut_short("WebP") : invalid("the WebP file begins with an unknown chunk");
  }
  if (in.past_end()) return cut_short("WebP");
  return header;
}

// Bytes of `height` rows of `bits_per_row` bits, each padded to `alignment` bytes; saturates instead of overflowing.
std::uint64_t rows_bytes(std::uint64_t height, std::uint64_t bits_per_row, std::uint64_t alignment) {
  const auto row = ((bits_per_row + 7) / 8 + alignment - 1) / alignment * alignment;
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(height, row, &total)) return std::numeric_limits<std::uint64_t>::max();
  return total;
}

Dimensions read_bmp(Bytes file) {
  ByteReader in(file, false);
  const auto pixels_at = in.u32(10);
  const auto info_size = in.u32(14);
  Header header{Format::kBmp, 0, 0};
  std::uint32_t bits = 0;
  std::uint32_t compression = 0;
  if (info_size == 12) {
    header.width = in.u16(18);
    header.height = in.u16(20);
    bits = in.u16(24);
  } else if (info_size >= 36) {
    const auto width = static_cast<std::int32_t>(in.u32(18));
    const auto height = static_cast<std::int32_t>(in.u32(22));  // negative: rows from the top
    if (width < 0) return invalid("the BMP file's width is negative");
    header.width = static_cast<std::uint64_t>(width);
    header.height = static_cast<std::uint64_t>(height < 0 ? -static_cast<std::int64_t>(height) : height);
    bits = in.u16(28);
    compression = in.u32(30);
  } else {
    return in.past_end() ? cut_short("BMP") : invalid("the BMP file has an unknown header");
  }
  if (in.past_end()) return cut_short("BMP");
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return invalid("the BMP file has " + std::to_string(bits) + " bits a pixel");
  }
  constexpr std::uint32_t kPlain = 0;
  constexpr std::uint32_t kBitFields = 3;
  if (compression == kPlain || compression == kBitFields) {
    const auto needed = rows_bytes(header.height, header.width * bits, 4);
    const auto held = file.size() > pixels_at ? file.size() - pixels_at : 0;
    if (needed > held) return cut_short("BMP");
  }
  return header;
}

// The first directory's dimensions; the decoder reads no other.
Dimensions read_tiff(Bytes file) {
  ByteReader in(file, begins(file, "MM"));
  constexpr std::uint32_t kWidthTag = 256;
  constexpr std::uint32_t kHeightTag = 257;
  constexpr std::uint32_t kTileWidthTag = 322;
  constexpr std::uint32_t kTileHeightTag = 323;
  const std::uint64_t directory = in.u32(4);
  const auto entries = in.u16(directory);
  if (in.past_end()) return cut_short("TIFF");
  Header header{Format::kTiff, 0, 0};
  std::uint64_t tile_width = 0;
  std::uint64_t tile_height = 0;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + 12 * i;
    const auto tag = in.u16(at);
    const auto type = in.u16(at + 2);
    std::uint64_t* slot = nullptr;
    if (tag == kWidthTag) slot = &header.width;
    if (tag == kHeightTag) slot = &header.height;
    if (tag == kTileWidthTag) slot = &tile_width;
    if (tag == kTileHeightTag) slot = &tile_height;
    if (in.past_end()) return cut_short("TIFF");
    if (slot == nullptr) continue;
    // BYTE, SHORT and LONG; a decoder takes no other for these.
    std::uint64_t value = 0;
    if (type == 1) value = in.u8(at + 8);
    if (type == 3) value = in.u16(at + 8);
    if (type == 4) value = in.u32(at + 8);
    if (in.past_end()) return cut_short("TIFF");
    if (value == 0 || in.u32(at + 4) != 1) return invalid("the TIFF file's dimensions cannot be read");
    // The larger of two entries for one tag, whichever of them a decoder takes.
    if (value > *slot) *slot = value;
  }
  if (header.width == 0 || header.height == 0) return invalid("the TIFF file names no dimensions");
  // A decoder holds a whole tile: one much larger than the image is only there to make it allocate.
  constexpr std::uint64_t kTileSlack = 4096;
  if (tile_width > header.width + kTileSlack || tile_height > header.height + kTileSlack) {
    return invalid("the TIFF file's tiles are larger than its image");
  }
  return header;
}

// The next number of a PNM header: blanks and comments skipped; nothing when there is none or it is too large.
std::optional<std::uint64_t> pnm_number(Bytes file, std::size_t& at) {
  const auto is_blank = [](unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const auto byte = [&file](std::size_t i) { return std::to_integer<unsigned char>(file[i]); };
  while (at < file.size() && (is_blank(byte(at)) || byte(at) == '#')) {
    if (byte(at) == '#') {
      while (at < file.size() && byte(at) != '\n' && byte(at) != '\r') ++at;
    } else {
      ++at;
    }
  }
  std::uint64_t value = 0;
  const auto start = at;
  while (at < file.size() && byte(at) >= '0' && byte(at) <= '9') {
    value = value * 10 + (byte(at) - '0');
    if (value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    ++at;
  }
  if (at == start) return std::nullopt;
  return value;
}

Dimensions read_pnm(Bytes file) {
  const int kind = std::to_integer<int>(file[1]) - '0';  // 1 to 3 plain text, 4 to 6 raw; bitmap, grey, colour
  std::size_t at = 2;
  const auto width = pnm_number(file, at);
  const auto height = width ? pnm_number(file, at) : std::nullopt;
  const bool is_bitmap = kind == 1 || kind == 4;
  const auto max_value = is_bitmap ? std::optional<std::uint64_t>(1) : height ? pnm_number(file, at) : std::nullopt;
  if (!width || !height || !max_value)
    return at >= file.size() ? cut_short("PNM") : invalid("the PNM file's header cannot be read");
  if (*max_value == 0 || *max_value > 65'535) return invalid("the PNM file's largest value is out of range");
  const std::uint64_t samples = kind == 3 || kind == 6 ? 3 : 1;
  std::uint64_t needed = 0;
  if (kind == 4) {
    needed = rows_bytes(*height, *width, 1);
  } else if (kind >= 5) {
    needed = rows_bytes(*height, *width * samples * (*max_value > 255 ? 16 : 8), 1);
  } else {
    // At least a digit each; outside bitmaps also a blank between two.
    needed = rows_bytes(*height, *width * samples * (kind == 1 ? 8 : 16), 1);
    if (kind != 1 && needed > 0) --needed;
  }
  // One blank ends the header.
  const std::uint64_t held = file.size() > at + 1 ? file.size() - at - 1 : 0;
  if (needed > held) return cut_short("PNM");
  return Header{Format::kPnm, *width, *height};
}

Dimensions read_dimensions(Bytes file, Format format) {
  switch (format) {
    case Format::kJpeg: return read_jpeg(file);
    case Format::kPng: return read_png(file);
    case Format::kWebp: return read_webp(file);
    case Format::kBmp: return read_bmp(file);
    case Format::kTiff: return read_tiff(file);
    case Format::kPnm: return read_pnm(file);
  }
  return invalid("not an image");
}

}  // namespace

std::optional<Format> format_of(Bytes file) {
  using namespace std::string_view_literals;
  if (begins(file, "\xFF\xD8\xFF"sv)) return Format::kJpeg;
  if (begins(file, "\x89PNG\r\n\x1A\n"sv)) return Format::kPng;
  if (begins(file, "RIFF"sv) && begins(file, "WEBP"sv, 8)) return Format::kWebp;
  if (begins(file, "BM"sv)) return Format::kBmp;
  if (begins(file, "II*\0"sv) || begins(file, "MM\0*"sv)) return Format::kTiff;
  if (file.size() >= 3 && begins(file, "P"sv)) {
    const auto kind = std::to_integer<unsigned char>(file[1]);
    const auto next = std::to_integer<unsigned char>(file[2]);
    const bool ends_word = next == ' ' || (next >= '\t' && next <= '\r') || next == '#';
    if (kind >= '1' && kind <= '6' && ends_word) return Format::kPnm;
  }
  return std::nullopt;
}

Outcome<Header> read_header(Bytes file, std::uint64_t max_pixels) {
  const auto format = format_of(file);
  if (!format) {
    constexpr const char* kServed = "not an image of a served format: JPEG, PNG, WebP, BMP, TIFF or PNM";
    // The one picture format that people do send and that is not served; anything else is no picture to us.
    const bool gif = file.size() >= 4 && std::memcmp(file.data(), "GIF8", 4) == 0;
    return Error{gif ? ErrorCode::kUnsupportedMediaType : ErrorCode::kInvalidImage, kServed};
  }
  auto header = read_dimensions(file, *format);
  if (!header) {
    return header;
  }
  if (header->width == 0 || header->height == 0) return invalid("the image has no pixels");
  std::uint64_t pixels = 0;
  if (__builtin_mul_overflow(header->width, header->height, &pixels) || pixels > max_pixels) {
    return Error{ErrorCode::kImageTooLarge, "the image has " + std::to_string(header->width) + " x " +
                                                std::to_string(header->height) + " pixels, at most " +
                                                std::to_string(max_pixels) + " are allowed"};
  }
  return header;
}

}  // namespace yolod::model::image
