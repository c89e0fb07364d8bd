#include "model/rules/head_guess.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/domain/task.hpp"
#include "model/bad_model.hpp"

namespace yolod::model::torchscript {
namespace {

using common::BoxCoordinates;
using common::Outcome;
using common::Task;
using common::TorchScriptLayout;
using heads::HeadLayout;

constexpr std::size_t kFinalRow = 6;
constexpr std::size_t kMostFinalRows = 1000;

std::string shape_text(const std::vector<std::size_t>& sides) {
  std::string text = "[n";
  for (const auto side : sides) text += ", " + std::to_string(side);
  return text + "]";
}

std::optional<HeadLayout> named_layout(const Hints& hints) {
  switch (hints.layout) {
    case TorchScriptLayout::kYolov5: return HeadLayout::kByObjectness;
    case TorchScriptLayout::kYolov8: return HeadLayout::kByScores;
    case TorchScriptLayout::kEndToEnd: return HeadLayout::kFinal;
    case TorchScriptLayout::kAuto:
    case TorchScriptLayout::kLogits:
    case TorchScriptLayout::kImage: break;
  }
  if (hints.end_to_end) return HeadLayout::kFinal;
  return std::nullopt;
}

std::string_view name_of(HeadLayout layout) {
  switch (layout) {
    case HeadLayout::kByObjectness: return "yolov5";
    case HeadLayout::kByScores: return "yolov8";
    case HeadLayout::kFinal: return "end_to_end";
  }
  return "auto";
}

// Suppression leaves far fewer rows than the grids of a large input have cells, but the grids of a small input may
// have as few cells.
std::vector<HeadLayout> layouts_of_shape(std::size_t rows, std::size_t columns, std::size_t class_count) {
  std::vector<HeadLayout> fitting;
  const bool by_objectness = class_count != 0 ? columns == 5 + class_count : columns < rows && columns > 5;
  const bool by_scores = class_count != 0 ? rows == 4 + class_count : rows < columns && rows > 4;
  if (by_objectness) fitting.push_back(HeadLayout::kByObjectness);
  if (by_scores) fitting.push_back(HeadLayout::kByScores);
  if (columns == kFinalRow && rows <= kMostFinalRows) fitting.push_back(HeadLayout::kFinal);
  return fitting;
}

Outcome<HeadLayout> layout_by_shape(const std::vector<std::size_t>& sides, std::size_t class_count) {
  const auto fitting = layouts_of_shape(sides[0], sides[1], class_count);
  const auto with_names = class_count == 0
                              ? std::string()
                              : " with " + std::to_string(class_count) + (class_count == 1 ? " name" : " names");
  if (fitting.empty()) return bad_model("its output " + shape_text(sides) + " fits no layout" + with_names);
  if (fitting.size() == 1) return fitting.front();
  std::string allowed;
  for (const auto layout : fitting) allowed += (allowed.empty() ? "" : " or ") + std::string(name_of(layout));
  return bad_model("torchscript.layout: its output " + shape_text(sides) + with_names +
                   " fits more than one layout: the config must say " + allowed);
}

// Returns the largest x (`value` 0) or y (`value` 1) of all candidates' centres.
float furthest_center(const Probe& probe, HeadLayout layout, std::size_t value) {
  const auto columns = probe.sides[1];
  float furthest = 0;
  for (std::size_t i = 0; i < (layout == HeadLayout::kByScores ? columns : probe.sides[0]); ++i) {
    const float at =
        layout == HeadLayout::kByScores ? probe.values[value * columns + i] : probe.values[i * columns + value];
    if (std::isfinite(at)) furthest = std::max(furthest, at);
  }
  return furthest;
}

void take_coordinates(const Probe& probe, const Hints& hints, HeadGuess& guess) {
  guess.boxes_are_fractions = hints.coordinates == BoxCoordinates::kFractions;
  // After suppression there may be no box to judge by. Exports with suppression use pixels.
  if (guess.layout == HeadLayout::kFinal) return;
  const float furthest = furthest_center(probe, guess.layout, 0);
  const float lowest = furthest_center(probe, guess.layout, 1);
  if (hints.coordinates == BoxCoordinates::kAuto) {
    guess.boxes_are_fractions = furthest <= 2;
    guess.told_by += std::string(guess.told_by.empty() ? "" : ", ") + "boxes in " +
                     (guess.boxes_are_fractions ? "fractions" : "pixels") +
                     " of the input (the furthest centre is at " + std::to_string(furthest) + ")";
  }
  guess.reach = guess.boxes_are_fractions ? furthest : furthest / static_cast<float>(hints.input_width);
  guess.reach_down = guess.boxes_are_fractions ? lowest : lowest / static_cast<float>(hints.input_height);
}

Outcome<HeadGuess> guess_detector(const Probe& probe, const Hints& hints) {
  const auto& sides = probe.sides;
  if (sides.size() != 2) return bad_model("its output " + shape_text(sides) + " is not the output of a detector");
  HeadGuess guess;
  guess.task = Task::kDetect;
  const auto named = named_layout(hints);
  const auto layout = named ? Outcome<HeadLayout>(*named) : layout_by_shape(sides, hints.class_count);
  if (!layout) return layout.error();
  guess.layout = *layout;
  const bool fits = *layout == HeadLayout::kByObjectness ? sides[1] > 5
                    : *layout == HeadLayout::kByScores   ? sides[0] > 4
                                                         : sides[1] == kFinalRow;
  if (!fits) return bad_model("its output " + shape_text(sides) + " does not fit the layout in the config");
  switch (*layout) {
    case HeadLayout::kByObjectness: guess.classes = sides[1] - 5, guess.candidates = sides[0]; break;
    case HeadLayout::kByScores: guess.classes = sides[0] - 4, guess.candidates = sides[1]; break;
    case HeadLayout::kFinal: guess.classes = 0, guess.candidates = sides[0]; break;
  }
  if (!named) {
    guess.told_by = "layout " + std::string(name_of(*layout)) + " (output " + shape_text(sides) + ")";
  }
  take_coordinates(probe, hints, guess);
  return guess;
}

Outcome<HeadGuess> guess_classifier(const Probe& probe, const Hints& hints) {
  const auto& sides = probe.sides;
  // The shape is [classes], or [classes, 1, 1] for a network that ends with pooling.
  const bool flat = !sides.empty() && std::all_of(sides.begin() + 1, sides.end(), [](auto side) { return side == 1; });
  if (!flat) return bad_model("its output " + shape_text(sides) + " is not the output of a classifier");
  HeadGuess guess;
  guess.task = Task::kClassify;
  guess.classes = sides[0];
  if (hints.layout == TorchScriptLayout::kLogits || hints.logits) {
    guess.logits = hints.layout == TorchScriptLayout::kLogits || *hints.logits;
    return guess;
  }
  double sum = 0;
  bool negative = false;
  for (const float value : probe.values) {
    sum += static_cast<double>(value);
    negative |= !(value >= 0);
  }
  guess.logits = negative || !(std::abs(sum - 1) < 1e-2);
  guess.told_by = guess.logits ? "logits (yolod applies softmax)" : "probabilities (the network applies softmax)";
  return guess;
}

Outcome<HeadGuess> guess_image(const Probe& probe) {
  if (probe.sides.size() != 3 || probe.sides[0] != 3) {
    return bad_model("its output " + shape_text(probe.sides) + " is not a picture ([n, 3, height, width])");
  }
  HeadGuess guess;
  guess.task = Task::kImage;
  return guess;
}

}  // namespace

std::optional<Task> task_by_shape(const std::vector<std::size_t>& sides) {
  if (sides.size() == 1) return Task::kClassify;
  if (sides.size() == 2) return Task::kDetect;
  if (sides.size() == 3 && sides[1] == 1 && sides[2] == 1) return Task::kClassify;
  if (sides.size() == 3 && sides[0] == 3) return Task::kImage;
  return std::nullopt;
}

Outcome<HeadGuess> guess_head(const Probe& probe, const Hints& hints) {
  const bool no_values = std::find(probe.sides.begin(), probe.sides.end(), 0U) != probe.sides.end();
  if (no_values && hints.layout != TorchScriptLayout::kEndToEnd && !hints.end_to_end) {
    return bad_model("its output " + shape_text(probe.sides) + " is empty");
  }
  const auto task = hints.task ? hints.task : task_by_shape(probe.sides);
  if (!task) return bad_model("its output " + shape_text(probe.sides) + " fits no task");
  switch (*task) {
    case Task::kDetect: return guess_detector(probe, hints);
    case Task::kClassify: return guess_classifier(probe, hints);
    case Task::kImage: return guess_image(probe);
    case Task::kTensor: break;
  }
  return bad_model("task: tensor: the network does not process pictures");
}

}  // namespace yolod::model::torchscript
