#include "tools/train/loss.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "tools/train/assignment.hpp"
#include "tools/train/ciou.hpp"
#include "tools/train/decode.hpp"

namespace yolod::train {
namespace {

using Targets = std::span<const std::vector<Target>>;

// The targets of one head for a whole batch, with one entry for each match.
struct Asked {
  std::vector<std::int64_t> places;  // [image, row, column, anchor] as one index
  std::vector<std::int64_t> classes;
  std::vector<float> boxes;    // centre and size
  std::vector<float> corners;  // of the cell, less the head's reach, as in decode.hpp
  std::vector<float> anchors;
};

void add(Asked& asked, const HeadGrid& head, std::size_t image, const Match& match, const Target& target) {
  const auto anchor = match.index % head.anchors.size();
  const auto cell = match.index / head.anchors.size();
  const auto columns = static_cast<std::size_t>(head.columns);
  asked.places.push_back(static_cast<std::int64_t>(image * head.candidates() + match.index));
  asked.classes.push_back(target.class_id);
  asked.boxes.insert(asked.boxes.end(), {target.x, target.y, target.width, target.height});
  asked.corners.insert(asked.corners.end(), {(static_cast<float>(cell % columns) - head.reach()) * head.cell_width,
                                             (static_cast<float>(cell / columns) - head.reach()) * head.cell_height});
  asked.anchors.insert(asked.anchors.end(), {head.anchors[anchor].width, head.anchors[anchor].height});
}

template <typename T>
at::Tensor lines(const std::vector<T>& values, std::int64_t columns) {
  return at::tensor(values).view({-1, columns});
}

struct Range {
  int first;
  int last;  // inclusive; below `first` if the range is empty
};

// Returns the cells whose centre lies less than `reach` pixels from `center`, along one side.
Range cells_around(float center, float reach, float cell, int count) {
  return {std::max(0, static_cast<int>(std::ceil((center - reach) / cell - 0.5F))),
          std::min(count - 1, static_cast<int>(std::floor((center + reach) / cell - 0.5F)))};
}

float iou(const Target& target, const CenteredBox& box) {
  const float shared_width = std::min(box.x + box.width / 2, target.x + target.width / 2) -
                             std::max(box.x - box.width / 2, target.x - target.width / 2);
  const float shared_height = std::min(box.y + box.height / 2, target.y + target.height / 2) -
                              std::max(box.y - box.height / 2, target.y - target.height / 2);
  if (shared_width <= 0 || shared_height <= 0) return 0;
  const float shared = shared_width * shared_height;
  return shared / (box.width * box.height + target.width * target.height - shared);
}

// Sets the weight 0 for the places of one picture that must not learn that no object is there. It ignores matches,
// and the caller restores their weights.
class Silence {
 public:
  Silence(const HeadGrid& head, std::span<const float> logits, std::span<float> weights)
      : head_(head), logits_(logits), weights_(weights), ignore_iou_(head.objective.ignore_iou) {}

  void around(const Target& target) {
    // If a box has more than ignore_iou, its centre is nearer to the target's centre than this share of the target's
    // sides. The farthest such box has 1 / ignore_iou times the side and ends where the target ends. The centre of a
    // candidate lies up to half of the logistic's range from the centre of its cell. That is one cell at most, unless
    // scale_x_y is above 2.
    constexpr float kLeastIou = 0.001F;  // for a lower ignore_iou the share covers every map
    const float share = target.ignored ? 0.5F : (1 - ignore_iou_) / (2 * std::max(ignore_iou_, kLeastIou));
    const float cells = std::max(1.0F, head_.scale_x_y / 2);
    const auto columns =
        cells_around(target.x, share * target.width + cells * head_.cell_width, head_.cell_width, head_.columns);
    const auto rows =
        cells_around(target.y, share * target.height + cells * head_.cell_height, head_.cell_height, head_.rows);
    for (int row = rows.first; row <= rows.last; ++row) {
      for (int column = columns.first; column <= columns.last; ++column) {
        for (std::size_t a = 0; a < head_.anchors.size(); ++a) {
          const auto index = head_.index(row, column, a);
          if (target.ignored || iou_at(target, row, column, a, index) > ignore_iou_) weights_[index] = 0;
        }
      }
    }
  }

 private:
  [[nodiscard]] float iou_at(const Target& target, int row, int column, std::size_t anchor, std::size_t index) const {
    const auto row_length = logits_.size() / weights_.size();
    return iou(target, head_.box_of(logits_.subspan(index * row_length, 4), row, column, anchor));
  }

