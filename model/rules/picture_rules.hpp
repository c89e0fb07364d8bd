// The rules of a network for pictures that its tensors do not contain: how a picture becomes its input, and the
// meaning of its output. They come from its cfg, from a TorchScript file (rules/script_metadata.hpp), or from a
// guess. Plain values.
#pragma once

#include "common/config/model_config.hpp"
#include "common/domain/task.hpp"
#include "model/heads/candidates.hpp"
#include "model/heads/overlap.hpp"
#include "model/image/placement.hpp"
#include "model/image/resize.hpp"

namespace yolod::model {

struct PictureRules {
  common::Task task{common::Task::kDetect};
  // The way in which a picture fits into the input.
  image::Fit fit{image::Fit::kStretch};
  image::Sampling sampling{image::Sampling::kCornersAligned};
  float grey{0.5F};  // around a letterboxed picture, 0 to 1
  // For a classifier: the output is logits, so softmax must follow.
  bool logits{false};
  // The rules below are for a detector.
  heads::HeadLayout layout{heads::HeadLayout::kByObjectness};
  bool boxes_are_fractions{false};  // fractions of the input's sides; otherwise pixels of the input
  bool multi_label{false};          // true: a box may have several classes; false: only the best class
  heads::Overlap nms_kind{heads::Overlap::kIou};
  float beta_nms{0.6F};

  friend bool operator==(const PictureRules&, const PictureRules&) = default;
};

// Returns how fractional positions of a picture are rounded. The rounding belongs to the sampling: both are
// Darknet's, or both are those of Ultralytics and torchvision.
[[nodiscard]] image::Rounding rounding_of(const PictureRules& rules);

// Returns `rules`, replaced by the config's settings where it has any.
[[nodiscard]] PictureRules with_config(PictureRules rules, const common::ModelConfig& config);

}  // namespace yolod::model
