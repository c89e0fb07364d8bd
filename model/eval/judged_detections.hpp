// What a detector is asked for where its average precision is measured: all that it finds, good or bad, because average
// precision is about their order.
#pragma once

#include <cstdint>

namespace yolod::model::eval {

inline constexpr float kCocoConfidence = 0.001F;
inline constexpr float kDarknetConfidence = 0.005F;  // of `detector map`
inline constexpr std::uint32_t kMaxJudgedDetections = 30'000;

}  // namespace yolod::model::eval
