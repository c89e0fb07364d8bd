#include "model/image/codec/webp.hpp"

#include <webp/decode.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/exif.hpp"

namespace yolod::model::image::codec::webp {
namespace {

using common::Outcome;

constexpr std::uint64_t kRiffHeader = 12;
constexpr std::uint64_t kChunkHeader = 8;

// The positions of a file's parts.
struct Layout {
  std::uint64_t width{0};  // of the picture; a frame of an animation may be smaller
  std::uint64_t height{0};
  std::uint64_t frame_x{0};
  std::uint64_t frame_y{0};
  std::uint64_t frame_width{0};
  std::uint64_t frame_height{0};
  bool lossless{false};
  bool has_alpha{false};
  int orientation{1};
  Bytes stream;  // of the frame, from the header of its "VP8 " or "VP8L" chunk
};

class LayoutReader {
 public:
  explicit LayoutReader(Bytes file) : file_(file), in_(file, false) {}

  Outcome<Layout> run() {
    // Bytes behind the RIFF container do not belong to the file.
    const auto riff_end = std::uint64_t{in_.u32(4)} + kChunkHeader;
    end_ = std::min<std::uint64_t>(file_.size(), riff_end);
    cut_ = riff_end > file_.size();
    if (begins_with(file_, "VP8X", kRiffHeader)) {
      if (auto read = read_extended(); !read) return read.error();
    } else if (is_bitstream(kRiffHeader)) {
      if (auto read = read_bitstream(kRiffHeader, end_); !read) return read.error();
      layout_.width = layout_.frame_width;
      layout_.height = layout_.frame_height;
    } else {
      return file_.size() < kRiffHeader + kChunkHeader ? cut_short("WebP")
                                                       : invalid("the WebP file begins with an unknown chunk");
    }
    return layout_;
  }

 private:
  [[nodiscard]] bool is_bitstream(std::uint64_t at) const {
    return begins_with(file_, "VP8 ", at) || begins_with(file_, "VP8L", at);
  }

  // Reads the chunk at `at`. REQUIRES: is_bitstream().
  Outcome<void> read_bitstream(std::uint64_t at, std::uint64_t end) {
    const auto payload = at + kChunkHeader;
    const auto not_one = [&] {
      return in_.past_end() ? cut_short("WebP") : invalid("the WebP file's bitstream has no valid header");
    };
    layout_.lossless = begins_with(file_, "VP8L", at);
    if (layout_.lossless) {
      constexpr std::uint8_t kSignature = 0x2F;
      const auto bits = in_.u32(payload + 1);
      const auto version = bits >> 29U;
      if (in_.u8(payload) != kSignature || version != 0) return not_one();
      layout_.frame_width = (bits & 0x3FFFU) + 1;
      layout_.frame_height = ((bits >> 14U) & 0x3FFFU) + 1;
      layout_.has_alpha = (bits >> 28U & 1U) != 0;
    } else {
      const bool is_key_frame = (in_.u8(payload) & 1U) == 0;
      const bool has_start_code = in_.u24(payload + 3) == 0x2A019D;
      if (!is_key_frame || !has_start_code) return not_one();
      layout_.frame_width = in_.u16(payload + 6) & 0x3FFFU;
      layout_.frame_height = in_.u16(payload + 8) & 0x3FFFU;
    }
    if (in_.past_end() || payload >= end) return cut_short("WebP");
    // A chunk may be cut; the decoder then reports that it is incomplete.
    const auto size = std::min<std::uint64_t>(kChunkHeader + in_.u32(at + 4), end - at);
    layout_.stream = file_.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
    return {};
  }

