#include "model/image/encode.hpp"

#include <cstdint>
#include <cstring>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

namespace yolod::model::image {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<std::vector<std::byte>> encode(const PixelView& pixels, common::FileType type) {
  try {
    // A view on constant pixels; imencode only reads them.
    auto* bgr = const_cast<std::uint8_t*>(pixels.bgr);
    const cv::Mat picture(pixels.height, pixels.width, CV_8UC3, bgr, pixels.stride_bytes);
    std::vector<unsigned char> encoded;
    if (!cv::imencode(type == common::FileType::kPng ? ".png" : ".jpg", picture, encoded)) {
      return Error{ErrorCode::kInternal, "the picture cannot be encoded"};
    }
    std::vector<std::byte> bytes(encoded.size());
    std::memcpy(bytes.data(), encoded.data(), encoded.size());
    return bytes;
  } catch (const std::exception&) {
    return Error{ErrorCode::kInternal, "the picture cannot be encoded"};
  }
}

}  // namespace yolod::model::image
