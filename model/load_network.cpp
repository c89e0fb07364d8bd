#include "model/load_network.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>
#include <variant>

#include "common/text.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/checkpoint/network_weights.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/names.hpp"
#include "model/darknet/weights.hpp"
#include "model/detect/augmented_network.hpp"
#include "model/precision.hpp"
#include "model/read_file.hpp"
#include "model/torch_network.hpp"
#include "model/torchscript/load_script.hpp"

namespace yolod::model {

using common::Outcome;

namespace {

Outcome<darknet::Weights> read_weights(const std::filesystem::path& file, bool is_checkpoint,
                                       const darknet::Network& network) {
  if (!is_checkpoint) return darknet::read_weights(file, network);
  auto checkpoint = checkpoint::Checkpoint::open(file);
  if (!checkpoint) return std::move(checkpoint).error();
  return checkpoint::read_weights(checkpoint.value(), network);
}

// What both have in memory is `with`'s.
void share_parameters(CompiledNetwork& network, const CompiledNetwork& with) {
  std::vector<NetworkParameter> own;
  for (auto& parameter : network.parameters) {
    const bool shared = std::any_of(with.parameters.begin(), with.parameters.end(), [&](const auto& other) {
      return other.name == parameter.name && other.shape == parameter.shape &&
             other.follows_precision == parameter.follows_precision && other.values == parameter.values;
    });
    if (shared) {
      network.shared_parameters.push_back(parameter.name);
    } else {
      own.push_back(std::move(parameter));
    }
  }
  network.parameters = std::move(own);
}

// The layer that has other weights at another input size, if there is one.
const darknet::Layer* tied_layer(const darknet::Network& network, const darknet::Network& resized) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (darknet::weight_count(network.layers[i]) != darknet::weight_count(resized.layers[i])) return &network.layers[i];
  }
  return nullptr;
}

// `network` for what a view makes of its input.
Outcome<darknet::Network> resized_for(const detect::View& view, const darknet::Cfg& cfg,
                                      const darknet::Network& network, std::uint32_t alignment) {
  const common::InputSize input{static_cast<std::uint32_t>(network.input.height),
                                static_cast<std::uint32_t>(network.input.width)};
  const auto size = detect::view_size(view, input, alignment);
  const auto refused = [&](const std::string& why) {
    return bad_model("detect.augment runs it on " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                     " too: " + why);
  };
  auto resized = darknet::build_network(cfg, size, network.rules);
  if (!resized) return refused(resized.error().message);
  if (const auto* tied = tied_layer(network, *resized)) {
    return refused(network.source_name + ":" + std::to_string(tied->line) + ": [" + tied->section +
                   "]: its weights are for an input of one size");
  }
  return resized;
}

Outcome<std::vector<CompiledNetwork>> compile_views(const darknet::Cfg& cfg, const darknet::Network& network,
                                                    const std::filesystem::path& weights_file, bool is_checkpoint,
                                                    const CompiledModel& compiled) {
  std::vector<CompiledNetwork> views;
  const auto alignment = detect::view_alignment(compiled.stride);
  for (const auto& view : detect::kViews) {
    const auto resized = resized_for(view, cfg, network, alignment);
    if (!resized) return resized.error();
    // Read again, rather than held beside what they are compiled to.
    auto weights = read_weights(weights_file, is_checkpoint, *resized);
    if (!weights) return std::move(weights).error();
    views.push_back(darknet::compile(*resized, std::move(weights).value()));
    share_parameters(views.back(), compiled.network);
  }
  return views;
}

std::unique_ptr<Network> augmented(std::vector<std::unique_ptr<TorchNetwork>> networks,
                                   const common::PreprocessConfig& preprocess) {
  std::vector<std::unique_ptr<Network>> views;
  for (auto network = networks.begin() + 1; network != networks.end(); ++network) views.push_back(std::move(*network));
  return std::make_unique<detect::AugmentedNetwork>(
      std::move(networks.front()), std::move(views),
      detect::AugmentedHead{detect::HeadLayout::kByObjectness, false, detect::view_padding(preprocess)});
}

}  // namespace

