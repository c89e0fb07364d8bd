// Implements non-maximum suppression, separately for each class.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "model/heads/candidates.hpp"
#include "model/heads/overlap.hpp"

namespace yolod::model::heads {

struct NmsRule {
  float threshold{0.45F};  // a larger overlap suppresses the candidate
  Overlap overlap{Overlap::kIou};
  float diou_beta{0.6F};
};

[[nodiscard]] float iou(const RelativeBox& a, const RelativeBox& b);
[[nodiscard]] float diou(const RelativeBox& a, const RelativeBox& b, float beta);

// Keeps the `max_count` best candidates that no better kept candidate of their own class overlaps. Darknet's
// do_nms_sort() and diounms_sort() have the same rule. REQUIRES: `candidates` is sorted, best first.
//
// A candidate for which `counts` returns false suppresses others and is returned, but does not count towards
// `max_count`. At most `max_count` of these are kept, so that the cost stays O(candidates * max_count).
[[nodiscard]] std::vector<Candidate> suppress(std::span<const Candidate> candidates, const NmsRule& rule,
                                              std::size_t max_count,
                                              const std::function<bool(const Candidate&)>& counts);

}  // namespace yolod::model::heads
