// What a forward pass costs, counted as Darknet counts and prints it: twice the multiplications of convolutions, the
// comparisons of pooling windows, the additions of shortcuts; the rest is nothing to it.
#pragma once

#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

// For one image, in thousands of millions.
[[nodiscard]] double bflops(const Layer& layer);
[[nodiscard]] double bflops(const Network& network);

}  // namespace yolod::model::darknet