std::string to_string(common::Task task) {
  switch (task) {
    case common::Task::kDetect: return "detect";
    case common::Task::kClassify: return "classify";
    case common::Task::kImage: return "image";
    case common::Task::kTensor: return "tensor";
  }
  return "detect";
}

Outcome<CompiledModel> compile_network(const common::ModelConfig& config) {
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr) return bad_model(config.name + ": only a Darknet network is compiled");
  const auto text = read_file(source->cfg, darknet::kMaxCfgBytes);
  if (!text) return text.error();
  const auto cfg = darknet::parse_cfg(*text, source->cfg.string());
  if (!cfg) return cfg.error();
  const bool is_checkpoint = checkpoint::is_checkpoint(source->weights);
  const auto network = darknet::build_network(*cfg, config.input_size,
                                              is_checkpoint ? darknet::Rules::kUltralytics : darknet::Rules::kDarknet);
  if (!network) return network.error();
  if (const auto missing = darknet::missing_head(*network)) return *missing;
  const bool augment = config.detect.augment;
  if (augment && (network->head != HeadKind::kDetections || network->input.channels != 3)) {
    return bad_model(config.name + ": detect.augment: only a detector on pictures takes it");
  }

  CompiledModel compiled;
  compiled.rules = network->rules;
  // Ultralytics' yolov3 letterboxes every picture, whatever the cfg says.
  compiled.letter_box = network->letter_box || is_checkpoint;
  for (const auto* head : darknet::heads(*network)) {
    compiled.stride = std::max(compiled.stride, network->input.height / head->output.height);
  }
  const auto nms = darknet::nms_settings(*network);
  compiled.nms_kind = nms.kind;
  compiled.beta_nms = nms.beta;
  if (!source->names.empty()) {
    auto labels = darknet::read_names(source->names, static_cast<std::size_t>(network->classes));
    if (!labels) return std::move(labels).error();
    compiled.labels = std::move(labels).value();
  }
  auto weights = read_weights(source->weights, is_checkpoint, *network);
  if (!weights) return std::move(weights).error();
  compiled.network = darknet::compile(*network, std::move(weights).value());
  if (augment) {
    auto views = compile_views(*cfg, *network, source->weights, is_checkpoint, compiled);
    if (!views) return std::move(views).error();
    compiled.views = std::move(views).value();
  }
  return compiled;
}

Outcome<LoadedNetwork> load_network(const common::ModelConfig& config, const Surroundings& surroundings) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) {
    return torchscript::load_script(config, surroundings);
  }
  if (surroundings.device != "cpu") {
    return bad_model(config.name + ": device " + common::printable(surroundings.device) + ": only cpu is supported");
  }
  const auto precision = resolve_precision(config.precision, surroundings.device, cpu_has_native_bf16());
  if (!precision) return precision.error();
  auto compiled = compile_network(config);
  if (!compiled) return std::move(compiled).error();

  const auto head = compiled->network.head;
  std::vector<CompiledNetwork> sizes;
  sizes.push_back(std::move(compiled->network));
  std::move(compiled->views.begin(), compiled->views.end(), std::back_inserter(sizes));
  auto running =
      TorchNetwork::load_sizes(std::move(sizes), *precision, std::max<std::uint32_t>(1, surroundings.threads));
  if (!running) {
    return bad_model(std::get<common::DarknetSource>(config.source).cfg.string() + ": " + running.error().message);
  }
  LoadedNetwork loaded;
  loaded.network =
      running->size() == 1 ? std::move(running->front()) : augmented(std::move(running).value(), config.preprocess);
  loaded.labels = std::move(compiled->labels);
  loaded.task = head == HeadKind::kClasses ? common::Task::kClassify : common::Task::kDetect;
  loaded.fit = compiled->letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
  // As `classifier predict` does, whatever the cfg says.
  if (loaded.task == common::Task::kClassify) loaded.fit = image::Fit::kCrop;
  if (compiled->rules == darknet::Rules::kUltralytics) {
    // Of its letterbox(), and the grey that it fills with.
    loaded.sampling = image::Sampling::kCentersAligned;
    loaded.grey = 114.0F / 255.0F;
  }
  loaded.nms_kind = compiled->nms_kind;
  loaded.beta_nms = compiled->beta_nms;
  return loaded;
}

}  // namespace yolod::model
