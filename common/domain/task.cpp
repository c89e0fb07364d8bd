#include "common/domain/task.hpp"

namespace yolod::common {

std::string to_string(Task task) {
  switch (task) {
    case Task::kDetect: return "detect";
    case Task::kClassify: return "classify";
    case Task::kImage: return "image";
    case Task::kTensor: return "tensor";
  }
  return "detect";
}

}  // namespace yolod::common