  Outcome<void> read_extended() {
    constexpr std::uint64_t kPayload = kRiffHeader + kChunkHeader;
    constexpr unsigned kAnimated = 0x02;
    constexpr unsigned kExif = 0x08;
    constexpr unsigned kAlpha = 0x10;
    const unsigned flags = in_.u8(kPayload);
    layout_.width = std::uint64_t{in_.u24(kPayload + 4)} + 1;
    layout_.height = std::uint64_t{in_.u24(kPayload + 7)} + 1;
    if (in_.past_end()) return cut_short("WebP");
    layout_.has_alpha = (flags & kAlpha) != 0;
    const bool is_animated = (flags & kAnimated) != 0;
    bool wants_exif = (flags & kExif) != 0;
    bool has_frame = false;
    std::uint64_t at = kRiffHeader;
    for (std::size_t chunks = 0; at + kChunkHeader <= end_ && (wants_exif || !has_frame); ++chunks) {
      if (chunks == kMaxChunks) return many_chunks();
      const std::uint64_t length = in_.u32(at + 4);
      const auto next = at + kChunkHeader + length + length % 2;
      if (!has_frame && is_animated && begins_with(file_, "ANMF", at)) {
        if (auto read = read_frame(at + kChunkHeader, std::min(end_, at + kChunkHeader + length)); !read) return read;
        has_frame = true;
      } else if (!has_frame && !is_animated && is_bitstream(at)) {
        if (auto read = read_bitstream(at, end_); !read) return read;
        has_frame = true;
        if (layout_.frame_width != layout_.width || layout_.frame_height != layout_.height) {
          return invalid("the WebP file's bitstream has another size than its header says");
        }
      } else if (wants_exif && begins_with(file_, "EXIF", at) && at + kChunkHeader + length <= end_) {
        layout_.orientation = orientation(at + kChunkHeader, length);
        wants_exif = false;
      }
      at = next;
    }
    if (!has_frame) return cut_ ? cut_short("WebP") : invalid("the WebP file holds no picture");
    // Without its orientation the picture would be wrong.
    if (wants_exif && cut_) return cut_short("WebP");
    return {};
  }

  // Reads an animation's first frame, whose chunk's content lies from `at` to `end`.
  Outcome<void> read_frame(std::uint64_t at, std::uint64_t end) {
    constexpr std::uint64_t kFrameHeader = 16;
    layout_.frame_x = 2 * std::uint64_t{in_.u24(at)};
    layout_.frame_y = 2 * std::uint64_t{in_.u24(at + 3)};
    const auto width = std::uint64_t{in_.u24(at + 6)} + 1;
    const auto height = std::uint64_t{in_.u24(at + 9)} + 1;
    if (in_.past_end()) return cut_short("WebP");
    if (layout_.frame_x + width > layout_.width || layout_.frame_y + height > layout_.height) {
      return invalid("the WebP file's first frame is larger than its picture");
    }
    at += kFrameHeader;
    for (std::size_t chunks = 0; at + kChunkHeader <= end; ++chunks) {
      if (chunks == kMaxChunks) return many_chunks();
      if (is_bitstream(at)) {
        if (auto read = read_bitstream(at, end); !read) return read;
        if (layout_.frame_width != width || layout_.frame_height != height) {
          return invalid("the WebP file's first frame has another size than its header says");
        }
        return {};
      }
      const std::uint64_t length = in_.u32(at + 4);
      at += kChunkHeader + length + length % 2;
    }
    return cut_ ? cut_short("WebP") : invalid("the WebP file's first frame holds no picture");
  }

  [[nodiscard]] int orientation(std::uint64_t at, std::uint64_t length) const {
    const std::span content(as_u8(file_) + at, static_cast<std::size_t>(length));
    // Some writers keep the prefix that EXIF has in a JPEG.
    return begins_with(file_, "Exif", at) ? exif_orientation(content) : tiff_orientation(content);
  }

  static common::Error many_chunks() {
    return too_complex("the WebP file has more than " + std::to_string(kMaxChunks) + " chunks");
  }

