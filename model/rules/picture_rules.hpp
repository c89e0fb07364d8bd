// What is to be known of a network that looks at pictures beside its tensors: how a picture becomes its input, and what
// its output means. Said by its cfg, or by a TorchScript file (rules/script_metadata.hpp), or guessed. Plain values.
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
  // Of the input.
  image::Fit fit{image::Fit::kStretch};
  image::Sampling sampling{image::Sampling::kCornersAligned};
  float grey{0.5F};  // around a letterboxed picture, 0 to 1
  // Of a classifier: its output is logits, softmax is to follow.
  bool logits{false};
  // Of a detector.
  heads::HeadLayout layout{heads::HeadLayout::kByObjectness};
  bool boxes_are_fractions{false};  // of the input's sides; else its pixels
  bool multi_label{false};          // a box may have several classes, or the best alone
  heads::Overlap nms_kind{heads::Overlap::kIou};
  float beta_nms{0.6F};

  friend bool operator==(const PictureRules&, const PictureRules&) = default;
};

// How pictures for such a network are placed in its input. It follows the sampling: both are Darknet's, or both are
// those of Ultralytics and torchvision.
[[nodiscard]] image::Rounding rounding_of(const PictureRules& rules);

// `rules` where the config leaves them open, else what it says.
[[nodiscard]] PictureRules with_config(PictureRules rules, const common::ModelConfig& config);

}  // namespace yolod::model
