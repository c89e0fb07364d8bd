// What a foreign network's output means, where its file and the config leave that open: told by its shape, and by the
// values of one run on noise. Plain values; no torch.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/task.hpp"
#include "common/outcome.hpp"
#include "model/heads/candidates.hpp"

namespace yolod::model::torchscript {

// The output for one image.
struct Probe {
  std::vector<std::size_t> sides;  // without the batch's
  std::span<const float> values;
};

// What is known already.
struct Hints {
  std::optional<common::Task> task;
  common::TorchScriptLayout layout{common::TorchScriptLayout::kAuto};
  common::BoxCoordinates coordinates{common::BoxCoordinates::kAuto};
  std::size_t class_count{0};  // 0: no names are given
  bool end_to_end{false};
  std::optional<bool> logits;  // of a classifier
  std::size_t input_height{0};
  std::size_t input_width{0};
};

struct HeadGuess {
  common::Task task{common::Task::kDetect};
  std::size_t classes{0};     // 0 where the output does not tell
  std::size_t candidates{0};  // of a detector
  heads::HeadLayout layout{heads::HeadLayout::kByObjectness};
  bool boxes_are_fractions{false};
  // Which part of the input's width a detector's candidates reach: about 1, unless it was traced for another size. 1
  // where the output does not tell. And of its height.
  float reach{1};
  float reach_down{1};
  bool logits{false};   // of a classifier: softmax is to follow
  std::string told_by;  // for the log: what was concluded from what; empty if nothing was left to conclude
};

// The task by the output's shape alone: [classes], [a, b] of a detector, [3, h, w] of a picture. Nothing for any other.
[[nodiscard]] std::optional<common::Task> task_by_shape(const std::vector<std::size_t>& sides);

// An Error (kBadModel) says why such an output cannot be that of such a network.
//
// A detector's [a, b] is taken for [candidates, 5 + classes] or [4 + classes, candidates] by the number of names;
// without names the shorter side is that of the values. [k, 6] of up to 1,000 rows may be end-to-end. A shape that fits
// more than one layout is an Error that names the key of the config: nothing is preferred.
// Its boxes are fractions if no centre lies beyond 2: a head's candidates cover the whole input, so that in pixels some
// do.
// A classifier's output is probabilities if it is not negative and adds up to 1 on noise, else logits.
[[nodiscard]] common::Outcome<HeadGuess> guess_head(const Probe& probe, const Hints& hints);

}  // namespace yolod::model::torchscript
