// The options for a detector whose average precision is measured: it returns all detections, including uncertain
// ones, because average precision depends on their order.
#pragma once

#include <cstdint>

namespace yolod::model::eval {

inline constexpr float kCocoConfidence = 0.001F;
inline constexpr float kDarknetConfidence = 0.005F;  // as in `detector map`
inline constexpr std::uint32_t kMaxJudgedDetections = 30'000;

}  // namespace yolod::model::eval
