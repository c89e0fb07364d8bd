#include "model/image/codec/tiff_layout.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/image/budget.hpp"
#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/codec/tiff.hpp"

namespace yolod::model::image::codec::tiff {
namespace {

using common::Outcome;

enum Tag : std::uint32_t {
  kWidth = 256,
  kHeight = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfiguration = 284,
  kColorMap = 320,
  kTileWidth = 322,
  kTileLength = 323,
  kTileOffsets = 324,
  kTileByteCounts = 325,
  kInkSet = 332,
  kSampleFormat = 339,
};

constexpr std::uint64_t kJpegCompression = 7;
constexpr std::uint64_t kMostRowsBytes = 8U << 20U;

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

struct Entry {
  std::uint32_t tag;
  Layout::Array values;
};

// The known entries, each at most once.
class Directory {
 public:
  Directory(Bytes file, bool big_endian) : file_(file), in_(file, big_endian) {}

  Outcome<void> read() {
    constexpr std::uint64_t kEntryBytes = 12;
    constexpr std::uint64_t kMostEntries = 1000;  // libtiff compares each entry with all others
    const std::uint64_t directory = in_.u32(4);
    const auto count = in_.u16(directory);
    if (in_.past_end()) return cut_short("TIFF");
    if (count > kMostEntries) {
      return too_complex("the TIFF file has more than " + std::to_string(kMostEntries) + " directory entries");
    }
    std::vector<std::uint32_t> tags;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto at = directory + 2 + kEntryBytes * i;
      if (auto read = read_entry(at); !read) return read;
      tags.push_back(in_.u16(at));
    }
    std::sort(tags.begin(), tags.end());
    // Refuse a repeated tag, because it is unknown which one libtiff would use.
    if (std::adjacent_find(tags.begin(), tags.end()) != tags.end()) return invalid("the TIFF file has a tag twice");
    // It is also unknown whether libtiff uses the first of several values, or tiles instead of strips.
    constexpr std::array<Tag, 11> kOfOneValue{kWidth,       kHeight,          kCompression,  kPhotometric,
                                              kOrientation, kSamplesPerPixel, kRowsPerStrip, kPlanarConfiguration,
                                              kTileWidth,   kTileLength,      kInkSet};
    for (const auto& entry : entries_) {
      const bool of_one = std::find(kOfOneValue.begin(), kOfOneValue.end(), entry.tag) != kOfOneValue.end();
      if (of_one && entry.values.count != 1) {
        return invalid("the TIFF file's tag " + std::to_string(entry.tag) + " has several values");
      }
    }
    const auto has = [this](Tag tag) { return array(tag).has_value(); };
    const bool has_tiles = has(kTileWidth) || has(kTileLength) || has(kTileOffsets) || has(kTileByteCounts);
    if (has_tiles && (has(kStripOffsets) || has(kStripByteCounts))) {
      return invalid("the TIFF file has strips and tiles");
    }
    return {};
  }

  [[nodiscard]] std::optional<Layout::Array> array(Tag tag) const {
    for (const auto& entry : entries_) {
      if (entry.tag == tag) return entry.values;
    }
    return std::nullopt;
  }

  // Returns nullopt if the tag is absent or has several values; 0 is a valid value.
  [[nodiscard]] std::optional<std::uint64_t> value(Tag tag) {
    const auto found = array(tag);
    return found && found->count == 1 ? std::optional(item(*found, 0)) : std::nullopt;
  }

  [[nodiscard]] std::uint64_t item(const Layout::Array& values, std::uint64_t index) {
    const auto at = values.at + index * values.item_bytes;
    return values.item_bytes == 1 ? in_.u8(at) : values.item_bytes == 2 ? in_.u16(at) : in_.u32(at);
  }

 private:
  Outcome<void> read_entry(std::uint64_t at) {
    constexpr std::array<Tag, 18> kKnown{kWidth,        kHeight,          kBitsPerSample,       kCompression,
                                         kPhotometric,  kStripOffsets,    kOrientation,         kSamplesPerPixel,
                                         kRowsPerStrip, kStripByteCounts, kPlanarConfiguration, kColorMap,
                                         kTileWidth,    kTileLength,      kTileOffsets,         kTileByteCounts,
                                         kInkSet,       kSampleFormat};
    constexpr std::uint64_t kInline = 4;
    const auto tag = in_.u16(at);
    const auto type = in_.u16(at + 2);
    const std::uint64_t count = in_.u32(at + 4);
    const auto offset = in_.u32(at + 8);
    if (in_.past_end()) return cut_short("TIFF");
    if (std::find(kKnown.begin(), kKnown.end(), tag) == kKnown.end()) return {};
    // The types are BYTE, SHORT and LONG.
    const unsigned item_bytes = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    if (item_bytes == 0 || count == 0) {
      return invalid("the TIFF file's tag " + std::to_string(tag) + " is of an unknown type");
    }
    const auto bytes = count * item_bytes;
    const auto values_at = bytes <= kInline ? at + 8 : offset;
    if (values_at > file_.size() || bytes > file_.size() - values_at) return cut_short("TIFF");
    entries_.push_back({tag, {values_at, count, item_bytes}});
    return {};
  }

