// Counts the cost of a forward pass as Darknet counts and prints it: twice the multiplications of convolutions, the
// comparisons of pooling windows and the additions of shortcuts. It ignores all other layers.
#pragma once

#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

// Returns billions of operations for one image.
[[nodiscard]] double bflops(const Layer& layer);
[[nodiscard]] double bflops(const Network& network);

}  // namespace yolod::model::darknet
