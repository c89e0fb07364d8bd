// The form of a request's content in the input arena. The worker parses the content; the front-end only names its form.
#pragma once

#include <cstdint>

namespace yolod::common {

// The numbers cross shared memory (ipc/layout.hpp).
enum class ContentKind : std::uint8_t {
  kFile = 1,       // the file itself: a picture, or .npy or .npz for a model with task: tensor
  kBase64 = 2,     // a picture in base64, as a JSON text without its quotes: it may have escapes
  kOip = 3,        // an inference request of the Open Inference Protocol with tensors: JSON, and bytes that follow it
  kPlanes = 4,     // a network's input for one picture, [channels, height, width]: FP32, FP16, or UINT8 by the size
  kOipPlanes = 5,  // a compressed inference request with such inputs: JSON, and the bytes of all pictures
};

[[nodiscard]] constexpr bool is_content_kind(std::uint8_t number) { return number >= 1 && number <= 5; }

}  // namespace yolod::common
