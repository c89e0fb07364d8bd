#include "model/eval/average_precision.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace yolod::model::eval {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct ScoredBox {
  float confidence;
  common::Box box;
};

// The truths and detections of one class in one picture; the best detection comes first.
struct Group {
  std::size_t image;
  std::vector<common::Box> truths;
  std::vector<ScoredBox> detections;
};

// A detection of a class. The detections of all pictures are ranked together.
struct Ranked {
  float confidence;
  bool right;
};

double iou(const common::Box& a, const common::Box& b) {
  const auto area = [](const common::Box& box) {
    return (static_cast<double>(box.x_max) - static_cast<double>(box.x_min)) *
           (static_cast<double>(box.y_max) - static_cast<double>(box.y_min));
  };
  const double width =
      static_cast<double>(std::min(a.x_max, b.x_max)) - static_cast<double>(std::max(a.x_min, b.x_min));
  const double height =
      static_cast<double>(std::min(a.y_max, b.y_max)) - static_cast<double>(std::max(a.y_min, b.y_min));
  if (width <= 0 || height <= 0) return 0;
  const double shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

// Returns for each class the pictures that have a truth or a detection of it.
std::vector<std::vector<Group>> group(std::span<const JudgedImage> images, std::size_t class_count) {
  std::vector<std::vector<Group>> classes(class_count);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto group_of = [&](std::uint32_t class_id) -> Group& {
      auto& groups = classes[class_id];
      if (groups.empty() || groups.back().image != i) groups.push_back({i, {}, {}});
      return groups.back();
    };
    for (const auto& truth : images[i].truths) group_of(truth.class_id).truths.push_back(truth.box);
    for (const auto& found : images[i].detections) {
      group_of(found.class_id).detections.push_back({found.confidence, found.box});
    }
  }
  for (auto& groups : classes) {
    for (auto& in_image : groups) {
      std::stable_sort(in_image.detections.begin(), in_image.detections.end(),
                       [](const ScoredBox& a, const ScoredBox& b) { return a.confidence > b.confidence; });
    }
  }
  return classes;
}

void sort_best_first(std::vector<Ranked>& ranked) {
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.confidence > b.confidence; });
}

// The precision and the recall after each detection. The precision is adjusted so that it never rises with the recall.
struct Curve {
  std::vector<double> precision;
  std::vector<double> recall;
};

Curve curve_of(const std::vector<Ranked>& ranked, std::size_t truth_count) {
  Curve curve;
  std::size_t right = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    if (ranked[i].right) ++right;
    curve.precision.push_back(static_cast<double>(right) / static_cast<double>(i + 1));
    curve.recall.push_back(static_cast<double>(right) / static_cast<double>(truth_count));
  }
  for (std::size_t i = ranked.size(); i-- > 1;) {
    curve.precision[i - 1] = std::max(curve.precision[i - 1], curve.precision[i]);
  }
  return curve;
}

double mean_at_recall_points(const Curve& curve) {
  constexpr int kPoints = 101;
  double sum = 0;
  for (int point = 0; point < kPoints; ++point) {
    const auto reached = std::lower_bound(curve.recall.begin(), curve.recall.end(), 0.01 * point);
    if (reached == curve.recall.end()) break;
    sum += curve.precision[static_cast<std::size_t>(reached - curve.recall.begin())];
  }
  return sum / kPoints;
}

double area_under(const Curve& curve) {
  double area = 0;
  double recall = 0;
  for (std::size_t i = 0; i < curve.recall.size(); ++i) {
    area += (curve.recall[i] - recall) * curve.precision[i];
    recall = curve.recall[i];
  }
  return area;
}

std::size_t count_truths(const std::vector<Group>& groups) {
  return std::accumulate(groups.begin(), groups.end(), std::size_t{0},
                         [](std::size_t sum, const Group& in_image) { return sum + in_image.truths.size(); });
}

std::size_t count_detections(const std::vector<Group>& groups) {
  return std::accumulate(groups.begin(), groups.end(), std::size_t{0},
                         [](std::size_t sum, const Group& in_image) { return sum + in_image.detections.size(); });
}

