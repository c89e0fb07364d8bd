#include "model/darknet/network.hpp"

#include <utility>

#include "common/text.hpp"
#include "model/darknet/layer_parsers.hpp"
#include "model/read_file.hpp"

namespace yolod::model::darknet {
namespace {

using common::Error;
using common::Outcome;

constexpr std::size_t kMaxLayers = 2'000;
constexpr int kMaxInputChannels = 64;

Error at_section(const Cfg& cfg, const CfgSection& section, const std::string& what) {
  return bad_model(cfg.source_name + ":" + std::to_string(section.line) + ": [" + common::printable(section.type, 40) +
                   "]: " + what);
}

Outcome<Network> read_net_section(const Cfg& cfg, std::optional<common::InputSize> input_size) {
  const auto& section = cfg.sections.front();
  if (section.type != "net" && section.type != "network") {
    return at_section(cfg, section, "the first section must be [net]");
  }
  OptionReader options(cfg, section);
  Network network;
  network.source_name = cfg.source_name;
  network.input.channels = options.integer("channels", 3, 1, kMaxInputChannels);
  // With a size of the caller's the cfg's own does not matter, even if it is missing.
  const int absent = input_size ? 1 : 0;
  network.input.height = options.integer("height", absent, 1, kMaxInputSide);
  network.input.width = options.integer("width", absent, 1, kMaxInputSide);
  network.letter_box = options.flag("letter_box", false);
  if (options.integer("time_steps", 1, 0, 1 << 20) > 1)
    options.fail("time_steps", "recurrent networks are not supported");
  if (options.error()) return *options.error();
  if (input_size) {
    if (input_size->height < 1 || input_size->width < 1 || input_size->height > kMaxInputSide ||
        input_size->width > kMaxInputSide) {
      return bad_model("an input size of " + std::to_string(input_size->width) + " x " +
                       std::to_string(input_size->height) + ", 1 to " + std::to_string(kMaxInputSide) + " is allowed");
    }
    network.input.height = static_cast<int>(input_size->height);
    network.input.width = static_cast<int>(input_size->width);
  }
  if (network.input.height == 0) return at_section(cfg, section, "height is missing");
  if (network.input.width == 0) return at_section(cfg, section, "width is missing");
  if (network.input.count() > kMaxLayerValues) return at_section(cfg, section, "the input is too large");
  return network;
}

}  // namespace

Outcome<Network> build_network(const Cfg& cfg, std::optional<common::InputSize> input_size) {
  if (cfg.sections.empty()) return bad_model(cfg.source_name + ": no [net] in it");
  auto network = read_net_section(cfg, input_size);
  if (!network) return network;
  auto& layers = network->layers;
  Shape shape = network->input;
  bool after_head = false;

  for (std::size_t i = 1; i < cfg.sections.size(); ++i) {
    const auto& section = cfg.sections[i];
    if (layers.size() == kMaxLayers) {
      return at_section(cfg, section, "more than " + std::to_string(kMaxLayers) + " layers");
    }
    const auto parser = layer_parser_for(section.type);
    if (parser == nullptr) return at_section(cfg, section, "this layer is not supported");
    if (after_head && section.type != "route") {
      return at_section(cfg, section, "follows a head, where only [route] can");
    }
    OptionReader options(cfg, section);
    ParseContext context{options, layers, shape};
    auto parsed = parser(context);
    if (options.error()) return *options.error();
    if (parsed.output.count() < 1 || parsed.output.count() > kMaxLayerValues) {
      return at_section(cfg, section,
                        "its output of " + std::to_string(parsed.output.width) + " x " +
                            std::to_string(parsed.output.height) + " x " + std::to_string(parsed.output.channels) +
                            " is too large");
    }
    if (const auto* yolo = std::get_if<Yolo>(&parsed.kind)) {
      if (network->classes != 0 && network->classes != yolo->classes) {
        return at_section(
            cfg, section,
            std::to_string(yolo->classes) + " classes, the head before it has " + std::to_string(network->classes));
      }
      network->classes = yolo->classes;
    }
    after_head = std::holds_alternative<Yolo>(parsed.kind);
    layers.push_back({section.type, section.line, shape, parsed.output, std::move(parsed.kind)});
    shape = parsed.output;
  }
  if (network->classes == 0) return bad_model(cfg.source_name + ": no [yolo] in it: not a detector");
  const auto values = candidate_count(*network) * (network->classes + 5);
  if (values > kMaxLayerValues) return bad_model(cfg.source_name + ": its heads are too large");
  return network;
}

std::vector<const Layer*> heads(const Network& network) {
  std::vector<const Layer*> found;
  for (const auto& layer : network.layers) {
    if (std::holds_alternative<Yolo>(layer.kind)) found.push_back(&layer);
  }
  return found;
}

std::int64_t candidate_count(const Network& network) {
  std::int64_t count = 0;
  for (const auto* head : heads(network)) {
    count +=
        static_cast<std::int64_t>(std::get<Yolo>(head->kind).anchors.size()) * head->output.height * head->output.width;
  }
  return count;
}

}  // namespace yolod::model::darknet
