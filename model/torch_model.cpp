#include "model/torch_model.hpp"

#include <exception>
#include <string>
#include <utility>

#include "common/text.hpp"
#include "model/classify/classify_model.hpp"
#include "model/detect/detect_model.hpp"
#include "model/image/image_model.hpp"
#include "model/image/opencv.hpp"
#include "model/load_network.hpp"
#include "model/read_file.hpp"
#include "model/thread_counts.hpp"
#include "model/torchscript/tensor_model.hpp"

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
  return bad_model(config.name + ": task: the network looks at pictures");
}

Outcome<std::unique_ptr<Model>> load(const common::ModelConfig& config, const Surroundings& surroundings) {
  if (config.task == Task::kTensor && !surroundings.any_task) return load_tensor_model(config, surroundings);
  auto loaded = load_network(config, surroundings);
  if (!loaded) return std::move(loaded).error();
  if (loaded->rules.task != config.task && !surroundings.any_task) {
    return bad_model(config.name + ": task: " + to_string(config.task) +
                     ", but its network is one for task: " + to_string(loaded->rules.task));
  }
  if (const auto why = why_no_pictures(loaded->network->shape().channels); !why.empty())
    return bad_model(config.name + ": " + why);
  return make_model(config, std::move(loaded).value());
}

}  // namespace

Outcome<std::unique_ptr<Model>> load_torch_model(const common::ModelConfig& config, const Surroundings& surroundings) {
  try {
    image::prepare_opencv();
    if (surroundings.threads_of_forks > 1) prepare_for_threads(surroundings.threads_of_forks);
    return load(config, surroundings);
  } catch (const std::exception& error) {
    return bad_model(config.name + ": cannot be loaded: " + common::printable(error.what(), 200));
  }
}

}  // namespace yolod::model
