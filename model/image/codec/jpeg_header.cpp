#include "model/image/codec/jpeg_header.hpp"

#include <algorithm>
#include <string>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/codec/jpeg.hpp"
#include "model/image/exif.hpp"

namespace yolod::model::image::codec::jpeg {
namespace {

using common::Outcome;

constexpr std::uint8_t kProgressive = 0xC2;
constexpr std::uint8_t kFirstArithmetic = 0xC9;
constexpr std::uint8_t kEndOfImage = 0xD9;
constexpr std::uint8_t kStartOfScan = 0xDA;
constexpr std::uint8_t kExif = 0xE1;

bool is_start_of_frame(std::uint8_t marker) {
  // C4, C8 and CC lie in the range but mark tables.
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// `at` is the position of the segment's length.
Outcome<void> read_frame(ByteReader& in, std::uint64_t at, std::uint8_t marker, Header& header) {
  if (marker >= kFirstArithmetic) return invalid("the JPEG file is arithmetic-coded, which is not served");
  if (marker > kProgressive) return invalid("the JPEG file is lossless or hierarchical, which is not served");
  const auto precision = in.u8(at + 2);
  const auto count = in.u8(at + 7);
  const auto length = in.u16(at);
  if (in.past_end()) return cut_short("JPEG");
  if (precision != 8) return invalid("the JPEG file has " + std::to_string(precision) + " bits a sample, not 8");
  if (count != 1 && count != 3 && count != 4) {
    return invalid("the JPEG file has " + std::to_string(count) + " components, not 1, 3 or 4");
  }
  if (length != 8U + 3U * count) return invalid("the JPEG file's frame header has a wrong length");
  header.progressive = marker == kProgressive;
  header.height = in.u16(at + 3);
  header.width = in.u16(at + 5);
  header.component_count = count;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned factors = in.u8(at + 9 + 3 * i);
    header.components[i] = {factors >> 4U, factors & 15U};
    const auto is_factor = [](unsigned factor) { return factor >= 1 && factor <= 4; };
    if (!is_factor(factors >> 4U) || !is_factor(factors & 15U)) {
      return in.past_end() ? cut_short("JPEG") : invalid("the JPEG file has a sampling factor out of range");
    }
  }
  return {};
}

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

// Returns the memory that libjpeg allocates: all coefficients of a file with several scans, or a few rows of blocks.
std::uint64_t working_bytes(const Header& header) {
  constexpr std::uint64_t kBlockSide = 8;
  constexpr std::uint64_t kBlockBytes = 128;
  constexpr std::uint64_t kTables = 128U << 10U;
  std::uint64_t most_across = 1;
  std::uint64_t most_down = 1;
  for (std::size_t i = 0; i < header.component_count; ++i) {
    most_across = std::max<std::uint64_t>(most_across, header.components[i].across);
    most_down = std::max<std::uint64_t>(most_down, header.components[i].down);
  }
  // Rows of samples for each component, and once more at full width.
  std::uint64_t total = kTables + 4 * (header.width + 64) * kBlockSide * most_down * header.component_count;
  if (!header.has_several_scans()) return total;
  for (std::size_t i = 0; i < header.component_count; ++i) {
    const auto& [across, down] = header.components[i];
    const auto blocks = [&](std::uint64_t side, std::uint64_t factor, std::uint64_t most) {
      return divided_up(divided_up(side * factor, most * kBlockSide), factor) * factor;
    };
    total += blocks(header.width, across, most_across) * blocks(header.height, down, most_down) * kBlockBytes;
  }
  return total;
}

}  // namespace

Outcome<Header> read_header(Bytes file) {
  ByteReader in(file, true);
  Header header;
  bool has_frame = false;
  std::uint64_t at = 2;
  while (true) {
    // libjpeg skips bytes that are not a marker, so junk between segments is accepted.
    while (!in.past_end() && in.u8(at) != 0xFF) ++at;
    while (!in.past_end() && in.u8(at) == 0xFF) ++at;
    const auto marker = in.u8(at++);
    if (in.past_end()) return cut_short("JPEG");
    const bool stands_alone = marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    if (stands_alone) continue;
    if (marker == kEndOfImage || (marker == kStartOfScan && !has_frame)) {
      return invalid("the JPEG file has no frame header before its data");
    }
    const auto length = in.u16(at);
    if (in.past_end()) return cut_short("JPEG");
    if (length < 2) return invalid("the JPEG file has a segment with an invalid length");
    if (marker == kStartOfScan) {
      header.first_scan_components = in.u8(at + 2);
      // The segment must be complete; otherwise the picture was cut before its first pixel.
      if (in.past_end() || file.size() - at < length) return cut_short("JPEG");
      return header;
    }
    if (is_start_of_frame(marker)) {
      if (has_frame) return invalid("the JPEG file has two frame headers");
      has_frame = true;
      if (auto read = read_frame(in, at, marker, header); !read) return read.error();
    }
    if (marker == kExif && header.orientation == 1 && file.size() - at >= length) {
      header.orientation = exif_orientation({as_u8(file) + at + 2, length - std::size_t{2}});
    }
    at += length;
  }
}

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto header = read_header(file);
  if (!header) return header.error();
  if (auto checked = check_size(header->width, header->height, max_pixels); !checked) return checked.error();
  return Probe{
      Format::kJpeg,       header->width,         header->height, static_cast<unsigned>(header->component_count), 8,
      header->orientation, working_bytes(*header)};
}

}  // namespace yolod::model::image::codec::jpeg
