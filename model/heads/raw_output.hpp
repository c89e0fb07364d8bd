// Converts a network's output for one picture to the form in which Ultralytics' programs exchange it. Pure functions;
// any thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/domain/tensor.hpp"
#include "model/heads/candidates.hpp"

namespace yolod::model::heads {

// The numbers of one detection of HeadLayout::kFinal.
inline constexpr std::uint32_t kFinalRow = 6;

struct RawForm {
  HeadLayout layout{HeadLayout::kByObjectness};
  std::size_t classes{0};
  // The factors that convert the boxes to pixels of the network's input.
  float unit_x{1};
  float unit_y{1};
};

// Returns [4 + classes, candidates] FP32: the centre, width and height of each box in pixels of the network's input,
// then the scores of each class, objectness included. For kFinal it returns [detections, 6]: two corners, the score and
// the class.
[[nodiscard]] common::TensorArray raw_output(std::span<const float> head, const RawForm& form);

}  // namespace yolod::model::heads
