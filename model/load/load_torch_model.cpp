#include "model/load/load_torch_model.hpp"

#include <exception>
#include <string>
#include <utility>

#include "common/domain/task.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/image/opencv.hpp"
#include "model/load/load_network.hpp"
#include "model/load_context.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/tasks/classify_model.hpp"
#include "model/tasks/detect_model.hpp"
#include "model/tasks/image_model.hpp"
#include "model/tasks/tensor_model.hpp"
#include "model/torch/thread_counts.hpp"

namespace yolod::model {
namespace {

using common::Outcome;
using common::Task;

Outcome<std::unique_ptr<Model>> make_model(const common::ModelConfig& config, LoadedNetwork loaded) {
  switch (loaded.rules.task) {
    case Task::kDetect: return make_detect_model(config, std::move(loaded));
    case Task::kClassify: return make_classify_model(config, std::move(loaded));
    case Task::kImage: return make_image_model(config, std::move(loaded));
    case Task::kTensor: break;
  }
  return bad_model(config.name + ": task: tensor is not possible, because the network processes pictures");
}

Outcome<std::unique_ptr<Model>> load(const common::ModelConfig& config, const LoadContext& context) {
  if (config.task == Task::kTensor && !context.any_task) return load_tensor_model(config, context);
  auto loaded = load_network(config, context);
  if (!loaded) return std::move(loaded).error();
  if (loaded->rules.task != config.task && !context.any_task) {
    return bad_model(config.name + ": task: " + to_string(config.task) +
                     ", but its network is for task: " + to_string(loaded->rules.task));
  }
  if (const auto why = why_no_pictures(loaded->network->shape().channels); !why.empty())
    return bad_model(config.name + ": " + why);
  return make_model(config, std::move(loaded).value());
}

}  // namespace

Outcome<std::unique_ptr<Model>> load_torch_model(const common::ModelConfig& config, const LoadContext& context) {
  try {
    image::prepare_opencv();
    if (context.threads_of_forks > 1) prepare_for_threads(context.threads_of_forks);
    return load(config, context);
  } catch (const std::exception& error) {
    return bad_model(config.name + ": cannot be loaded: " + common::printable(error.what(), 200));
  }
}

}  // namespace yolod::model
