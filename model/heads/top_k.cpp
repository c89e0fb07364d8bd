#include "model/heads/top_k.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

std::vector<common::Classification> top_k(std::span<const float> probabilities, std::size_t count) {
  std::vector<common::Classification> all;
  all.reserve(probabilities.size());
  for (std::size_t c = 0; c < probabilities.size(); ++c) {
    if (std::isfinite(probabilities[c])) all.push_back({static_cast<std::uint32_t>(c), probabilities[c]});
  }
  count = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const auto& a, const auto& b) {
                      return a.probability != b.probability ? a.probability > b.probability : a.class_id < b.class_id;
                    });
  all.resize(count);
  return all;
}

}  // namespace yolod::model::heads
