#include "model/load_network.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "common/log.hpp"
#include "common/text.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/names.hpp"
#include "model/darknet_files.hpp"
#include "model/detect/augmented_network.hpp"
#include "model/device/open_device.hpp"
#include "model/precision.hpp"
#include "model/read_file.hpp"
#include "model/torch_network.hpp"
#include "model/torchscript/load_script.hpp"

namespace yolod::model {

using common::Outcome;

namespace {

PictureRules rules_of(const darknet::Network& network) {
  PictureRules rules;
  rules.fit = network.letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
  if (network.rules == darknet::Rules::kUltralytics) {
    // Of its letterbox(), which takes every picture whatever the cfg says, and the grey that it fills with.
    rules.fit = image::Fit::kLetterbox;
    rules.sampling = image::Sampling::kCentersAligned;
    rules.grey = 114.0F / 255.0F;
  }
  if (network.head == HeadKind::kClasses) {
    rules.task = common::Task::kClassify;
    rules.fit = image::Fit::kCrop;  // as `classifier predict` does, whatever the cfg says
    return rules;
  }
  rules.multi_label = true;
  const auto nms = darknet::nms_settings(network);
  rules.nms_kind = nms.kind;
  rules.beta_nms = nms.beta;
  return rules;
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

// `network`, read again, for what a view makes of its input.
Outcome<darknet::Network> resized_for(const detect::View& view, const common::DarknetSource& source,
                                      const darknet::Network& network, std::uint32_t alignment) {
  const common::InputSize input{static_cast<std::uint32_t>(network.input.height),
                                static_cast<std::uint32_t>(network.input.width)};
  const auto size = detect::view_size(view, input, alignment);
  const auto refused = [&](const std::string& why) {
    return bad_model("detect.augment runs it on " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                     " too: " + why);
  };
  auto resized = read_network(source, size);
  if (!resized) return refused(resized.error().message);
  if (resized->layers.size() != network.layers.size()) return refused(network.source_name + " was changed meanwhile");
  if (const auto* tied = tied_layer(network, *resized)) {
    return refused(network.source_name + ":" + std::to_string(tied->line) + ": [" + tied->section +
                   "]: its weights are for an input of one size");
  }
  return resized;
}

Outcome<std::vector<CompiledNetwork>> compile_views(const common::DarknetSource& source,
                                                    const darknet::Network& network, const CompiledModel& compiled) {
  std::vector<CompiledNetwork> views;
  const auto alignment = detect::view_alignment(compiled.stride);
  for (const auto& view : detect::kViews) {
    const auto resized = resized_for(view, source, network, alignment);
    if (!resized) return resized.error();
    // Read again, rather than held beside what they are compiled to.
    auto weights = read_weights(source, *resized);
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
  const auto network = read_network(*source, config.input_size);
  if (!network) return network.error();
  for (const auto& warning : network->warnings) common::log_warning("model {}: {}", config.name, warning);
  if (const auto missing = darknet::missing_head(*network)) return *missing;
  const bool augment = config.detect.augment;
  if (network->head == HeadKind::kDetections && config.preprocess.crop != common::CropMode::kNone) {
    return bad_model(config.name + ": preprocess.crop: a detector takes the whole image, only none is supported");
  }
  if (augment && (network->head != HeadKind::kDetections || network->input.channels != 3)) {
    return bad_model(config.name + ": detect.augment: only a detector on pictures in colour takes it");
  }

  CompiledModel compiled;
  compiled.rules = with_config(rules_of(*network), config);
  for (const auto* head : darknet::heads(*network)) {
    if (network->head == HeadKind::kClasses) continue;
    const auto* detection = std::get_if<darknet::Detection>(&head->kind);
    const int rows = detection == nullptr ? head->output.height : detection->side;
    compiled.stride = std::max(compiled.stride, network->input.height / rows);
  }
  if (!source->names.empty()) {
    auto labels = darknet::read_names(source->names, static_cast<std::size_t>(network->classes));
    if (!labels) return std::move(labels).error();
    compiled.labels = std::move(labels).value();
  }
  auto weights = read_weights(*source, *network);
  if (!weights) return std::move(weights).error();
  compiled.network = darknet::compile(*network, std::move(weights).value());
  if (augment) {
    auto views = compile_views(*source, *network, compiled);
    if (!views) return std::move(views).error();
    compiled.views = std::move(views).value();
  }
  return compiled;
}

Outcome<LoadedNetwork> load_network(const common::ModelConfig& config, const Surroundings& surroundings) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) {
    return torchscript::load_script(config, surroundings);
  }
  const auto use = use_device(surroundings);
  if (!use) return bad_model(config.name + ": " + use.error().message);
  const auto precision = resolve_precision(config.precision, use->device->name(), cpu_bf16());
  if (!precision) return precision.error();
  auto compiled = compile_network(config);
  if (!compiled) return std::move(compiled).error();

  std::vector<CompiledNetwork> sizes;
  sizes.push_back(std::move(compiled->network));
  std::move(compiled->views.begin(), compiled->views.end(), std::back_inserter(sizes));
  auto running =
      TorchNetwork::load_sizes(std::move(sizes), *precision, std::max<std::uint32_t>(1, surroundings.threads), *use);
  if (!running) {
    return bad_model(std::get<common::DarknetSource>(config.source).cfg.string() + ": " + running.error().message);
  }
  LoadedNetwork loaded;
  loaded.network =
      running->size() == 1 ? std::move(running->front()) : augmented(std::move(running).value(), config.preprocess);
  loaded.rules = compiled->rules;
  loaded.labels = std::move(compiled->labels);
  return loaded;
}

}  // namespace yolod::model
