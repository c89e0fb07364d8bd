#include "model/load_network.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/text.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/names.hpp"
#include "model/darknet_files.hpp"
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
  if (const auto missing = darknet::missing_head(*network)) return *missing;

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

  auto running =
      TorchNetwork::load(std::move(compiled->network), *precision, std::max<std::uint32_t>(1, surroundings.threads));
  if (!running) {
    return bad_model(std::get<common::DarknetSource>(config.source).cfg.string() + ": " + running.error().message);
  }
  LoadedNetwork loaded;
  loaded.network = std::move(running).value();
  loaded.rules = compiled->rules;
  loaded.labels = std::move(compiled->labels);
  return loaded;
}

}  // namespace yolod::model
