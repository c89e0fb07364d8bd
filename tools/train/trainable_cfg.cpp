#include "tools/train/trainable_cfg.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
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

Error refusal(const Network& network, std::size_t line, const std::string& section, const std::string& what) {
  return {ErrorCode::kBadModel, network.source_name + ":" + std::to_string(line) + ": [" + section + "]: " + what};
}

// Returns the line of the option if it is present, otherwise the line of the section.
std::size_t line_of(const CfgSection& section, std::string_view key) {
  for (const auto& option : section.options) {
    if (option.key == key) return option.line;
  }
  return section.line;
}

// Returns whether a layer other than the next one reads the map of layer `index`.
bool is_read_elsewhere(const Network& network, std::size_t index) {
  const auto names = [index](const std::vector<std::size_t>& from) {
    return std::find(from.begin(), from.end(), index) != from.end();
  };
  return std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer& layer) {
    if (const auto* route = std::get_if<Route>(&layer.kind)) return names(route->layers);
    if (const auto* shortcut = std::get_if<Shortcut>(&layer.kind)) return names(shortcut->from);
    if (const auto* scale = std::get_if<Scale>(&layer.kind)) return scale->from == index;
    return false;
  });
}

// Returns why the head cannot be trained, or an empty text if it can.
std::string objection_to_head(const Network& network, std::size_t index, const Yolo& head) {
  if (head.point != BoxPoint::kCenter) return "a yolo_point other than center cannot be trained";
  if (!head.new_coords) return {};
  const auto* before = index == 0 ? nullptr : std::get_if<Convolutional>(&network.layers[index - 1].kind);
  if (before == nullptr || before->activation != Activation::kLogistic || before->blur.size != 0)
    return "with new_coords, a convolution with activation=logistic must come before it";
  return is_read_elsewhere(network, index - 1) ? "with new_coords, no other layer may read the convolution before it"
                                               : std::string();
}

std::optional<Error> first_objection(const Network& network, const CfgSection& net_section) {
  if (network.rules != Rules::kDarknet) {
    return Error{
        ErrorCode::kBadModel,
        network.source_name + ": it uses features that only Ultralytics' yolov3 has; a weights file cannot hold them"};
  }
  if (network.input.channels != 3) {
    return refusal(network, line_of(net_section, "channels"), net_section.type,
                   "channels=" + std::to_string(network.input.channels) + " cannot be trained: pictures have 3");
  }
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    if (std::holds_alternative<Detection>(layer.kind) || std::holds_alternative<Softmax>(layer.kind)) {
      return refusal(network, layer.line, layer.section,
                     "this head cannot be trained; [yolo], [Gaussian_yolo] and [region] can");
    }
    const auto* head = std::get_if<Yolo>(&layer.kind);
    if (head == nullptr) continue;
    if (const auto what = objection_to_head(network, i, *head); !what.empty())
      return refusal(network, layer.line, layer.section, what);
  }
  if (heads(network).empty())
    return Error{ErrorCode::kBadModel, network.source_name + ": no [yolo], [Gaussian_yolo] or [region] in it"};
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
