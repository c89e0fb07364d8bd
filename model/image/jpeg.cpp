#include "model/image/jpeg.hpp"

// libjpeg's header wants these two before it.
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <csetjmp>
#include <opencv2/core.hpp>

#include "model/image/coarse_jpeg/coarse_picture.hpp"
#include "model/image/exif.hpp"
#include "model/image/ycc_to_bgr.hpp"

namespace yolod::model::image {
namespace {

// Where libjpeg jumps to instead of ending the process.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf escape;
};

[[noreturn]] void jump_out(j_common_ptr info) { std::longjmp(reinterpret_cast<ErrorManager*>(info->err)->escape, 1); }

// A fault that libjpeg would pass over: OpenCV decides what becomes of such a picture.
void take_warning(j_common_ptr info, int level) {
  if (level < 0) jump_out(info);
}

void print_nothing(j_common_ptr /*info*/) {}

struct Decompressor {
  jpeg_decompress_struct info{};
  ErrorManager errors{};

  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

// False where libjpeg has a fault to find, or the picture is of another kind. A jump runs no destructor: what has one
// is made before the place that is jumped to. `orientation` is what the file says.
bool read_pixels(std::span<const std::byte> file, std::uint64_t reduction, cv::Mat& pixels, cv::Mat& row,
                 int& orientation) {
  Decompressor decompressor;
  auto& info = decompressor.info;
  auto& errors = decompressor.errors;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = jump_out;
  errors.base.emit_message = take_warning;
  errors.base.output_message = print_nothing;
  if (setjmp(errors.escape) != 0) return false;
  jpeg_create_decompress(&info);
  constexpr unsigned kWholeMarker = 0xFFFF;
  jpeg_save_markers(&info, JPEG_APP0 + 1, kWholeMarker);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  if (info.jpeg_color_space != JCS_YCbCr || info.data_precision != 8) return false;
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    orientation = exif_orientation({marker->data, marker->data_length});
    if (orientation != 1) break;
  }
  info.out_color_space = JCS_YCbCr;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(reduction);
  jpeg_start_decompress(&info);
  pixels.create(static_cast<int>(info.output_height), static_cast<int>(info.output_width), CV_8UC3);
  row.create(1, pixels.cols, CV_8UC3);
  while (info.output_scanline < info.output_height) {
    auto* const out = pixels.ptr<std::uint8_t>(static_cast<int>(info.output_scanline));
    auto* line = row.ptr<std::uint8_t>(0);
    jpeg_read_scanlines(&info, &line, 1);
    ycc_row_to_bgr(line, out, pixels.cols);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// The eight are: as it is, mirrored, turned by half, mirrored upside down, transposed, turned right, transposed about
// the other diagonal, turned left.
void make_upright(cv::Mat& pixels, int orientation) {
  constexpr int kUpsideDown = 0;
  constexpr int kMirror = 1;
  constexpr int kBoth = -1;
  if (orientation >= 5) cv::transpose(pixels, pixels);
  switch (orientation) {
    case 2:
    case 6: cv::flip(pixels, pixels, kMirror); break;
    case 3:
    case 7: cv::flip(pixels, pixels, kBoth); break;
    case 4:
    case 8: cv::flip(pixels, pixels, kUpsideDown); break;
    default: break;
  }
}

// A row of a colour that has one value for every `across` pixels, as if it had one for each; those of one are as they
// are.
const std::uint8_t* spread(const std::uint8_t* row, int across, int width, std::uint8_t* into) {
  if (across == 1) return row;
  for (int x = 0; x + 1 < width; x += 2) into[x] = into[x + 1] = row[x / 2];
  if (width % 2 != 0) into[width - 1] = row[width / 2];
  return into;
}

cv::Mat to_pixels(const coarse::CoarsePicture& picture) {
  cv::Mat pixels(picture.height, picture.width, CV_8UC3);
  cv::Mat rows(2, picture.width, CV_8UC1);
  const auto& [luma, blue, red] = picture.planes;
  const std::uint8_t* cb = nullptr;
  const std::uint8_t* cr = nullptr;
  for (int y = 0; y < picture.height; ++y) {
    if (y % picture.down == 0) {
      cb = spread(blue.row(y / picture.down), picture.across, picture.width, rows.ptr<std::uint8_t>(0));
      cr = spread(red.row(y / picture.down), picture.across, picture.width, rows.ptr<std::uint8_t>(1));
    }
    planes_row_to_bgr(luma.row(y), cb, cr, pixels.ptr<std::uint8_t>(y), picture.width);
  }
  return pixels;
}

}  // namespace

std::optional<cv::Mat> decode_jpeg(std::span<const std::byte> file, std::uint64_t reduction) {
  cv::Mat pixels;
  int orientation = 1;
  const auto coarse =
      reduction == 4 || reduction == 8
          ? coarse::read_coarse_picture({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()},
                                        static_cast<int>(reduction))
          : std::nullopt;
  if (coarse) {
    pixels = to_pixels(*coarse);
    orientation = coarse->orientation;
  } else {
    cv::Mat row;
    if (!read_pixels(file, reduction, pixels, row, orientation)) return std::nullopt;
  }
  make_upright(pixels, orientation);
  return pixels;
}

}  // namespace yolod::model::image