  Bytes file_;
  ByteReader in_;
  std::vector<Entry> entries_;
};

bool is_served(std::uint64_t compression) {
  // These are: none, CCITT RLE, group 3, group 4, LZW, JPEG, Deflate, PackBits, and the older number of Deflate.
  constexpr std::array<std::uint64_t, 9> kServed{1, 2, 3, 4, 5, kJpegCompression, 8, 32773, 32946};
  return std::find(kServed.begin(), kServed.end(), compression) != kServed.end();
}

class LayoutReader {
 public:
  LayoutReader(Bytes file, std::uint64_t max_pixels)
      : file_(file), max_pixels_(max_pixels), directory_(file, begins_with(file, "MM")) {
    layout_.big_endian = begins_with(file, "MM");
  }

  Outcome<Layout> run() {
    if (auto read = directory_.read(); !read) return read.error();
    const auto width = directory_.value(kWidth);
    const auto height = directory_.value(kHeight);
    if (!width || !height || *width == 0 || *height == 0) return invalid("the TIFF file's width or height is invalid");
    layout_.width = *width;
    layout_.height = *height;
    if (auto checked = check_size(layout_.width, layout_.height, max_pixels_); !checked) return checked.error();
    for (const auto step : {&LayoutReader::read_samples, &LayoutReader::read_colours, &LayoutReader::read_blocks}) {
      if (auto read = (this->*step)(); !read) return read.error();
    }
    const auto orientation = directory_.value(kOrientation).value_or(1);
    layout_.orientation = orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
    return layout_;
  }

 private:
  // Returns the value that all elements of an array share, or nullopt if they differ.
  std::optional<std::uint64_t> common_value(Tag tag, std::uint64_t if_absent) {
    const auto found = directory_.array(tag);
    if (!found) return if_absent;
    constexpr std::uint64_t kMost = 4;
    if (found->count > kMost) return std::nullopt;
    const auto first = directory_.item(*found, 0);
    for (std::uint64_t i = 1; i < found->count; ++i) {
      if (directory_.item(*found, i) != first) return std::nullopt;
    }
    return first;
  }

  Outcome<void> read_samples() {
    const auto compression = directory_.value(kCompression).value_or(1);
    if (!is_served(compression)) {
      return invalid("the TIFF file's compression " + std::to_string(compression) + " is not served");
    }
    layout_.compression = static_cast<unsigned>(compression);
    layout_.is_jpeg = compression == kJpegCompression;
    const auto samples = directory_.value(kSamplesPerPixel).value_or(1);
    if (samples < 1 || samples > 4) return invalid("the TIFF file has " + std::to_string(samples) + " samples a pixel");
    layout_.samples = static_cast<unsigned>(samples);
    const auto bits = common_value(kBitsPerSample, 1);
    if (!bits || (*bits != 1 && *bits != 2 && *bits != 4 && *bits != 8 && *bits != 16)) {
      return invalid("the TIFF file's bits a sample are not served");
    }
    layout_.bits = static_cast<unsigned>(*bits);
    constexpr std::uint64_t kUnsigned = 1;
    constexpr std::uint64_t kUndefined = 4;
    const auto format = common_value(kSampleFormat, kUnsigned);
    if (!format || (*format != kUnsigned && *format != kUndefined)) {
      return invalid("the TIFF file's samples are not unsigned numbers");
    }
    const auto planar = directory_.value(kPlanarConfiguration).value_or(1);
    if (planar != 1 && planar != 2) return invalid("the TIFF file's planar configuration is unknown");
    layout_.is_planar = planar == 2 && layout_.samples > 1;
    if (layout_.is_jpeg && layout_.bits != 8) return invalid("the TIFF file's JPEG does not have 8 bits a sample");
    const bool is_fax = compression >= 2 && compression <= 4;
    if (is_fax && (layout_.bits != 1 || layout_.samples != 1)) return invalid("the TIFF file's fax has several bits");
    return {};
  }

  Outcome<void> read_colours() {
    const auto photometric = directory_.value(kPhotometric);
    if (!photometric) return invalid("the TIFF file lacks its colour space (PhotometricInterpretation)");
    const auto samples = layout_.samples;
    const auto bits = layout_.bits;
    bool fits = false;
    switch (*photometric) {
      case 0:
      case 1:
        layout_.colours = *photometric == 0 ? Colours::kWhiteIsZero : Colours::kBlackIsZero;
        fits = samples <= 2;
        break;
      case 2:
        layout_.colours = Colours::kRgb;
        fits = samples >= 3 && bits >= 8;
        break;
      case 3: {
        layout_.colours = Colours::kPalette;
        const auto map = directory_.array(kColorMap);
        fits = samples == 1 && bits <= 8 && map && map->item_bytes == 2 && map->count == 3ULL << bits;
        break;
      }
      case 5:
        layout_.colours = Colours::kCmyk;
        fits = samples == 4 && bits >= 8 && directory_.value(kInkSet).value_or(1) == 1;
        break;
      case 6:
        layout_.colours = Colours::kYcc;
        fits = samples == 3 && layout_.is_jpeg && !layout_.is_planar;
        break;
      default: break;
    }
    if (!fits) return invalid("the TIFF file's colours are not served");
    return {};
  }

