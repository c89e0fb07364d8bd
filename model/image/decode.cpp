#include "model/image/decode.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <utility>

#include "model/image/header.hpp"
#include "model/image/jpeg.hpp"

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// Points stderr at /dev/null while it lives. libpng, libjpeg and imdecode itself print there what they dislike in a
// picture, past every hook of OpenCV's: a line for each bad picture that a client cares to send, and a worker that
// stands still once nobody reads them. Where it fails, they are printed.
class QuietStderr {
 public:
  QuietStderr() {
    static const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) saved_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (saved_ >= 0) ::dup2(null, STDERR_FILENO);
  }
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;
  ~QuietStderr() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }

 private:
  int saved_{-1};
};

// OpenCV prints every cv::Exception before it throws; the catch says all that matters.
int say_nothing(int /*status*/, const char* /*function*/, const char* /*message*/, const char* /*file*/, int /*line*/,
                void* /*data*/) {
  return 0;
}

std::uint64_t reduced(std::uint64_t side, std::uint64_t by) { return (side + by - 1) / by; }

// 1, 2, 4 or 8.
std::uint64_t reduction_for(const Header& header, const std::optional<Size>& needed) {
  if (!needed || header.format != Format::kJpeg || header.width * header.height < kReducedFromPixels) return 1;
  // EXIF may turn the picture, so both of its sides must do for both of those needed.
  const auto least = static_cast<std::uint64_t>(std::max(needed->width, needed->height)) * 3 / 2;
  const auto shorter = std::min(header.width, header.height);
  for (const std::uint64_t by : {8, 4, 2}) {
    // Sides that only rounding makes equal would hide whether the picture was turned.
    const bool tells_turned = header.width == header.height || reduced(header.width, by) != reduced(header.height, by);
    if (shorter / by >= least && tells_turned) return by;
  }
  return 1;
}

int decode_flags(std::uint64_t reduction) {
  switch (reduction) {
    case 2: return cv::IMREAD_REDUCED_COLOR_2;
    case 4: return cv::IMREAD_REDUCED_COLOR_4;
    case 8: return cv::IMREAD_REDUCED_COLOR_8;
    default: return cv::IMREAD_COLOR;
  }
}

}  // namespace

struct Picture::Pixels {
  cv::Mat mat;
};

Picture::Picture(std::shared_ptr<const Pixels> pixels, Size size) : pixels_(std::move(pixels)), size_(size) {}

PixelView Picture::view() const {
  const auto& mat = pixels_->mat;
  return {mat.data, mat.cols, mat.rows, mat.step[0]};
}

void prepare_decoder() {
  static const bool done = [] {
    cv::setNumThreads(1);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError(say_nothing);
    return true;
  }();
  (void)done;
}

Outcome<Picture> decode(std::span<const std::byte> file, std::uint64_t max_pixels, std::optional<Size> needed) {
  const auto header = read_header(file, max_pixels);
  if (!header) return header.error();
  const auto reduction = reduction_for(*header, needed);
  try {
    // imdecode takes a Mat over the bytes and does not write to it.
    auto* bytes = const_cast<std::byte*>(file.data());
    if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      return Error{ErrorCode::kInvalidImage, "the image file is too large"};
    }
    const cv::Mat encoded(1, static_cast<int>(file.size()), CV_8UC1, bytes);
    auto pixels = std::make_shared<Picture::Pixels>();
    // What that does not take, OpenCV may, or it says what is wrong.
    auto jpeg = header->format == Format::kJpeg ? decode_jpeg(file, reduction) : std::nullopt;
    if (jpeg) {
      pixels->mat = std::move(*jpeg);
    } else {
      const QuietStderr quiet;
      pixels->mat = cv::imdecode(encoded, decode_flags(reduction));
    }
    const auto& mat = pixels->mat;
    if (mat.empty() || mat.type() != CV_8UC3) return Error{ErrorCode::kInvalidImage, "the image cannot be decoded"};
    const auto width = static_cast<std::uint64_t>(mat.cols);
    const auto height = static_cast<std::uint64_t>(mat.rows);
    const auto stored_width = reduced(header->width, reduction);
    const auto stored_height = reduced(header->height, reduction);
    const bool as_stored = width == stored_width && height == stored_height;
    const bool turned = width == stored_height && height == stored_width;
    if (!as_stored && !turned)
      return Error{ErrorCode::kInvalidImage, "the image is not of the size that its header says"};
    Size size{static_cast<int>(header->width), static_cast<int>(header->height)};
    if (!as_stored) std::swap(size.width, size.height);
    return Picture(std::move(pixels), size);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kInternal, "no memory to decode an image of " + std::to_string(header->width) + " x " +
                                           std::to_string(header->height) + " pixels"};
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) return Error{ErrorCode::kInternal, "no memory to decode an image"};
    return Error{ErrorCode::kInvalidImage, "the image cannot be decoded"};
  } catch (const std::exception&) {
    return Error{ErrorCode::kInvalidImage, "the image cannot be decoded"};
  }
}

}  // namespace yolod::model::image
