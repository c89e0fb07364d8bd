#include "model/image/codec/png.hpp"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>

#include "model/image/codec/byte_reader.hpp"
#include "model/image/codec/errors.hpp"
#include "model/image/exif.hpp"

namespace yolod::model::image::codec::png {
namespace {

using common::Outcome;

constexpr std::uint64_t kFirstChunk = 8;
constexpr std::uint64_t kHeaderBytes = 13;
constexpr std::uint64_t kAroundData = 12;  // length, type and CRC

// Returns 0 for a colour type or depth that PNG does not have.
unsigned channels_of(unsigned colour_type, unsigned depth) {
  const bool is_depth = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  const bool whole_bytes = depth == 8 || depth == 16;
  switch (colour_type) {
    case 0: return is_depth ? 1 : 0;
    case 2: return whole_bytes ? 3 : 0;
    case 3: return is_depth && depth != 16 ? 1 : 0;
    case 4: return whole_bytes ? 2 : 0;
    case 6: return whole_bytes ? 4 : 0;
    default: return 0;
  }
}

// Returns the orientation in the eXIf chunk, which may be anywhere between IHDR and IEND, or 1 if there is none.
Outcome<int> orientation_of(Bytes file) {
  ByteReader in(file, true);
  std::uint64_t at = kFirstChunk;
  for (std::size_t chunks = 0;; ++chunks) {
    if (chunks == kMaxChunks)
      return too_complex("the PNG file has more than " + std::to_string(kMaxChunks) + " chunks");
    const std::uint64_t length = in.u32(at);
    if (in.past_end() || begins_with(file, "IEND", at + 4)) return 1;
    if (begins_with(file, "eXIf", at + 4)) {
      if (file.size() - at < kAroundData + length) return cut_short("PNG");
      return tiff_orientation({as_u8(file) + at + 8, static_cast<std::size_t>(length)});
    }
    at += kAroundData + length;
  }
}

// libpng's state and the data of its callbacks. libpng reports errors by longjmp(), which runs no destructor.
// Therefore the caller of read_rows() owns every object with a destructor.
struct Reader {
  png_structp png{nullptr};
  png_infop info{nullptr};
  std::jmp_buf escape{};
  Bytes rest;
  Budget* budget;
  bool ran_dry{false};
  bool out_of_time{false};

  Reader(Bytes file, Budget& given) : rest(file), budget(&given) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp /*message*/) {
  std::longjmp(static_cast<Reader*>(png_get_error_ptr(png))->escape, 1);
}

void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void read_bytes(png_structp png, png_bytep into, std::size_t count) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (reader.rest.size() < count) {
    reader.ran_dry = true;
    png_error(png, "");
  }
  std::memcpy(into, reader.rest.data(), count);
  reader.rest = reader.rest.subspan(count);
}

// Contains every call from which libpng may jump. Returns false after a jump or for a faulty file.
bool read_rows(Reader& reader, Canvas& into) {
  if (setjmp(reader.escape) != 0) return false;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png == nullptr) return false;
  auto* const png = reader.png;
  reader.info = png_create_info_struct(png);
  if (reader.info == nullptr) return false;
  png_set_read_fn(png, &reader, read_bytes);
  png_set_user_limits(png, kMaxSide, kMaxSide);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  constexpr png_alloc_size_t kMostChunkBytes = 1U << 20U;
  constexpr png_uint_32 kMostKeptChunks = 16;
  png_set_chunk_malloc_max(png, kMostChunkBytes);
  png_set_chunk_cache_max(png, kMostKeptChunks);
  png_read_info(png, reader.info);
  if (png_get_image_width(png, reader.info) != into.width() ||
      png_get_image_height(png, reader.info) != into.height()) {
    return false;
  }
  const auto colour_type = png_get_color_type(png, reader.info);
  png_set_strip_16(png);
  if (colour_type == PNG_COLOR_TYPE_PALETTE) {
    png_set_palette_to_rgb(png);
  } else if ((colour_type & PNG_COLOR_MASK_COLOR) == 0) {
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
  }
  png_set_strip_alpha(png);
  png_set_bgr(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, reader.info);
  if (png_get_rowbytes(png, reader.info) != into.row_bytes()) return false;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < into.height(); ++y) {
      png_read_row(png, into.row(y), nullptr);
      if (pass + 1 == passes) into.wrote();
      if (reader.budget->spent(into.row_bytes())) {
        reader.out_of_time = true;
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Outcome<Probe> probe(Bytes file, std::uint64_t max_pixels) {
  ByteReader in(file, true);
  const auto length = in.u32(kFirstChunk);
  const std::uint64_t width = in.u32(16);
  const std::uint64_t height = in.u32(20);
  const unsigned depth = in.u8(24);
  const auto channels = channels_of(in.u8(25), depth);
  if (in.past_end()) return cut_short("PNG");
  if (length != kHeaderBytes || !begins_with(file, "IHDR", 12)) {
    return invalid("the PNG file does not begin with its header");
  }
  constexpr std::uint64_t kMostOfFormat = 0x7FFFFFFF;
  if (width > kMostOfFormat || height > kMostOfFormat) return invalid("the PNG file's dimensions are out of range");
  if (channels == 0) return invalid("the PNG file has an unknown colour type or depth");
  if (auto checked = check_size(width, height, max_pixels); !checked) return checked.error();
  const auto orientation = orientation_of(file);
  if (!orientation) return orientation.error();
  // libpng holds two rows, each also in converted form, and zlib's window.
  constexpr std::uint64_t kZlib = 128U << 10U;
  const auto working_bytes = kZlib + 4 * kMaxDecodedBytesPerPixel * width;
  return Probe{Format::kPng, width, height, channels, depth, *orientation, working_bytes};
}

Outcome<void> decode(Bytes file, Canvas& into, Budget& budget) {
  Reader reader(file, budget);
  if (read_rows(reader, into)) return into.full() ? Outcome<void>() : damaged("PNG");
  if (reader.out_of_time) return out_of_time();
  return reader.ran_dry ? cut_short("PNG") : damaged("PNG");
}

}  // namespace yolod::model::image::codec::png