  const HeadGrid& head_;
  std::span<const float> logits_;
  std::span<float> weights_;
  float ignore_iou_;
};

// Returns [images * candidates]: 1, or 0 for the places that do not learn objectness.
at::Tensor objectness_weights(const at::Tensor& logits, const HeadGrid& head, Targets targets, const Asked& asked) {
  const auto count = head.candidates();
  const auto row_length = static_cast<std::size_t>(logits.size(-1));
  auto weights = at::ones({static_cast<std::int64_t>(targets.size() * count)});
  const std::span<const float> all_logits(logits.data_ptr<float>(), targets.size() * count * row_length);
  const std::span<float> all_weights(weights.data_ptr<float>(), targets.size() * count);
  for (std::size_t image = 0; image < targets.size(); ++image) {
    Silence silence(head, all_logits.subspan(image * count * row_length, count * row_length),
                    all_weights.subspan(image * count, count));
    for (const auto& target : targets[image]) silence.around(target);
  }
  for (const auto place : asked.places) all_weights[static_cast<std::size_t>(place)] = 1;
  return weights;
}

// Returns the boxes of the matched places. A limit on the logits keeps exp() finite.
at::Tensor matched_boxes(const at::Tensor& rows, const HeadGrid& head, const Asked& asked) {
  constexpr double kLargestLogSize = 6;
  return boxes_of(rows.narrow(1, 0, 2), rows.narrow(1, 2, 2).clamp_max(kLargestLogSize), head, lines(asked.corners, 2),
                  lines(asked.anchors, 2));
}

// Returns the negative log-likelihood of the true x, y, w and h. Each has a normal distribution around the value of
// the box, with its uncertainty as the deviation. It uses the units of the head: x and y are a part of the
// logistic's range, and w and h are the logarithm of a ratio.
at::Tensor surprise(const at::Tensor& rows, const HeadGrid& head, const Asked& asked) {
  constexpr double kLeastDeviation = 0.02;
  const auto boxes = lines(asked.boxes, 4);
  const auto range =
      at::tensor(std::vector<float>{head.cell_width * head.scale_x_y, head.cell_height * head.scale_x_y});
  const auto true_centers = (boxes.narrow(1, 0, 2) - lines(asked.corners, 2)) / range;
  const auto true_sizes = at::log(boxes.narrow(1, 2, 2) / lines(asked.anchors, 2));
  const auto said = at::cat({at::sigmoid(rows.narrow(1, 0, 2)), rows.narrow(1, 2, 2)}, 1).detach();
  const auto deviation = at::sigmoid(rows.narrow(1, 5 + head.classes, 4)).clamp_min(kLeastDeviation);
  const auto miss = (at::cat({true_centers, true_sizes}, 1) - said).clamp(-3, 3) / deviation;
  return (0.5 * miss.square() + at::log(deviation)).sum();
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& wanted, const at::Tensor& weights = {}) {
  return at::binary_cross_entropy_with_logits(logits, wanted, weights, {}, at::Reduction::Sum);
}

at::Tensor class_loss(const at::Tensor& logits, const HeadGrid& head, const at::Tensor& classes) {
  if (head.softmax_scores) return at::cross_entropy_loss(logits, classes, {}, at::Reduction::Sum);
  return cross_entropy(logits, at::one_hot(classes, head.classes).to(at::kFloat));
}

}  // namespace

std::size_t count_matches(Targets targets, const std::vector<HeadGrid>& heads) {
  std::size_t count = 0;
  for (const auto& in_picture : targets) {
    for (const auto& matches : assign(in_picture, heads)) count += matches.size();
  }
  return std::max<std::size_t>(1, count);
}

Loss loss_of(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads, Targets targets,
             std::size_t matches, const LossWeights& weights) {
  std::vector<Asked> asked(heads.size());
  for (std::size_t image = 0; image < targets.size(); ++image) {
    const auto assigned = assign(targets[image], heads);
    for (std::size_t h = 0; h < heads.size(); ++h) {
      for (const auto& match : assigned[h]) add(asked[h], heads[h], image, match, targets[image][match.target]);
    }
  }

  auto box = at::zeros({});
  auto object = at::zeros({});
  auto classes = at::zeros({});
  auto uncertainty = at::zeros({});
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const auto row_length = logits[h].size(-1);
    const auto rows = logits[h].reshape({-1, row_length});
    auto wanted_objects = at::zeros({rows.size(0)});
    if (!asked[h].places.empty()) {
      const auto places = at::tensor(asked[h].places);
      const auto matched = rows.index_select(0, places);
      const auto overlap = ciou(matched_boxes(matched, heads[h], asked[h]), lines(asked[h].boxes, 4));
      box = box + (1 - overlap).sum();
      classes = classes + class_loss(matched.narrow(1, 5, heads[h].classes), heads[h], at::tensor(asked[h].classes));
      if (heads[h].gaussian) uncertainty = uncertainty + surprise(matched, heads[h], asked[h]);
      wanted_objects.index_put_({places},
                                1 - heads[h].objective.ciou_in_objectness * (1 - overlap.detach().clamp_min(0)));
    }
    object = object + cross_entropy(rows.select(1, 4), wanted_objects,
                                    objectness_weights(logits[h].detach(), heads[h], targets, asked[h]));
  }
  const double scale = 1.0 / static_cast<double>(matches);
  Loss loss;
  loss.total =
      (weights.box * box + weights.object * object + weights.classes * classes + weights.uncertainty * uncertainty) *
      scale;
  loss.values = {loss.total.item<double>(), box.item<double>() * scale, object.item<double>() * scale,
                 classes.item<double>() * scale};
  return loss;
}

}  // namespace yolod::train
