// How much two boxes of a detector overlap: which measure a network was trained for.
#pragma once

namespace yolod::model::heads {

enum class Overlap {
  kIou,
  kDiou,  // IoU - (d^2 / c^2)^beta: d between the centres, c the diagonal around both (Zheng et al., 2020)
};

}  // namespace yolod::model::heads
