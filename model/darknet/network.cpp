#include "model/darknet/network.hpp"

#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/darknet/known_keys.hpp"
#include "model/darknet/layer_parsers.hpp"
#include "model/darknet/weights.hpp"

namespace yolod::model::darknet {
namespace {

using common::Error;
using common::Outcome;

constexpr std::size_t kMaxLayers = 2'000;
constexpr int kMaxInputChannels = 64;
// The limit is 16 GiB in float. The sum of 2,000 such layers fits in 64 bits, and no real file has a larger layer.
constexpr std::int64_t kMaxLayerWeights = std::int64_t{1} << 32U;

Error at_section(const Cfg& cfg, const CfgSection& section, const std::string& what) {
  return bad_model(cfg.source_name + ":" + std::to_string(section.line) + ": [" + common::printable(section.type, 40) +
                   "]: " + what);
}

std::vector<std::string> warnings_of(const Cfg& cfg) {
  auto warnings = cfg.warnings;
  for (auto section = cfg.sections.begin(); section != cfg.sections.end() && warnings.size() < kMaxCfgWarnings;
       ++section) {
    for (auto& warning : unknown_keys(cfg, *section)) warnings.push_back(std::move(warning));
  }
  if (warnings.size() > kMaxCfgWarnings) warnings.resize(kMaxCfgWarnings);
  return warnings;
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
  // If the caller gives a size, the cfg's size does not matter and may be absent.
  const int absent = input_size ? 1 : 0;
  network.input.height = options.integer("height", absent, 1, kMaxInputSide);
  network.input.width = options.integer("width", absent, 1, kMaxInputSide);
  network.letter_box = options.flag("letter_box", false);
  if (options.integer("time_steps", 1, 0, 1 << 20) > 1)
    options.fail("time_steps", "recurrent networks are not supported");
  if (options.has("inputs") && !(options.has("height") && options.has("width")))
    options.fail("inputs", "networks on plain vectors (characters, for one) are not supported, those on images are");
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

// Returns the number of classes of a head, or nullopt for other layers.
std::optional<int> classes_of(const Layer& layer) {
  if (const auto* yolo = std::get_if<Yolo>(&layer.kind)) return yolo->classes;
  if (const auto* detection = std::get_if<Detection>(&layer.kind)) return detection->classes;
  if (std::holds_alternative<Softmax>(layer.kind)) return layer.output.channels;
  return std::nullopt;
}

bool is_head(const Layer& layer) { return classes_of(layer).has_value(); }

// Adds a head to the network. Returns why it cannot be added, or an empty text.
std::string add_head(Network& network, const Layer& layer, int classes) {
  const auto kind = std::holds_alternative<Softmax>(layer.kind) ? HeadKind::kClasses : HeadKind::kDetections;
  if (network.classes != 0) {
    if (kind == HeadKind::kClasses || network.head != kind) return "a second head of another kind";
    if (network.classes != classes) {
      return std::to_string(classes) + " classes, the head before it has " + std::to_string(network.classes);
    }
  }
  network.head = kind;
  network.classes = classes;
  return {};
}

std::int64_t candidate_count(const Layer& head) {
  if (const auto* detection = std::get_if<Detection>(&head.kind))
    return static_cast<std::int64_t>(detection->boxes) * detection->side * detection->side;
  if (const auto* yolo = std::get_if<Yolo>(&head.kind))
    return static_cast<std::int64_t>(yolo->anchors.size()) * head.output.height * head.output.width;
  return 1;
}

// Returns how often a window of `reach` fits, at distances of `stride`.
int window_count(int length, int reach, int stride) { return length < reach ? 0 : (length - reach) / stride + 1; }

}  // namespace

Outcome<Network> build_network(const Cfg& cfg, std::optional<common::InputSize> input_size, Rules rules) {
  if (cfg.sections.empty()) return bad_model(cfg.source_name + ": no [net] in it");
  auto network = read_net_section(cfg, input_size);
  if (!network) return network;
  network->warnings = warnings_of(cfg);
  network->rules = is_for_ultralytics_alone(cfg) ? Rules::kUltralytics : rules;
  auto& layers = network->layers;
  Shape shape = network->input;

  for (std::size_t i = 1; i < cfg.sections.size(); ++i) {
    const auto& section = cfg.sections[i];
    if (layers.size() == kMaxLayers) {
      return at_section(cfg, section, "more than " + std::to_string(kMaxLayers) + " layers");
    }
    const auto parser = layer_parser_for(section.type, network->rules);
    if (parser == nullptr) return at_section(cfg, section, why_not_served(section.type, network->rules));
    OptionReader options(cfg, section);
    ParseContext context{options, layers, shape, network->input};
    auto parsed = parser(context);
    if (options.error()) return *options.error();
    if (parsed.output.count() < 1 || parsed.output.count() > kMaxLayerValues) {
      return at_section(cfg, section,
                        "its output of " + std::to_string(parsed.output.width) + " x " +
                            std::to_string(parsed.output.height) + " x " + std::to_string(parsed.output.channels) +
                            " is too large");
    }
    Layer layer{section.type, section.line, shape, parsed.output, std::move(parsed.kind), true};
    if (const auto count = weight_count(layer); count > kMaxLayerWeights)
      return at_section(cfg, section, "its " + std::to_string(count) + " weights are too many");
    const bool after_head = !layers.empty() && !layers.back().readable;
    if (after_head && std::holds_alternative<PassThrough>(layer.kind)) {
      layer.readable = false;
    } else if (after_head && !std::holds_alternative<Route>(layer.kind)) {
      return at_section(cfg, section, "follows a head, where only [route] can");
    }
    if (const auto classes = classes_of(layer)) {
      if (const auto problem = add_head(*network, layer, *classes); !problem.empty())
        return at_section(cfg, section, problem);
      layer.readable = false;
    }
    shape = layer.output;
    layers.push_back(std::move(layer));
  }
  const auto values = candidate_count(*network) * (network->classes + 5);
  if (values > kMaxLayerValues) return bad_model(cfg.source_name + ": its heads are too large");
  return network;
}

std::optional<Error> missing_head(const Network& network) {
  if (network.classes != 0) return std::nullopt;
  return bad_model(network.source_name +
                   ": no [yolo], [region], [detection] or [softmax] in it: neither a detector nor a classifier");
}

std::vector<const Layer*> heads(const Network& network) {
  std::vector<const Layer*> found;
  for (const auto& layer : network.layers) {
    if (is_head(layer)) found.push_back(&layer);
  }
  return found;
}

std::int64_t candidate_count(const Network& network) {
  std::int64_t count = 0;
  for (const auto* head : heads(network)) count += candidate_count(*head);
  return count;
}

NmsSettings nms_settings(const Network& network) {
  NmsSettings settings;
  for (const auto* head : heads(network)) {
    if (const auto* yolo = std::get_if<Yolo>(&head->kind)) settings = {yolo->nms_kind, yolo->beta_nms};
  }
  return settings;
}

Convolutional MixedConvolutional::part(std::size_t index) const {
  Convolutional convolution;
  convolution.filters = parts[index].filters;
  convolution.size = parts[index].size;
  convolution.padding = convolution.size / 2;
  convolution.stride_x = stride_x;
  convolution.stride_y = stride_y;
  return convolution;
}

Shape convolved(const Shape& input, const Convolutional& convolution) {
  const int reach = convolution.dilation * (convolution.size - 1) + 1;
  return {convolution.filters, window_count(input.height + 2 * convolution.padding, reach, convolution.stride_y),
          window_count(input.width + 2 * convolution.padding, reach, convolution.stride_x)};
}

Shape pooled(const Shape& input, const Window& window) {
  return {input.channels, window_count(input.height + window.padding, window.size, window.stride_y),
          window_count(input.width + window.padding, window.size, window.stride_x)};
}

}  // namespace yolod::model::darknet
