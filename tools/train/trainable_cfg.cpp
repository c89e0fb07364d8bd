#include "tools/train/trainable_cfg.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "model/darknet/cfg.hpp"
#include "model/files/read_file.hpp"

namespace yolod::train {
namespace {

using namespace model::darknet;
using common::Error;
using common::ErrorCode;
using common::Outcome;

bool is_trainable(Activation activation) {
  switch (activation) {
    case Activation::kLinear:
    case Activation::kLeaky:
    case Activation::kRelu:
    case Activation::kSwish:
    case Activation::kMish:
    case Activation::kLogistic: return true;
    default: return false;
  }
}

// Why there are no gradients for a layer; empty where there are.
struct Objection {
  const Network& network;

  std::string operator()(const Layer& /*layer*/, const Convolutional& kind) const {
    if (kind.blur.size != 0) return "antialiasing";
    if (kind.shared_from) return "share_index";
    return is_trainable(kind.activation) ? "" : "this activation";
  }
  std::string operator()(const Layer& /*layer*/, const MaxPool& kind) const {
    return kind.blur.size != 0 || kind.zero_edge ? "antialiasing" : "";
  }
  std::string operator()(const Layer& /*layer*/, const Route& /*kind*/) const { return {}; }
  std::string operator()(const Layer& layer, const Shortcut& kind) const {
    if (kind.weights != ShortcutWeights::kNone) return "weights_type";
    for (const auto from : kind.from) {
      if (network.layers[from].output != layer.input) return "a shortcut between unequal maps";
    }
    return is_trainable(kind.activation) ? "" : "this activation";
  }
  std::string operator()(const Layer& /*layer*/, const Upsample& kind) const { return kind.scale != 1 ? "scale" : ""; }
  std::string operator()(const Layer& /*layer*/, const Yolo& kind) const {
    if (kind.new_coords) return "new_coords";
    if (kind.gaussian || kind.scores != ClassScores::kLogistic) return "this kind of head";
    return {};
  }
  template <typename Kind>
  std::string operator()(const Layer& /*layer*/, const Kind& /*kind*/) const {
    return "this layer";
  }
};

Error refusal(const Network& network, std::size_t line, const std::string& section, const std::string& what) {
  return {ErrorCode::kBadModel, network.source_name + ":" + std::to_string(line) + ": [" + section + "]: " + what};
}

// The line of an option that is there, else of the section.
std::size_t line_of(const CfgSection& section, std::string_view key) {
  for (const auto& option : section.options) {
    if (option.key == key) return option.line;
  }
  return section.line;
}

std::optional<Error> objection_to_input(const Network& network, const CfgSection& section) {
  if (network.input.channels != 3) {
    return refusal(network, line_of(section, "channels"), section.type,
                   "channels=" + std::to_string(network.input.channels) + " cannot be trained here: scenes have 3");
  }
  if (network.letter_box) {
    return refusal(network, line_of(section, "letter_box"), section.type,
                   "letter_box cannot be trained here: pictures are stretched");
  }
  return std::nullopt;
}

std::optional<Error> objection_to_layer(const Network& network, std::size_t index) {
  const auto& layer = network.layers[index];
  const auto what = std::visit([&](const auto& kind) { return Objection{network}(layer, kind); }, layer.kind);
  if (!what.empty()) return refusal(network, layer.line, layer.section, what + " cannot be trained here");
  if (!std::holds_alternative<Yolo>(layer.kind)) return std::nullopt;
  const auto* before = index == 0 ? nullptr : std::get_if<Convolutional>(&network.layers[index - 1].kind);
  if (before != nullptr && !before->batch_normalize && before->activation == Activation::kLinear) return std::nullopt;
  return refusal(network, layer.line, layer.section,
                 "a linear convolution without batch normalisation must come before it");
}

// By layer: whether some head depends on it.
std::vector<bool> read_by_heads(const Network& network) {
  std::vector<bool> read(network.layers.size());
  for (std::size_t i = network.layers.size(); i-- > 0;) {
    const auto& kind = network.layers[i].kind;
    if (std::holds_alternative<Yolo>(kind)) read[i] = true;
    if (!read[i]) continue;
    if (const auto* route = std::get_if<Route>(&kind)) {
      for (const auto from : route->layers) read[from] = true;
      continue;
    }
    if (i > 0) read[i - 1] = true;
    if (const auto* shortcut = std::get_if<Shortcut>(&kind)) {
      for (const auto from : shortcut->from) read[from] = true;
    }
  }
  return read;
}

std::optional<Error> first_objection(const Network& network, const CfgSection& net_section) {
  if (auto objection = objection_to_input(network, net_section)) return objection;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (auto objection = objection_to_layer(network, i)) return objection;
  }
  const auto read = read_by_heads(network);
  if (heads(network).empty()) return Error{ErrorCode::kBadModel, network.source_name + ": no [yolo] in it"};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    if (!read[i] && std::holds_alternative<Convolutional>(layer.kind))
      return refusal(network, layer.line, layer.section, "no head reads it, so it would learn nothing");
  }
  return std::nullopt;
}

}  // namespace

Outcome<TrainableCfg> parse_trainable_cfg(std::string text, const std::string& source_name) {
  const auto cfg = parse_cfg(text, source_name);
  if (!cfg) return cfg.error();
  auto network = build_network(*cfg, std::nullopt);
  if (!network) return std::move(network).error();
  if (auto objection = first_objection(*network, (*cfg).sections.front())) return std::move(*objection);
  return TrainableCfg{std::move(text), std::move(network).value()};
}

Outcome<TrainableCfg> read_trainable_cfg(const std::filesystem::path& file) {
  auto text = model::read_text(file, kMaxCfgBytes);
  if (!text) return std::move(text).error();
  return parse_trainable_cfg(std::move(text).value(), file.string());
}

}  // namespace yolod::train
