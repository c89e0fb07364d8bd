#include "model/load_network.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/text.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/names.hpp"
#include "model/darknet/weights.hpp"
#include "model/precision.hpp"
#include "model/read_file.hpp"

namespace yolod::model {

using common::Outcome;

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
  const auto network = darknet::build_network(*cfg, config.input_size);
  if (!network) return network.error();
  if (const auto missing = darknet::missing_head(*network)) return *missing;

  LoadedNetwork loaded;
  loaded.letter_box = network->letter_box;
  const auto nms = darknet::nms_settings(*network);
  loaded.nms_kind = nms.kind;
  loaded.beta_nms = nms.beta;
  if (!source->names.empty()) {
    auto labels = darknet::read_names(source->names, static_cast<std::size_t>(network->classes));
    if (!labels) return std::move(labels).error();
    loaded.labels = std::move(labels).value();
  }
  auto weights = darknet::read_weights(source->weights, *network);
  if (!weights) return std::move(weights).error();
  auto running = TorchNetwork::load(darknet::compile(*network, std::move(weights).value()), *precision,
                                    std::max<std::uint32_t>(1, surroundings.threads));
  if (!running) return bad_model(source->cfg.string() + ": " + running.error().message);
  loaded.network = std::move(running).value();
  return loaded;
}

}  // namespace yolod::model
