#include "model/torch/device/candidates_on_device.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace yolod::model {
namespace {

constexpr std::int64_t kObjectness = 4;  // an index into a row's values
constexpr std::int64_t kFirstScore = 4;  // an index into a column's values without objectness

// Returns a view [images, candidates, values] for every layout; it copies nothing.
at::Tensor by_candidate(const at::Tensor& head, heads::HeadLayout layout) {
  return layout == heads::HeadLayout::kByScores ? head.transpose(1, 2) : head;
}

// Returns [images, candidates]: whether any score of a candidate is above its image's threshold.
at::Tensor is_above(const at::Tensor& candidates, const at::Tensor& thresholds, heads::HeadLayout layout) {
  if (layout == heads::HeadLayout::kByObjectness) return candidates.select(2, kObjectness) > thresholds;
  const auto scores = candidates.narrow(2, kFirstScore, candidates.size(2) - kFirstScore);
  return (scores > thresholds.unsqueeze(2)).any(2);
}

// Converts each image's candidates back to columns.
at::Tensor by_scores(const at::Tensor& rows, const std::vector<std::size_t>& first_rows) {
  std::vector<at::Tensor> images;
  for (std::size_t i = 0; i + 1 < first_rows.size(); ++i) {
    const auto first = static_cast<std::int64_t>(first_rows[i]);
    const auto count = static_cast<std::int64_t>(first_rows[i + 1]) - first;
    images.push_back(rows.narrow(0, first, count).t().reshape({-1}));
  }
  return at::cat(images);
}

}  // namespace

FewCandidates keep_above(const at::Tensor& head, std::span<const float> confidence, heads::HeadLayout layout) {
  const auto candidates = by_candidate(head, layout);
  const auto images = candidates.size(0);
  const auto values = static_cast<std::size_t>(candidates.size(2));
  const auto thresholds = at::empty({images, 1}, at::TensorOptions().dtype(at::kFloat));
  std::copy(confidence.begin(), confidence.end(), thresholds.data_ptr<float>());
  // The result is [rows, 2], in order: image and candidate.
  const auto kept = is_above(candidates, thresholds.to(head.device()), layout).nonzero();
  const auto rows = candidates.index({kept.select(1, 0), kept.select(1, 1)}).to(at::kCPU);
  const auto of_image = kept.select(1, 0).to(at::kCPU).contiguous();

  FewCandidates few;
  std::vector<std::size_t> first_rows;
  const std::int64_t* const begin = of_image.data_ptr<std::int64_t>();
  const std::int64_t* const end = begin + of_image.numel();
  for (std::int64_t i = 0; i <= images; ++i) {
    first_rows.push_back(static_cast<std::size_t>(std::lower_bound(begin, end, i) - begin));
    few.offsets.push_back(first_rows.back() * values);
  }
  few.values = layout == heads::HeadLayout::kByScores ? by_scores(rows, first_rows) : rows.reshape({-1});
  return few;
}

}  // namespace yolod::model
