#include "model/sources/compile_network.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/domain/task.hpp"
#include "common/log.hpp"
#include "model/bad_model.hpp"
#include "model/darknet/compiler.hpp"
#include "model/heads/augmented_network.hpp"
#include "model/sources/darknet_files.hpp"
#include "model/sources/labels.hpp"

namespace yolod::model {

using common::Outcome;

namespace {

PictureRules rules_of(const darknet::Network& network) {
  PictureRules rules;
  rules.fit = network.letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
  if (network.rules == darknet::Rules::kUltralytics) {
    // Ultralytics' letterbox(), which its program applies whatever the cfg says, and the grey of its border.
    rules.fit = image::Fit::kLetterbox;
    rules.sampling = image::Sampling::kCentersAligned;
    rules.grey = 114.0F / 255.0F;
  }
  if (network.head == HeadKind::kClasses) {
    rules.task = common::Task::kClassify;
    rules.fit = image::Fit::kCrop;  // like `classifier predict`, whatever the cfg says
    return rules;
  }
  rules.multi_label = true;
  const auto nms = darknet::nms_settings(network);
  rules.nms_kind = nms.kind;
  rules.beta_nms = nms.beta;
  return rules;
}

// Shares the parameters that both networks have: `network` then refers to the parameters of `with`.
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

// Returns the layer whose weights depend on the input size, or nullptr if there is none.
const darknet::Layer* tied_layer(const darknet::Network& network, const darknet::Network& resized) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (darknet::weight_count(network.layers[i]) != darknet::weight_count(resized.layers[i])) return &network.layers[i];
  }
  return nullptr;
}

// Reads `network` again for the input size of a view.
Outcome<darknet::Network> resized_for(const heads::View& view, const common::DarknetSource& source,
                                      const darknet::Network& network, std::uint32_t alignment) {
  const common::InputSize input{static_cast<std::uint32_t>(network.input.height),
                                static_cast<std::uint32_t>(network.input.width)};
  const auto size = heads::view_size(view, input, alignment);
  const auto refused = [&](const std::string& why) {
    return bad_model("detect.augment also runs the network at " + std::to_string(size.height) + " x " +
                     std::to_string(size.width) + ": " + why);
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
  const auto alignment = heads::view_alignment(compiled.stride);
  for (const auto& view : heads::kViews) {
    const auto resized = resized_for(view, source, network, alignment);
    if (!resized) return resized.error();
    // Read the weights again instead of keeping them in memory beside the compiled network.
    auto weights = read_weights(source, *resized);
    if (!weights) return std::move(weights).error();
    views.push_back(darknet::compile(*resized, std::move(weights).value()));
    share_parameters(views.back(), compiled.network);
  }
  return views;
}

}  // namespace

Outcome<CompiledModel> compile_network(const common::ModelConfig& config) {
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr) return bad_model(config.name + ": only a Darknet network is compiled");
  const auto network = read_network(*source, config.input_size);
  if (!network) return network.error();
  for (const auto& warning : network->warnings) common::log_warning("model {}: {}", config.name, warning);
  if (const auto missing = darknet::missing_head(*network)) return *missing;
  const bool augment = config.detect.augment;
  if (network->head == HeadKind::kDetections && config.preprocess.crop != common::CropMode::kNone) {
    return bad_model(config.name + ": preprocess.crop: a detector uses the whole image, so only none is allowed");
  }
  if (augment && (network->head != HeadKind::kDetections || network->input.channels != 3)) {
    return bad_model(config.name + ": detect.augment: only a detector for colour pictures supports it");
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

}  // namespace yolod::model
