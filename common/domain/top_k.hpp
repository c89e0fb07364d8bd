// Finds the best classes of a classifier's output. A pure function; any thread may call it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"

namespace yolod::common {

// Returns the `count` classes with the greatest values, best first; equal classes keep their order. It omits values
// that are not finite.
[[nodiscard]] std::vector<Classification> top_k(std::span<const float> values, std::size_t count);

}  // namespace yolod::common
