#include "model/heads/nms.hpp"

#include <algorithm>
#include <cmath>

namespace yolod::model::heads {
namespace {

// Returns the overlap of two intervals given by centre and length; negative if they are apart.
float overlap(float center_a, float length_a, float center_b, float length_b) {
  const float left = std::max(center_a - length_a / 2, center_b - length_b / 2);
  const float right = std::min(center_a + length_a / 2, center_b + length_b / 2);
  return right - left;
}

float extent(float center_a, float length_a, float center_b, float length_b) {
  const float left = std::min(center_a - length_a / 2, center_b - length_b / 2);
  const float right = std::max(center_a + length_a / 2, center_b + length_b / 2);
  return right - left;
}

}  // namespace

float iou(const RelativeBox& a, const RelativeBox& b) {
  const float width = overlap(a.x, a.width, b.x, b.width);
  const float height = overlap(a.y, a.height, b.y, b.height);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  const float joined = a.width * a.height + b.width * b.height - shared;
  return joined > 0 ? shared / joined : 0;
}

float diou(const RelativeBox& a, const RelativeBox& b, float beta) {
  const float width = extent(a.x, a.width, b.x, b.width);
  const float height = extent(a.y, a.height, b.y, b.height);
  const float diagonal = width * width + height * height;
  if (diagonal <= 0) return iou(a, b);
  const float distance = (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
  return iou(a, b) - std::pow(distance / diagonal, beta);
}

// A single pass over all classes gives the same result as one pass for each class: only a better candidate of the
// same class can suppress a candidate, and better candidates come first here too. Therefore the first max_count
// counted candidates are the best, and the pass can stop.
std::vector<Candidate> suppress(std::span<const Candidate> candidates, const NmsRule& rule, std::size_t max_count,
                                const std::function<bool(const Candidate&)>& counts) {
  std::vector<Candidate> kept;
  std::size_t counted = 0;
  const auto suppresses = [&rule](const Candidate& winner, const Candidate& candidate) {
    if (winner.class_id != candidate.class_id) return false;
    const float overlapped = rule.overlap == Overlap::kIou ? iou(winner.box, candidate.box)
                                                           : diou(winner.box, candidate.box, rule.diou_beta);
    return overlapped > rule.threshold;
  };
  for (const auto& candidate : candidates) {
    if (counted >= max_count) break;
    if (std::any_of(kept.begin(), kept.end(), [&](const Candidate& winner) { return suppresses(winner, candidate); })) {
      continue;
    }
    if (counts(candidate)) {
      ++counted;
    } else if (kept.size() - counted >= max_count) {
      continue;
    }
    kept.push_back(candidate);
  }
  return kept;
}

}  // namespace yolod::model::heads
