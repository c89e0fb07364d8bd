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

Outcome<LoadedNetwork> load_network(const common::ModelConfig& config, const Surroundings& surroundings) {
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr)
    return bad_model(config.name + ": TorchScript files are not supported yet, Darknet models are");
  if (surroundings.device != "cpu") {
    return bad_model(config.name + ": device " + common::printable(surroundings.device) + ": only cpu is supported");
  }
  const auto precision = resolve_precision(config.precision, surroundings.device, cpu_has_native_bf16());
  if (!precision) return precision.error();

  const auto text = read_file(source->cfg, darknet::kMaxCfgBytes);
  if (!text) return text.error();
  const auto cfg = darknet::parse_cfg(*text, source->cfg.string());
  if (!cfg) return cfg.error();
  const bool is_checkpoint = checkpoint::is_checkpoint(source->weights);
  const auto network = darknet::build_network(*cfg, config.input_size,
                                              is_checkpoint ? darknet::Rules::kUltralytics : darknet::Rules::kDarknet);
  if (!network) return network.error();

  LoadedNetwork loaded;
  // Ultralytics' yolov3 letterboxes every picture, whatever the cfg says.
  loaded.letter_box = network->letter_box || is_checkpoint;
  const auto nms = darknet::nms_rule(*network);
  loaded.nms_kind = nms.kind;
  loaded.beta_nms = nms.beta;
  if (!source->names.empty()) {
    auto labels = darknet::read_names(source->names, static_cast<std::size_t>(network->classes));
    if (!labels) return std::move(labels).error();
    loaded.labels = std::move(labels).value();
  }
  auto weights = read_weights(source->weights, is_checkpoint, *network);
  if (!weights) return std::move(weights).error();
  auto running = TorchNetwork::load(darknet::compile(*network, std::move(weights).value()), *precision,
                                    std::max<std::uint32_t>(1, surroundings.threads));
  if (!running) return bad_model(source->cfg.string() + ": " + running.error().message);
  loaded.network = std::move(running).value();
  return loaded;
}

}  // namespace yolod::model
