// Names the tasks that a model can have.
#pragma once

#include <string>

namespace yolod::common {

enum class Task { kDetect, kClassify, kImage, kTensor };

// Returns the config's word: "detect", "classify", "image", "tensor".
[[nodiscard]] std::string to_string(Task task);

}  // namespace yolod::common
