// Computes how a wire hangs.
#pragma once

namespace yolod::scenes {

// Returns the height in metres of a wire at `part` of its length, 0 to 1. The ends are at `height`, and the middle is
// `sag` lower.
[[nodiscard]] inline float wire_height(float height, float sag, float part) {
  return height - 4 * sag * part * (1 - part);
}

}  // namespace yolod::scenes
