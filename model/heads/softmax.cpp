#include "model/heads/softmax.hpp"

#include <algorithm>
#include <cmath>

namespace yolod::model::heads {

void softmax(std::span<float> logits) {
  if (logits.empty()) return;
  const float greatest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float& value : logits) {
    value = std::exp(value - greatest);
    sum += static_cast<double>(value);
  }
  for (float& value : logits) value = static_cast<float>(static_cast<double>(value) / sum);
}

}  // namespace yolod::model::heads
