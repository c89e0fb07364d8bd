#include "tools/train/training_task.hpp"

#include <algorithm>
#include <utility>

#include "model/darknet/cfg.hpp"
#include "model/files/read_file.hpp"
#include "model/sources/labels.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/train/class_count.hpp"
#include "tools/train/start_weights.hpp"
#include "tools/train/trainable_cfg.hpp"

namespace yolod::train {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<std::vector<std::string>> names_of(const RunOptions& options) {
  if (options.pictures) return model::darknet::read_names(options.pictures->names, 0);
  return std::vector<std::string>(scenes::kLightNames.begin(), scenes::kLightNames.end());
}

// Returns the cfg with this number of classes, or unchanged if it already has this number.
Outcome<TrainableCfg> cfg_for(const std::string& text, const std::string& source_name, int classes) {
  auto as_it_stands = parse_trainable_cfg(text, source_name);
  if (as_it_stands && as_it_stands->network.classes == classes) return as_it_stands;
  auto changed = with_class_count(text, source_name, classes);
  if (!changed) return as_it_stands ? std::move(changed).error() : std::move(as_it_stands).error();
  return parse_trainable_cfg(std::move(*changed), source_name);
}

std::size_t object_count(const std::vector<PictureFile>& pictures) {
  std::size_t count = 0;
  for (const auto& picture : pictures) count += picture.truths.size();
  return count;
}

Outcome<void> take_pictures(TrainingTask& task, const RunOptions& options) {
  const auto& asked = *options.pictures;
  auto folder = read_picture_folder(asked.images, asked.labels, task.names.size());
  if (!folder) return std::move(folder).error();
  if (folder->pictures.size() < 2) {
    return Error{
        ErrorCode::kInvalidParameter,
        asked.images.string() + ": one picture alone; at least one to learn from and one to hold out are needed"};
  }
  const auto objects = object_count(folder->pictures);
  task.held_out = hold_out(folder->pictures, asked.held_out, options.seed);
  const auto held_out_objects = object_count(task.held_out);
  if (held_out_objects == 0 || held_out_objects == objects) {
    return Error{ErrorCode::kInvalidParameter,
                 held_out_objects == 0
                     ? "the held-out pictures have no label; a larger --held-out or another --seed helps"
                     : "only the held-out pictures have labels; another --seed helps"};
  }
  task.picture_count = folder->pictures.size();
  task.data = std::to_string(task.picture_count) + " pictures of " + asked.images.string() + " with " +
              std::to_string(objects - held_out_objects) + " labels of " + std::to_string(task.names.size()) +
              " classes; " + std::to_string(task.held_out.size()) + " pictures with " +
              std::to_string(held_out_objects) + " labels are held out";
  if (folder->unlabelled > 0)
    task.data += "; " + std::to_string(folder->unlabelled) + " pictures have no label file and count as empty";
  const auto& input = task.network.input;
  task.source =
      std::make_unique<PictureSource>(std::move(folder->pictures), model::image::Size{input.width, input.height});
  return {};
}

Outcome<void> take_start(TrainingTask& task, const RunOptions& options, const std::string& cfg_text) {
  if (options.weights.empty()) {
    task.weights = fresh_weights(task.network, options.seed);
    task.start = "random weights";
    return {};
  }
  auto start = read_start_weights(options.weights, cfg_text, task.network, options.seed);
  if (!start) return std::move(start).error();
  task.start = options.weights.string() + ": " + text_of(*start, task.network);
  task.has_start = true;
  task.has_fresh_layers = !start->fresh.empty();
  task.keeps_statistics = std::none_of(start->fresh.begin(), start->fresh.end(), [&](std::size_t layer) {
    return start->weights.layers[layer].normalization.has_value();
  });
  task.weights = std::move(start->weights);
  if (!task.fine_tunes()) return {};
  auto objectives = darknet_objectives(cfg_text, options.cfg.string());
  if (!objectives) return std::move(objectives).error();
  task.objectives = std::move(*objectives);
  task.start += "; that is every layer, so the run fine-tunes with the objective of the cfg";
  return {};
}

}  // namespace

Outcome<TrainingTask> prepare_task(const RunOptions& options) {
  TrainingTask task;
  auto names = names_of(options);
  if (!names) return std::move(names).error();
  task.names = std::move(*names);
  const auto classes = static_cast<int>(task.names.size());
  if (options.classes != 0 && options.classes != classes) {
    return Error{ErrorCode::kBadConfig, "--classes " + std::to_string(options.classes) + ", but there are " +
                                            std::to_string(classes) + " names"};
  }
  const auto text = model::read_text(options.cfg, model::darknet::kMaxCfgBytes);
  if (!text) return text.error();
  auto cfg = cfg_for(*text, options.cfg.string(), classes);
  if (!cfg) return std::move(cfg).error();
  task.cfg_text = std::move(cfg->text);
  task.cfg_is_changed = task.cfg_text != *text;
  task.network = std::move(cfg->network);
  if (options.pictures) {
    if (auto taken = take_pictures(task, options); !taken) return std::move(taken).error();
  } else {
    task.source = std::make_unique<SceneSource>(options.seed, options.window, options.batch);
    task.data =
        "drawn scenes of traffic lights; validations look at " + std::to_string(options.validation_scenes) + " others";
  }
  if (auto taken = take_start(task, options, *text); !taken) return std::move(taken).error();
  return task;
}

}  // namespace yolod::train
