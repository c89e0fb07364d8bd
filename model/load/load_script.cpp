#include "model/load/load_script.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/domain/task.hpp"
#include "common/log.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/heads/augmented_network.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/rules/head_guess.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/rules/script_metadata.hpp"
#include "model/sources/labels.hpp"
#include "model/torch/device/open_device.hpp"
#include "model/torchscript/script_network.hpp"

namespace yolod::model::torchscript {
namespace {

using common::BoxCoordinates;
using common::InputSize;
using common::Outcome;
using common::Precision;
using common::Task;
using common::TorchScriptLayout;

// Ultralytics' grey value, 114 of 255.
constexpr float kBorderGrey = 114.0F / 255.0F;

std::optional<Task> task_of(TorchScriptLayout layout) {
  switch (layout) {
    case TorchScriptLayout::kYolov5:
    case TorchScriptLayout::kYolov8:
    case TorchScriptLayout::kEndToEnd: return Task::kDetect;
    case TorchScriptLayout::kLogits: return Task::kClassify;
    case TorchScriptLayout::kImage: return Task::kImage;
    case TorchScriptLayout::kAuto: break;
  }
  return std::nullopt;
}

// The rules for a file without metadata about them.
PictureRules usual_rules(Task task) {
  PictureRules rules;
  rules.fit = image::Fit::kLetterbox;
  rules.grey = kBorderGrey;
  rules.sampling = task == Task::kDetect ? image::Sampling::kCentersAligned : image::Sampling::kAveraged;
  return rules;
}

TorchScriptLayout layout_of(const PictureRules& rules) {
  if (rules.task != Task::kDetect) return TorchScriptLayout::kAuto;
  switch (rules.layout) {
    case heads::HeadLayout::kByObjectness: return TorchScriptLayout::kYolov5;
    case heads::HeadLayout::kByScores: return TorchScriptLayout::kYolov8;
    case heads::HeadLayout::kFinal: return TorchScriptLayout::kEndToEnd;
  }
  return TorchScriptLayout::kAuto;
}

BoxCoordinates coordinates_of(const PictureRules& rules) {
  return rules.boxes_are_fractions ? BoxCoordinates::kFractions : BoxCoordinates::kPixels;
}

// The usual input sizes of such networks, the most usual first. They are tried if neither the config nor the file
// gives a size.
std::vector<InputSize> usual_sizes(Task task) {
  std::vector<std::uint32_t> sides;
  switch (task) {
    case Task::kDetect: sides = {640, 416, 320, 608, 512, 352, 300, 224, 256, 288, 384, 480, 960, 1280, 160}; break;
    case Task::kClassify: sides = {224, 256, 299, 384, 192, 160, 320, 448, 128, 64, 32, 28}; break;
    case Task::kImage:
    case Task::kTensor: sides = {256, 512, 224, 128, 64, 320, 384, 640, 720, 1024, 32}; break;
  }
  std::vector<InputSize> sizes;
  for (const auto side : sides) sizes.push_back({side, side});
  return sizes;
}

// Returns the task that is known before the network has run: from the file, the layout or the config.
Outcome<std::optional<Task>> known_task(const common::ModelConfig& config, const LoadContext& context,
                                        const Metadata& metadata) {
  const auto& source = std::get<common::TorchScriptSource>(config.source);
  auto known = task_of(source.layout);
  if (known && metadata.task && known != metadata.task) {
    return bad_model("layout: the file was exported for task " + to_string(*metadata.task));
  }
  if (!known) known = metadata.task;
  if (context.any_task) return known;
  if (known && known != config.task) {
    return bad_model("task: " + to_string(config.task) + ", but the network is for task: " + to_string(*known));
  }
  return std::optional(config.task);
}

// Returns whether the head's candidates cover the given input, and not an input of another size.
bool covers_input(const HeadGuess& head) { return head.reach > 0.75F && head.reach < 1.25F; }

Outcome<HeadGuess> guess_from(const ScriptNetwork& network, Hints hints) {
  const auto probe = network.probe();
  hints.input_height = network.shape().height;
  hints.input_width = network.shape().width;
  return guess_head({{probe.sides.begin() + 1, probe.sides.end()}, probe.values}, hints);
}

// Tries the usual sizes: returns the first that the network accepts, or for a detector the first whose input the
// candidates cover.
Outcome<HeadGuess> fit_to_usual(ScriptNetwork& network, Task task, const Hints& hints) {
  const auto sizes = usual_sizes(task);
  std::span<const InputSize> left(sizes);
  std::optional<InputSize> first;
  while (!left.empty()) {
    if (auto fitted = network.fit_to(left); !fitted) {
      if (!first) return fitted.error();
      break;
    }
    const InputSize taken{static_cast<std::uint32_t>(network.shape().height),
                          static_cast<std::uint32_t>(network.shape().width)};
    auto head = guess_from(network, hints);
    if (!head || covers_input(*head)) return head;
    if (!first) first = taken;
    left = left.subspan(static_cast<std::size_t>(std::find(left.begin(), left.end(), taken) - left.begin()) + 1);
  }
  if (auto fitted = network.fit_to({&*first, 1}); !fitted) return fitted.error();
  return guess_from(network, hints);
}

// Finds the input size, if neither the config nor the file gives it, and the meaning of the output.
Outcome<HeadGuess> fit(ScriptNetwork& network, std::optional<InputSize> size, const Hints& hints) {
  if (size) {
    if (auto fitted = network.fit_to({&*size, 1}); !fitted) return fitted.error();
    return guess_from(network, hints);
  }
  if (hints.task) return fit_to_usual(network, *hints.task, hints);
  // Try a classifier's size first, because many classifiers accept every size, and few detectors accept a
  // classifier's size.
  if (!network.fit_to(usual_sizes(Task::kClassify))) return fit_to_usual(network, Task::kDetect, hints);
  const auto probe = network.probe();
  const auto told = task_by_shape({probe.sides.begin() + 1, probe.sides.end()});
  if (told && told != Task::kClassify) return fit_to_usual(network, *told, hints);
  return guess_from(network, hints);
}

// Takes the labels from the config's file, otherwise from the network's metadata, otherwise numbers.
Outcome<std::vector<std::string>> labels_for(const common::TorchScriptSource& source, const Metadata& metadata,
                                             std::size_t class_count) {
  if (!source.names.empty()) {
    return darknet::read_names(source.names, class_count);
  }
  if (!metadata.names.empty()) {
    if (class_count != 0 && metadata.names.size() != class_count) {
      return bad_model(std::string(kMetadataFile) + " in the file names " + std::to_string(metadata.names.size()) +
                       " classes, but the output has " + std::to_string(class_count));
    }
    for (std::size_t c = 0; c < metadata.names.size(); ++c) {
      if (metadata.names[c].size() <= common::kMaxLabelBytes) continue;
      return bad_model(std::string(kMetadataFile) + " in the file: the name of class " + std::to_string(c) + " has " +
                       std::to_string(metadata.names[c].size()) + " bytes, at most " +
                       std::to_string(common::kMaxLabelBytes) + " are allowed: give its names in a file");
    }
    return metadata.names;
  }
  if (class_count == 0) return bad_model("the output does not tell the number of classes; give the class names");
  std::vector<std::string> numbers;
  for (std::size_t c = 0; c < class_count; ++c) numbers.push_back(std::to_string(c));
  return numbers;
}

// Returns whether boxes extend equally far at two input sizes. A trace that knows only its own size gives wrong boxes
// at other sizes: they differ by the ratio of the sizes, which is more than this tolerance for at least one view.
bool reach_alike(float a, float b) { return a < 1.1F * b && b < 1.1F * a; }

// Returns the network at the size of a view, with the output layout that it has at its own size.
Outcome<std::unique_ptr<Network>> at_view(const ScriptNetwork& network, const heads::View& view, const HeadGuess& head,
                                          Hints hints, int stride) {
  const auto& shape = network.shape();
  const InputSize input{static_cast<std::uint32_t>(shape.height), static_cast<std::uint32_t>(shape.width)};
  const auto size = heads::view_size(view, input, heads::view_alignment(stride));
  const auto refused = [&](const std::string& why) {
    return bad_model("detect.augment also runs the network at " + std::to_string(size.height) + " x " +
                     std::to_string(size.width) + ": " + why);
  };
  auto resized = network.at_size(size);
  if (!resized) return refused(resized.error().message);
  hints.task = Task::kDetect;
  hints.layout = head.layout == heads::HeadLayout::kByScores ? TorchScriptLayout::kYolov8 : TorchScriptLayout::kYolov5;
  hints.coordinates = head.boxes_are_fractions ? common::BoxCoordinates::kFractions : common::BoxCoordinates::kPixels;
  const auto resized_head = guess_from(**resized, hints);
  if (!resized_head) return refused(resized_head.error().message);
  const bool alike = resized_head->classes == head.classes && reach_alike(resized_head->reach, head.reach) &&
                     reach_alike(resized_head->reach_down, head.reach_down);
  if (!alike) return refused("the boxes are wrong at that size, perhaps because the network was traced for one size");
  (*resized)->set_head(resized_head->candidates, network.shape().classes, resized_head->layout);
  return std::unique_ptr<Network>(std::move(resized).value());
}

Outcome<std::unique_ptr<Network>> augment(std::unique_ptr<ScriptNetwork> network, const HeadGuess& head,
                                          const Hints& hints, int stride, const common::PreprocessConfig& preprocess) {
  if (head.task != Task::kDetect) return bad_model("detect.augment: only a detector supports it");
  if (head.layout == heads::HeadLayout::kFinal) {
    return bad_model("detect.augment: the network suppresses boxes itself, so the views' boxes cannot be merged");
  }
  std::vector<std::unique_ptr<Network>> views;
  for (const auto& view : heads::kViews) {
    auto resized = at_view(*network, view, head, hints, stride);
    if (!resized) return std::move(resized).error();
    views.push_back(std::move(resized).value());
  }
  return std::unique_ptr<Network>(std::make_unique<heads::AugmentedNetwork>(
      std::move(network), std::move(views),
      heads::AugmentedHead{head.layout, head.boxes_are_fractions, heads::view_padding(preprocess)}));
}

Origin first_of(bool in_config, bool in_file, Origin otherwise) {
  return in_config ? Origin::kConfig : in_file ? Origin::kFile : otherwise;
}

// `known` is true if the task was known before the network ran.
ScriptOrigins origins_of(const common::ModelConfig& config, const Metadata& metadata, bool known,
                         const HeadGuess& head) {
  const auto& source = std::get<common::TorchScriptSource>(config.source);
  const bool told = metadata.rules.has_value();
  const bool named = source.layout != TorchScriptLayout::kAuto;
  const bool crop = config.preprocess.crop != common::CropMode::kNone;
  ScriptOrigins from;
  from.task =
      first_of(task_of(source.layout).has_value(), metadata.task.has_value(), known ? Origin::kConfig : Origin::kGuess);
  from.input_size = first_of(config.input_size.has_value(), metadata.input_size.has_value(), Origin::kGuess);
  from.names = first_of(!source.names.empty(), !metadata.names.empty(), Origin::kDefault);
  from.output = first_of(named, told || metadata.end_to_end, Origin::kGuess);
  from.coordinates = first_of(source.coordinates != BoxCoordinates::kAuto, told,
                              head.layout == heads::HeadLayout::kFinal ? Origin::kDefault : Origin::kGuess);
  from.resize = first_of(crop || config.resize != common::ResizeMode::kAuto, told, Origin::kDefault);
  return from;
}

struct OpenedScript {
  std::unique_ptr<ScriptNetwork> network;
  Metadata metadata;
};

Outcome<OpenedScript> open_script(const common::ModelConfig& config, const LoadContext& context) {
  const auto use = use_device(context);
  if (!use) return use.error();
  const auto precision = script_precision(config.precision, use->device->name());
  if (!precision) return precision.error();
  auto network = ScriptNetwork::load(std::get<common::TorchScriptSource>(config.source).file, *precision,
                                     std::max<std::uint32_t>(1, context.threads), *use);
  if (!network) return std::move(network).error();
  auto metadata = parse_metadata((*network)->metadata());
  if (!metadata) return std::move(metadata).error();
  return OpenedScript{std::move(network).value(), std::move(metadata).value()};
}

struct FittedScript {
  LoadedNetwork loaded;
  ScriptForm form;
  ScriptOrigins from;
};

Outcome<FittedScript> fit_script(const common::ModelConfig& config, const LoadContext& context, OpenedScript opened) {
  const auto& source = std::get<common::TorchScriptSource>(config.source);
  auto& [network, metadata] = opened;
  const auto task = known_task(config, context, metadata);
  if (!task) return task.error();
  Hints hints;
  hints.task = *task;
  const auto& told = metadata.rules;
  hints.layout = source.layout == TorchScriptLayout::kAuto && told ? layout_of(*told) : source.layout;
  hints.coordinates = source.coordinates == BoxCoordinates::kAuto && told ? coordinates_of(*told) : source.coordinates;
  if (told) hints.logits = told->logits;
  hints.class_count = metadata.names.size();
  hints.end_to_end = metadata.end_to_end;
  if (!source.names.empty()) {
    const auto named = darknet::read_names(source.names, 0);
    if (!named) return named.error();
    hints.class_count = named->size();
  }
  const auto size = config.input_size ? config.input_size : metadata.input_size;
  const auto head = fit(*network, size, hints);
  if (!head) return head.error();
  const auto& shape = network->shape();

  LoadedNetwork loaded;
  const auto form = network->form();
  auto rules = told.value_or(usual_rules(head->task));
  rules.task = head->task;
  rules.logits = head->logits;
  rules.layout = head->layout;
  rules.boxes_are_fractions = head->boxes_are_fractions;
  loaded.rules = with_config(rules, config);
  if (head->task != Task::kImage) {
    auto labels = labels_for(source, metadata, head->classes);
    if (!labels) return std::move(labels).error();
    loaded.labels = std::move(labels).value();
  }
  network->set_head(head->candidates, loaded.labels.size(), head->layout);
  if (!size) {
    common::log_info("model {}: the input is {} x {}, the first usual size that fits the network", config.name,
                     shape.height, shape.width);
  }
  if (!head->told_by.empty()) common::log_info("model {}: recognized as {}", config.name, head->told_by);
  if (!covers_input(*head)) {
    common::log_warning(
        "model {}: its boxes cover {:.2f} of the input's width; check that input_size matches the network", config.name,
        head->reach);
  }
  if (config.detect.augment) {
    auto augmented =
        augment(std::move(network), *head, hints, static_cast<int>(metadata.stride.value_or(1)), config.preprocess);
    if (!augmented) return std::move(augmented).error();
    loaded.network = std::move(augmented).value();
  } else {
    loaded.network = std::move(network);
  }
  return FittedScript{std::move(loaded), form, origins_of(config, metadata, task->has_value(), *head)};
}

// The caller names the file in an error about reading it. Other errors are about the network, so this adds the
// model's name.
common::Error of_model(const common::ModelConfig& config, const common::Error& error) {
  const auto file = std::get<common::TorchScriptSource>(config.source).file.string();
  auto message = error.message;
  if (message.find(file) == std::string::npos) message = file + ": " + message;
  return bad_model(config.name + ": " + message);
}

}  // namespace

Outcome<LoadedNetwork> load_script(const common::ModelConfig& config, const LoadContext& context) {
  auto opened = open_script(config, context);
  auto fitted = opened ? fit_script(config, context, std::move(opened).value()) : std::move(opened).error();
  if (context.first_run_ended) context.first_run_ended();
  if (!fitted) return of_model(config, fitted.error());
  return std::move(fitted->loaded);
}

Outcome<ScriptReport> inspect_script(const common::ModelConfig& config, const LoadContext& context) {
  auto opened = open_script(config, context);
  ScriptReport report;
  if (opened) {
    report.module = opened->network->facts();
    report.stride = opened->metadata.stride;
    auto fitted = fit_script(config, context, std::move(opened).value());
    if (fitted) {
      report.network = std::move(fitted->loaded);
      report.form = fitted->form;
      report.from = fitted->from;
    } else {
      report.why_not = fitted.error().message;
    }
  }
  if (context.first_run_ended) context.first_run_ended();
  if (!opened) return of_model(config, opened.error());
  return report;
}

}  // namespace yolod::model::torchscript
