#include "common/domain/top_k.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace yolod::common {

std::vector<Classification> top_k(std::span<const float> values, std::size_t count) {
  std::vector<Classification> all;
  all.reserve(values.size());
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (std::isfinite(values[c])) all.push_back({static_cast<std::uint32_t>(c), values[c]});
  }
  count = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const auto& a, const auto& b) {
                      return a.probability != b.probability ? a.probability > b.probability : a.class_id < b.class_id;
                    });
  all.resize(count);
  return all;
}

}  // namespace yolod::common
