#include "tools/train/anchors.hpp"

#include <algorithm>
#include <numeric>

namespace yolod::train {
namespace {

float area(const Anchor& size) { return size.width * size.height; }

std::size_t nearest(const Anchor& size, const std::vector<Anchor>& anchors) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < anchors.size(); ++i) {
    if (shape_iou(size, anchors[i]) > shape_iou(size, anchors[best])) best = i;
  }
  return best;
}

struct Sum {
  double width{0};
  double height{0};
  std::size_t count{0};
};

}  // namespace

float shape_iou(const Anchor& a, const Anchor& b) {
  const float shared = std::min(a.width, b.width) * std::min(a.height, b.height);
  return shared / (area(a) + area(b) - shared);
}

AnchorClusters cluster_anchors(std::span<const Anchor> sizes, std::size_t count) {
  constexpr int kMaxRounds = 300;
  std::vector<Anchor> sorted(sizes.begin(), sizes.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Anchor& a, const Anchor& b) { return area(a) < area(b); });
  AnchorClusters result;
  for (std::size_t i = 0; i < count; ++i) result.anchors.push_back(sorted[(2 * i + 1) * sorted.size() / (2 * count)]);

  std::vector<std::size_t> cluster(sorted.size(), count);
  for (int round = 0; round < kMaxRounds; ++round) {
    bool moved = false;
    std::vector<Sum> sums(count);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      const auto now = nearest(sorted[i], result.anchors);
      moved = moved || now != cluster[i];
      cluster[i] = now;
      sums[now].width += static_cast<double>(sorted[i].width);
      sums[now].height += static_cast<double>(sorted[i].height);
      ++sums[now].count;
    }
    if (!moved) break;
    for (std::size_t k = 0; k < count; ++k) {
      if (sums[k].count == 0) continue;  // no size is nearest to this anchor, so it keeps its value
      const auto members = static_cast<double>(sums[k].count);
      result.anchors[k] = {static_cast<float>(sums[k].width / members), static_cast<float>(sums[k].height / members)};
    }
  }
  std::stable_sort(result.anchors.begin(), result.anchors.end(),
                   [](const Anchor& a, const Anchor& b) { return area(a) < area(b); });
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0, [&](double so_far, const Anchor& size) {
    return so_far + static_cast<double>(shape_iou(size, result.anchors[nearest(size, result.anchors)]));
  });
  result.mean_iou = sum / static_cast<double>(sorted.size());
  return result;
}

}  // namespace yolod::train