  Bytes file_;
  ByteReader in_;
  std::uint64_t end_{0};
  bool cut_{false};
  Layout layout_;
};

// A lossless picture may have separate Huffman codes for each block of 4 x 4 pixels. Each such group costs memory and
// time, however few bytes it takes: measured 5 kB and 9 us with codes of one symbol, up to 25 kB with large colour
// caches. A group takes at least 20 bits of the file, and there are at most 65,536 groups. Usual files have far
// fewer, but only the decoder finds the number.
std::uint64_t most_groups(const Layout& layout) {
  if (!layout.lossless) return 0;
  constexpr std::uint64_t kMost = 65'536;
  constexpr std::uint64_t kLeastBits = 20;
  const auto blocks = ((layout.frame_width + 3) / 4) * ((layout.frame_height + 3) / 4);
  return std::min({kMost, blocks, 8 * std::uint64_t{layout.stream.size()} / kLeastBits});
}

// Returns the most memory for all groups: codes with more symbols take more bits of the file.
std::uint64_t most_group_bytes(const Layout& layout) {
  constexpr std::uint64_t kMostOfGroup = 25 * 1024;
  constexpr std::uint64_t kLeastOfGroup = 5 * 1024 + 512;
  constexpr std::uint64_t kPerByteOfFile = 128;
  const auto groups = most_groups(layout);
  return std::min(groups * kMostOfGroup, groups * kLeastOfGroup + kPerByteOfFile * layout.stream.size());
}

// Returns the most time for the picture. libwebp cannot be interrupted within a piece of a file, and a small file is
// one piece, so pictures that may take too long are refused beforehand. Measured times for a pixel: lossy 5 ns,
// lossless 2 to 21 ns.
std::chrono::nanoseconds longest_time(const Layout& layout) {
  constexpr std::uint64_t kLossless = 20;
  constexpr std::uint64_t kLossy = 8;
  constexpr std::uint64_t kGroup = 10'000;
  const auto pixels = layout.frame_width * layout.frame_height;
  if (!layout.lossless) return std::chrono::nanoseconds(pixels * kLossy);
  return std::chrono::nanoseconds(std::max(pixels * kLossless, pixels * kLossy + most_groups(layout) * kGroup));
}

struct DeleteDecoder {
  void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
};

}  // namespace

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  const auto layout = LayoutReader(file).run();
  if (!layout) return layout.error();
  if (auto checked = check_size(layout->width, layout->height, max_pixels); !checked) return checked.error();
  if (layout->frame_width == 0 || layout->frame_height == 0) return invalid("the image has no pixels");
  constexpr std::uint64_t kTables = 512U << 10U;
  constexpr std::uint64_t kRowsOfLossy = 128;  // bytes for each column
  const auto working_bytes = kTables + (layout->lossless ? 4 * layout->frame_width * (layout->frame_height + 32)
                                                         : kRowsOfLossy * layout->frame_width);
  return Probe{Format::kWebp,
               layout->width,
               layout->height,
               layout->has_alpha ? 4U : 3U,
               8,
               layout->orientation,
               working_bytes,
               working_bytes + most_group_bytes(*layout)};
}

Outcome<void> decode(Bytes file, Canvas& into, Budget& budget) {
  const auto layout = LayoutReader(file).run();
  if (!layout) return layout.error();
  if (layout->width != into.width() || layout->height != into.height()) return damaged("WebP");
  if (longest_time(*layout) > budget.max_time()) return out_of_time();
  const bool covers_all = layout->frame_width == layout->width && layout->frame_height == layout->height;
  if (!covers_all) std::memset(into.row(0), 0, into.row_bytes() * into.height());

  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return damaged("WebP");
  config.output.colorspace = MODE_BGR;
  config.output.is_external_memory = 1;
  auto& out = config.output.u.RGBA;
  out.rgba = into.row(static_cast<std::size_t>(layout->frame_y)) + 3 * layout->frame_x;
  out.stride = static_cast<int>(into.row_bytes());
  out.size = into.row_bytes() * static_cast<std::size_t>(layout->frame_height - 1) +
             3 * static_cast<std::size_t>(layout->frame_width);
  const std::unique_ptr<WebPIDecoder, DeleteDecoder> decoder(WebPIDecode(nullptr, 0, &config));
  if (decoder == nullptr) return out_of_memory();
  const auto stream = layout->stream;
  // After each piece libwebp repeats some of a lossless file's work: pieces of 64 KiB cost 15 %.
  constexpr std::size_t kPiece = 256 * 1024;
  VP8StatusCode status = VP8_STATUS_SUSPENDED;
  for (std::size_t given = 0; status == VP8_STATUS_SUSPENDED && given < stream.size();) {
    given = std::min(stream.size(), given + kPiece);
    status = WebPIUpdate(decoder.get(), as_u8(stream), given);
    if (budget.look()) return out_of_time();
  }
  if (status == VP8_STATUS_SUSPENDED || status == VP8_STATUS_NOT_ENOUGH_DATA) return cut_short("WebP");
  if (status == VP8_STATUS_OUT_OF_MEMORY) return out_of_memory();
  int last_row = 0;
  if (status != VP8_STATUS_OK || WebPIDecGetRGB(decoder.get(), &last_row, nullptr, nullptr, nullptr) == nullptr ||
      static_cast<std::uint64_t>(last_row) != layout->frame_height) {
    return damaged("WebP");
  }
  // The rows outside the frame are black.
  into.wrote(into.height());
  return {};
}

}  // namespace yolod::model::image::codec::webp
