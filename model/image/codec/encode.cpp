#include "model/image/codec/encode.hpp"

// libjpeg's header needs these two headers before it.
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include <csetjmp>
#include <cstdint>
#include <cstring>

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// libpng and libjpeg report errors by longjmp(), which runs no destructor. Therefore the caller of the function that
// is left owns every object with a destructor.

struct JpegWriter {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape{};
  unsigned char* out{nullptr};  // libjpeg allocates it with malloc
  unsigned long size{0};

  JpegWriter() = default;
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info);
    std::free(out);
  }
};

[[noreturn]] void on_jpeg_error(j_common_ptr info) {
  std::longjmp(static_cast<JpegWriter*>(info->client_data)->escape, 1);
}
void on_jpeg_message(j_common_ptr /*info*/, int /*level*/) {}
void print_nothing(j_common_ptr /*info*/) {}

bool write_jpeg(JpegWriter& writer, const PixelView& pixels, int quality) {
  auto& info = writer.info;
  info.err = jpeg_std_error(&writer.errors);
  writer.errors.error_exit = on_jpeg_error;
  writer.errors.emit_message = on_jpeg_message;
  writer.errors.output_message = print_nothing;
  info.client_data = &writer;
  if (setjmp(writer.escape) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &writer.out, &writer.size);
  info.image_width = static_cast<JDIMENSION>(pixels.width);
  info.image_height = static_cast<JDIMENSION>(pixels.height);
  info.input_components = 3;
  info.in_color_space = JCS_EXT_BGR;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    // libjpeg only reads the row.
    auto* row = const_cast<std::uint8_t*>(pixels.bgr) + info.next_scanline * pixels.stride_bytes;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

struct PngWriter {
  png_structp png{nullptr};
  png_infop info{nullptr};
  std::jmp_buf escape{};
  std::vector<std::byte> out;

  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

[[noreturn]] void on_png_error(png_structp png, png_const_charp /*message*/) {
  std::longjmp(static_cast<PngWriter*>(png_get_error_ptr(png))->escape, 1);
}
void on_png_warning(png_structp /*png*/, png_const_charp /*message*/) {}

bool append(std::vector<std::byte>& out, const std::byte* bytes, std::size_t count) noexcept {
  try {
    out.insert(out.end(), bytes, bytes + count);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void on_png_bytes(png_structp png, png_bytep bytes, std::size_t count) {
  auto& out = static_cast<PngWriter*>(png_get_io_ptr(png))->out;
  // No exception may pass through libpng.
  if (!append(out, reinterpret_cast<const std::byte*>(bytes), count)) png_error(png, "");
}

void flush_nothing(png_structp /*png*/) {}

bool write_png(PngWriter& writer, const PixelView& pixels) {
  if (setjmp(writer.escape) != 0) return false;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_png_error, on_png_warning);
  if (writer.png == nullptr) return false;
  auto* const png = writer.png;
  writer.info = png_create_info_struct(png);
  if (writer.info == nullptr) return false;
  png_set_write_fn(png, &writer, on_png_bytes, flush_nothing);
  // Uses zlib's fastest settings, because the client waits for the PNG.
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
  png_set_compression_level(png, Z_BEST_SPEED);
  png_set_compression_strategy(png, Z_RLE);
  png_set_IHDR(png, writer.info, static_cast<png_uint_32>(pixels.width), static_cast<png_uint_32>(pixels.height), 8,
               PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, writer.info);
  png_set_bgr(png);
  for (int y = 0; y < pixels.height; ++y) {
    png_write_row(png, pixels.bgr + static_cast<std::size_t>(y) * pixels.stride_bytes);
  }
  png_write_end(png, writer.info);
  return true;
}

Error not_encoded() { return {ErrorCode::kInternal, "the picture cannot be encoded"}; }

}  // namespace

Outcome<std::vector<std::byte>> encode(const PixelView& pixels, common::FileType type, int jpeg_quality) {
  if (type == common::FileType::kPng) {
    PngWriter writer;
    if (!write_png(writer, pixels)) return not_encoded();
    return std::move(writer.out);
  }
  JpegWriter writer;
  if (!write_jpeg(writer, pixels, jpeg_quality)) return not_encoded();
  std::vector<std::byte> bytes(writer.size);
  std::memcpy(bytes.data(), writer.out, bytes.size());
  return bytes;
}

}  // namespace yolod::model::image
