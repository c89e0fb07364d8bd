// Draws the curve of a run.
#pragma once

#include <span>
#include <string>

#include "tools/train/curve.hpp"

namespace yolod::train {

// Returns an SVG file with the loss (left scale), AP50 and AP50:95 (right scale, 0 to 1) by step. It leaves out
// values that were not measured. Pure.
[[nodiscard]] std::string plot_svg(std::span<const CurvePoint> points, const std::string& title);

}  // namespace yolod::train