// The best detection chooses first. Each detection takes the free truth that it overlaps most.
void match_as_coco(const Group& in_image, double threshold, std::vector<Ranked>& ranked) {
  constexpr std::size_t kMaxDetections = 100;
  std::vector<bool> taken(in_image.truths.size(), false);
  const auto count = std::min(in_image.detections.size(), kMaxDetections);
  for (std::size_t d = 0; d < count; ++d) {
    const auto& found = in_image.detections[d];
    double best = threshold;
    std::size_t match = kNone;
    for (std::size_t t = 0; t < in_image.truths.size(); ++t) {
      if (taken[t]) continue;
      const double overlap = iou(found.box, in_image.truths[t]);
      if (overlap < best) continue;
      best = overlap;
      match = t;
    }
    if (match != kNone) taken[match] = true;
    ranked.push_back({found.confidence, match != kNone});
  }
}

// Each detection belongs to the truth that it overlaps most, whether or not that truth is free, and the best
// detection of a truth is correct. Only detections of the same picture compete, so their order within the picture
// decides.
void match_as_darknet(const Group& in_image, std::vector<Ranked>& ranked) {
  constexpr double kThreshold = 0.5;
  std::vector<bool> taken(in_image.truths.size(), false);
  for (const auto& found : in_image.detections) {
    double best = kThreshold;
    std::size_t match = kNone;
    for (std::size_t t = 0; t < in_image.truths.size(); ++t) {
      const double overlap = iou(found.box, in_image.truths[t]);
      if (overlap <= best) continue;
      best = overlap;
      match = t;
    }
    const bool right = match != kNone && !taken[match];
    if (right) taken[match] = true;
    ranked.push_back({found.confidence, right});
  }
}

}  // namespace

Evaluation evaluate_as_coco(std::span<const JudgedImage> images, std::size_t class_count) {
  constexpr std::size_t kThresholds = 10;
  Evaluation evaluation;
  double sum50 = 0;
  double sum50_95 = 0;
  std::size_t present = 0;
  for (const auto& groups : group(images, class_count)) {
    ClassScore result{count_truths(groups), count_detections(groups), {}};
    if (result.truth_count > 0) {
      std::array<double, kThresholds> at_threshold{};
      for (std::size_t i = 0; i < kThresholds; ++i) {
        const double threshold = 0.5 + 0.05 * static_cast<double>(i);
        std::vector<Ranked> ranked;
        for (const auto& in_image : groups) match_as_coco(in_image, threshold, ranked);
        sort_best_first(ranked);
        at_threshold[i] = mean_at_recall_points(curve_of(ranked, result.truth_count));
      }
      result.score.ap50 = at_threshold.front();
      result.score.ap50_95 =
          std::accumulate(at_threshold.begin(), at_threshold.end(), 0.0) / static_cast<double>(kThresholds);
      sum50 += *result.score.ap50;
      sum50_95 += *result.score.ap50_95;
      ++present;
    }
    evaluation.classes.push_back(result);
  }
  if (present > 0) evaluation.mean = {sum50 / static_cast<double>(present), sum50_95 / static_cast<double>(present)};
  return evaluation;
}

Evaluation evaluate_as_darknet(std::span<const JudgedImage> images, std::size_t class_count) {
  Evaluation evaluation;
  double sum = 0;
  for (const auto& groups : group(images, class_count)) {
    ClassScore result{count_truths(groups), count_detections(groups), {}};
    result.score.ap50 = 0;
    if (result.truth_count > 0) {
      std::vector<Ranked> ranked;
      for (const auto& in_image : groups) match_as_darknet(in_image, ranked);
      sort_best_first(ranked);
      result.score.ap50 = area_under(curve_of(ranked, result.truth_count));
    }
    sum += *result.score.ap50;
    evaluation.classes.push_back(result);
  }
  if (class_count > 0) evaluation.mean.ap50 = sum / static_cast<double>(class_count);
  return evaluation;
}

}  // namespace yolod::model::eval
