// Finds the meaning of a foreign network's output, if its file and the config do not define it, from its shape and
// the values of one run on noise. Plain values; it does not use torch.
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

// The network's output for one image of noise.
struct Probe {
  std::vector<std::size_t> sides;  // without the batch dimension
  std::span<const float> values;
};

// The facts that are already known.
struct Hints {
  std::optional<common::Task> task;
  common::TorchScriptLayout layout{common::TorchScriptLayout::kAuto};
  common::BoxCoordinates coordinates{common::BoxCoordinates::kAuto};
  std::size_t class_count{0};  // 0: no class names are given
  bool end_to_end{false};
  std::optional<bool> logits;  // of a classifier
  std::size_t input_height{0};
  std::size_t input_width{0};
};

struct HeadGuess {
  common::Task task{common::Task::kDetect};
  std::size_t classes{0};     // 0 if the output does not tell
  std::size_t candidates{0};  // of a detector
  heads::HeadLayout layout{heads::HeadLayout::kByObjectness};
  bool boxes_are_fractions{false};
  // The part of the input's width, and below of its height, that a detector's candidates cover: about 1, unless the
  // network was traced for another size. It is 1 if the output does not tell.
  float reach{1};
  float reach_down{1};
  bool logits{false};   // of a classifier: softmax must follow
  std::string told_by;  // for the log: the conclusion and its reason; empty if nothing was open
};

// Returns the task that the output's shape implies: [classes], [a, b] for a detector, [3, h, w] for a picture.
// Returns nullopt for every other shape.
[[nodiscard]] std::optional<common::Task> task_by_shape(const std::vector<std::size_t>& sides);

// Returns the meaning of the output, or an Error (kBadModel) that says why the output does not fit the task.
//
// A detector's [a, b] is [candidates, 5 + classes] or [4 + classes, candidates]. The number of names decides;
// without names, the shorter side holds the values. [k, 6] with up to 1,000 rows may be end-to-end. If a shape fits
// several layouts, the Error names the config key that decides; the function does not choose one. Boxes are
// fractions if no centre is beyond 2: a head's candidates cover the whole input, so in pixels some centres are
// larger. A classifier's output is probabilities if it is not negative and adds up to 1 on noise, otherwise logits.
[[nodiscard]] common::Outcome<HeadGuess> guess_head(const Probe& probe, const Hints& hints);

}  // namespace yolod::model::torchscript
