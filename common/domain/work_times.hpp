// How long a worker took for a request. Plain values: any thread.
#pragma once

#include <cstdint>

namespace yolod::common {

// Microseconds that a worker spent on one request. A batch's forward pass counts whole for each of its members:
// that is what each of them waited.
struct WorkTimes {
  std::uint32_t decode_us{0};
  std::uint32_t infer_us{0};
  std::uint32_t post_us{0};

  friend bool operator==(const WorkTimes&, const WorkTimes&) = default;
};

}  // namespace yolod::common