  Outcome<void> read_blocks() {
    const bool is_tiled = directory_.array(kTileWidth).has_value();
    layout_.is_tiled = is_tiled;
    if (is_tiled) {
      layout_.block_width = directory_.value(kTileWidth).value_or(0);
      layout_.block_height = directory_.value(kTileLength).value_or(0);
    } else {
      layout_.block_width = layout_.width;
      layout_.block_height = std::min(directory_.value(kRowsPerStrip).value_or(layout_.height), layout_.height);
    }
    if (layout_.block_width == 0 || layout_.block_height == 0) {
      return invalid("the TIFF file's tiles or strips are empty");
    }
    // A decoder holds a whole tile in memory. A tile much larger than the image only makes it allocate memory.
    constexpr std::uint64_t kTileSlack = 4096;
    if (layout_.block_width > layout_.width + kTileSlack || layout_.block_height > layout_.height + kTileSlack) {
      return invalid("the TIFF file's tiles are larger than its image");
    }
    layout_.blocks_across = divided_up(layout_.width, layout_.block_width);
    layout_.blocks_down = divided_up(layout_.height, layout_.block_height);
    if (auto checked = check_block_size(); !checked) return checked;
    const auto blocks = layout_.blocks_across * layout_.blocks_down * layout_.planes();
    const auto offsets = directory_.array(is_tiled ? kTileOffsets : kStripOffsets);
    const auto counts = directory_.array(is_tiled ? kTileByteCounts : kStripByteCounts);
    if (!offsets || !counts || offsets->count != blocks || counts->count != blocks) {
      return invalid("the TIFF file does not say where its tiles or strips are");
    }
    layout_.offsets = *offsets;
    layout_.byte_counts = *counts;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      if (layout_.block(file_, i).empty()) return cut_short("TIFF");
    }
    return {};
  }

  [[nodiscard]] Outcome<void> check_block_size() const {
    constexpr std::uint64_t kMostJpegPixels = 16'000'000;  // libtiff decodes them without checking the time
    if (layout_.is_jpeg && layout_.block_width * layout_.block_height > kMostJpegPixels) {
      return too_complex("the TIFF file's JPEG strips are too large");
    }
    if (!layout_.by_rows() && layout_.block_bytes() > kMostBlockBytes) {
      return too_complex("the TIFF file's tiles or strips are too large");
    }
    // Tiles may extend beyond the image.
    const auto decoded = layout_.block_bytes() * layout_.blocks_across * layout_.blocks_down * layout_.planes();
    if (decoded > std::max(kMostBlockBytes, kMaxDecodedBytesPerPixel * layout_.width * layout_.height)) {
      return too_complex("the TIFF file's tiles decode to too many bytes");
    }
    return {};
  }

  Bytes file_;
  std::uint64_t max_pixels_;
  Directory directory_;
  Layout layout_;
};

}  // namespace

bool Layout::by_rows() const { return !is_tiled && !is_planar && block_bytes() > kMostRowsBytes; }

Bytes Layout::block(Bytes file, std::uint64_t index) const {
  ByteReader in(file, big_endian);
  const auto item = [&](const Array& values) -> std::uint64_t {
    const auto at = values.at + index * values.item_bytes;
    return values.item_bytes == 1 ? in.u8(at) : values.item_bytes == 2 ? in.u16(at) : in.u32(at);
  };
  const auto offset = item(offsets);
  const auto count = item(byte_counts);
  if (offset > file.size() || count > file.size() - offset) return {};
  return file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
}

Outcome<Layout> read_layout(Bytes file, std::uint64_t max_pixels) { return LayoutReader(file, max_pixels).run(); }

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto layout = read_layout(file, max_pixels);
  if (!layout) return layout.error();
  // The current blocks, libtiff's copy of the directory, and the rows of libjpeg inside it.
  constexpr std::uint64_t kLibrary = 1U << 20U;
  const auto blocks = layout->by_rows() ? layout->block_row_bytes() : layout->block_bytes() * layout->planes();
  const auto directory = 4 * 8 * layout->offsets.count;
  const auto rows = 64 * layout->block_width * layout->samples;
  return Probe{Format::kTiff,
               layout->width,
               layout->height,
               layout->samples,
               layout->bits,
               layout->orientation,
               kLibrary + blocks + directory + rows};
}

}  // namespace yolod::model::image::codec::tiff
