// The measure of overlap between two boxes for which a network was trained.
#pragma once

namespace yolod::model::heads {

enum class Overlap {
  kIou,
  kDiou,  // IoU - (d^2 / c^2)^beta: d is the distance of the centres, c the diagonal around both (Zheng et al., 2020)
};

}  // namespace yolod::model::heads
