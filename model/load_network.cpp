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
#include "model/torch_network.hpp"
#include "model/torchscript/load_script.hpp"

namespace yolod::model {

using common::Outcome;

std::string to_string(common::Task task) {
  switch (task) {
    case common::Task::kDetect: return "detect";
    case common::Task::kClassify: return "classify";
    case common::Task::kImage: return "image";
    case common::Task::kTensor: return "tensor";
  }
  return "detect";
}

Outcome<LoadedNetwork> load_network(const common::ModelConfig& config, const Surroundings& surroundings) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) {
    return torchscript::load_script(config, surroundings);
  }
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr) return bad_model(config.name + ": an identity model has no network");
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

  LoadedNetwork loaded;
  loaded.fit = network->letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
  // Darknet takes the rule of the network's last layer for all heads.
  const auto& last = std::get<darknet::Yolo>(darknet::heads(*network).back()->kind);
  loaded.nms_kind = last.nms_kind;
  loaded.beta_nms = last.beta_nms;
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
