// The errors that all decoders share.
#pragma once

#include <string>
#include <utility>

#include "common/error.hpp"

namespace yolod::model::image::codec {

[[nodiscard]] inline common::Error invalid(std::string what) {
  return {common::ErrorCode::kInvalidImage, std::move(what)};
}
[[nodiscard]] inline common::Error cut_short(const char* format) {
  return invalid(std::string("the ") + format + " file is cut short");
}
[[nodiscard]] inline common::Error damaged(const char* format) {
  return invalid(std::string("the ") + format + " file is damaged");
}
[[nodiscard]] inline common::Error too_complex(std::string what) {
  return {common::ErrorCode::kImageTooComplex, std::move(what)};
}
[[nodiscard]] inline common::Error out_of_time() {
  return too_complex("decoding the image takes more processor time than is allowed");
}
[[nodiscard]] inline common::Error out_of_memory() {
  return too_complex("decoding the image takes more memory than is allowed");
}

}  // namespace yolod::model::image::codec
