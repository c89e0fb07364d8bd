// Non-maximum suppression, class by class.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "model/heads/candidates.hpp"
#include "model/heads/overlap.hpp"

namespace yolod::model::heads {

struct NmsRule {
  float threshold{0.45F};  // an overlap above it suppresses
  Overlap overlap{Overlap::kIou};
  float diou_beta{0.6F};
};

[[nodiscard]] float iou(const RelativeBox& a, const RelativeBox& b);
[[nodiscard]] float diou(const RelativeBox& a, const RelativeBox& b, float beta);

// `candidates` must be sorted, best first. Keeps the `max_count` best of those that no better kept one of their own
// class overlaps: the rule of Darknet's do_nms_sort() and diounms_sort().
//
// A candidate for which `counts` is false suppresses as any other and is among those returned, but takes no place of
// the `max_count`. At most `max_count` of such are kept, so that the cost stays O(candidates * max_count).
[[nodiscard]] std::vector<Candidate> suppress(std::span<const Candidate> candidates, const NmsRule& rule,
                                              std::size_t max_count,
                                              const std::function<bool(const Candidate&)>& counts);

}  // namespace yolod::model::heads
