// The curve of a run as a picture.
#pragma once

#include <span>
#include <string>

#include "tools/train/curve.hpp"

namespace yolod::train {

// An SVG file of its own: the loss (left scale), AP50 and AP50:95 (right scale, 0 to 1) by step. Points that were not
// measured are left out. Pure.
[[nodiscard]] std::string plot_svg(std::span<const CurvePoint> points, const std::string& title);

}  // namespace yolod::train
