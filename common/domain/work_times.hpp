// Says how long a worker worked on a request. The type holds plain values; any thread may use it.
#pragma once

#include <cstdint>

namespace yolod::common {

// The microseconds that a worker spent on one request. The forward pass of a batch counts in full for each of its
// requests, because each of them waited for it.
struct WorkTimes {
  std::uint32_t decode_us{0};
  std::uint32_t infer_us{0};
  std::uint32_t post_us{0};

  friend bool operator==(const WorkTimes&, const WorkTimes&) = default;
};

}  // namespace yolod::common
