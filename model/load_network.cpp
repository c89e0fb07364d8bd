#include "model/load_network.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <variant>

#include "common/text.hpp"
#include "model/checkpoint/checkpoint.hpp"
#include "model/checkpoint/network_weights.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/names.hpp"
#include "model/darknet/weights.hpp"
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

  CompiledModel compiled;
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
  auto running =
      TorchNetwork::load(std::move(compiled->network), *precision, std::max<std::uint32_t>(1, surroundings.threads));
  if (!running) {
    return bad_model(std::get<common::DarknetSource>(config.source).cfg.string() + ": " + running.error().message);
  }
  LoadedNetwork loaded;
  loaded.network = std::move(running).value();
  loaded.labels = std::move(compiled->labels);
  loaded.task = head == HeadKind::kClasses ? common::Task::kClassify : common::Task::kDetect;
  loaded.fit = compiled->letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
  // As `classifier predict` does, whatever the cfg says.
  if (loaded.task == common::Task::kClassify) loaded.fit = image::Fit::kCrop;
  loaded.nms_kind = compiled->nms_kind;
  loaded.beta_nms = compiled->beta_nms;
  return loaded;
}

}  // namespace yolod::model
