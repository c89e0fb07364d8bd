// What a model is for.
#pragma once

#include <string>

namespace yolod::common {

enum class Task { kDetect, kClassify, kImage, kTensor };

// The word of the config: "detect", "classify", "image", "tensor".
[[nodiscard]] std::string to_string(Task task);

}  // namespace yolod::common
