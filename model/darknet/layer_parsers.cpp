// The defaults and rules are those of AlexeyAB/darknet, src/parser.c and the make_*_layer() functions.
#include "model/darknet/layer_parsers.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/text.hpp"
#include "model/read_file.hpp"

namespace yolod::model::darknet {
namespace {

constexpr int kMaxFilters = 1 << 16;
constexpr int kMaxKernel = 255;
constexpr int kMaxStride = 128;
constexpr int kMaxClasses = 100'000;
constexpr std::size_t kMaxListItems = 256;

struct Strides {
  int x;
  int y;
};

Strides read_strides(OptionReader& options) {
  const int stride = options.integer("stride", 1, 1, kMaxStride);
  return {options.integer("stride_x", stride, 1, kMaxStride), options.integer("stride_y", stride, 1, kMaxStride)};
}

Activation read_activation(OptionReader& options, std::string_view fallback) {
  const auto name = options.text("activation", fallback);
  const auto activation = activation_from(name);
  if (!activation) options.fail("activation", "\"" + common::printable(name, 40) + "\" is not supported");
  return activation.value_or(Activation::kLinear);
}

// An index as cfgs write it (negative: counted back from this layer) as an absolute one. Heads may not be built upon:
// what leaves them is decoded boxes.
std::size_t resolve_layer(ParseContext& context, std::string_view key, int index) {
  const auto here = static_cast<int>(context.previous.size());
  const int absolute = index < 0 ? here + index : index;
  if (absolute < 0 || absolute >= here) {
    context.options.fail(key,
                         "layer " + std::to_string(index) + " does not exist before layer " + std::to_string(here));
    return 0;
  }
  const auto resolved = static_cast<std::size_t>(absolute);
  if (std::holds_alternative<Yolo>(context.previous[resolved].kind)) {
    context.options.fail(key, "layer " + std::to_string(absolute) + " is a head, nothing can be built on it");
  }
  return resolved;
}

std::vector<std::size_t> resolve_layers(ParseContext& context, std::string_view key) {
  std::vector<std::size_t> resolved;
  const int far = std::numeric_limits<int>::max() / 2;
  for (const int index : context.options.integers(key, kMaxListItems, -far, far)) {
    if (context.options.error()) break;
    resolved.push_back(resolve_layer(context, key, index));
  }
  if (resolved.empty()) context.options.fail(key, "names no layer");
  return resolved;
}

ParsedLayer parse_convolutional(ParseContext& context) {
  auto& options = context.options;
  Convolutional layer;
  layer.filters = options.integer("filters", 1, 1, kMaxFilters);
  layer.groups = options.integer("groups", 1, 1, kMaxFilters);
  layer.size = options.integer("size", 1, 1, kMaxKernel);
  const auto strides = read_strides(options);
  layer.stride_x = strides.x;
  layer.stride_y = strides.y;
  layer.dilation = options.integer("dilation", 1, 1, kMaxKernel);
  if (layer.size == 1) layer.dilation = 1;
  const bool pad = options.integer("pad", 0, 0, kMaxKernel) != 0;
  const int padding = options.integer("padding", 0, 0, kMaxKernel);
  layer.padding = (pad ? layer.size / 2 : padding) * layer.dilation;
  layer.batch_normalize = options.flag("batch_normalize", false) || options.flag("cbn", false);
  layer.activation = read_activation(options, "logistic");
  for (const auto* key : {"antialiasing", "binary", "xnor", "bin_output", "flipped", "coordconv", "sway", "rotate",
                          "stretch", "stretch_sway", "dontload", "dontloadscales"}) {
    options.refuse_if_set(key);
  }
  if (options.has("share_index")) options.fail("share_index", "shared weights are not supported");
  if (options.error()) return {layer, {}};

  const auto& input = context.input;
  if (input.channels % layer.groups != 0 || layer.filters % layer.groups != 0) {
    options.fail("groups", std::to_string(layer.groups) + " does not divide both the " +
                               std::to_string(input.channels) + " input channels and the " +
                               std::to_string(layer.filters) + " filters");
    return {layer, {}};
  }
  if (layer.dilation > 1 && layer.size % 2 == 0) {
    options.fail("dilation", "is supported for odd sizes only");
    return {layer, {}};
  }
  const int reach = layer.dilation * (layer.size - 1) + 1;
  if (input.height + 2 * layer.padding < reach || input.width + 2 * layer.padding < reach) {
    options.fail("a kernel of " + std::to_string(reach) + " does not fit its input of " + std::to_string(input.width) +
                 " x " + std::to_string(input.height));
    return {layer, {}};
  }
  return {layer,
          {layer.filters, (input.height + 2 * layer.padding - reach) / layer.stride_y + 1,
           (input.width + 2 * layer.padding - reach) / layer.stride_x + 1}};
}

ParsedLayer parse_maxpool(ParseContext& context) {
  auto& options = context.options;
  MaxPool layer;
  const int stride = options.integer("stride", 1, 1, kMaxStride);
  layer.stride_x = options.integer("stride_x", stride, 1, kMaxStride);
  layer.stride_y = options.integer("stride_y", stride, 1, kMaxStride);
  layer.size = options.integer("size", stride, 1, kMaxKernel);
  layer.padding = options.integer("padding", layer.size - 1, 0, 2 * kMaxKernel);
  for (const auto* key : {"maxpool_depth", "antialiasing", "maxpool_zero_nonmax"}) options.refuse_if_set(key);
  const auto& input = context.input;
  // More padding than this would leave windows with nothing of the image in them.
  if (layer.padding > 2 * (layer.size - 1)) options.fail("padding", "more than twice size - 1");
  if (input.height + layer.padding < layer.size || input.width + layer.padding < layer.size) {
    options.fail("a window of " + std::to_string(layer.size) + " does not fit its input of " +
                 std::to_string(input.width) + " x " + std::to_string(input.height));
  }
  if (options.error()) return {layer, {}};
  return {layer,
          {input.channels, (input.height + layer.padding - layer.size) / layer.stride_y + 1,
           (input.width + layer.padding - layer.size) / layer.stride_x + 1}};
}

ParsedLayer parse_avgpool(ParseContext& context) { return {AvgPool{}, {context.input.channels, 1, 1}}; }

ParsedLayer parse_route(ParseContext& context) {
  auto& options = context.options;
  Route layer;
  layer.layers = resolve_layers(context, "layers");
  layer.groups = options.integer("groups", 1, 1, kMaxFilters);
  layer.group_id = options.integer("group_id", 0, 0, kMaxFilters);
  if (!options.error() && layer.group_id >= layer.groups) {
    options.fail("group_id", std::to_string(layer.group_id) + " of " + std::to_string(layer.groups) +
                                 " groups, which count from 0");
  }
  if (options.error()) return {layer, {}};

  const Shape first = context.previous[layer.layers.front()].output;
  std::int64_t channels = 0;
  for (const auto index : layer.layers) {
    const Shape& shape = context.previous[index].output;
    if (shape.height != first.height || shape.width != first.width) {
      options.fail("layers", "layer " + std::to_string(index) + " is " + std::to_string(shape.width) + " x " +
                                 std::to_string(shape.height) + ", the first one " + std::to_string(first.width) +
                                 " x " + std::to_string(first.height));
      return {layer, {}};
    }
    if (shape.channels % layer.groups != 0) {
      options.fail("groups", std::to_string(layer.groups) + " does not divide the " + std::to_string(shape.channels) +
                                 " channels of layer " + std::to_string(index));
      return {layer, {}};
    }
    channels += shape.channels / layer.groups;
  }
  if (channels > kMaxFilters) options.fail("layers", std::to_string(channels) + " channels in all are too many");
  return {layer, {static_cast<int>(channels), first.height, first.width}};
}

ParsedLayer parse_shortcut(ParseContext& context) {
  auto& options = context.options;
  Shortcut layer;
  layer.from = resolve_layers(context, "from");
  layer.activation = read_activation(options, "linear");
  if (const auto type = options.text("weights_type", "none"); type != "none") {
    options.fail("weights_type", "\"" + common::printable(type, 40) + "\" is not supported, only none is");
  }
  if (options.error()) return {layer, {}};
  for (const auto index : layer.from) {
    const Shape& shape = context.previous[index].output;
    if (shape.height != context.input.height || shape.width != context.input.width) {
      options.fail("from", "layer " + std::to_string(index) + " is " + std::to_string(shape.width) + " x " +
                               std::to_string(shape.height) + ", this one " + std::to_string(context.input.width) +
                               " x " + std::to_string(context.input.height));
    }
  }
  return {layer, context.input};
}

ParsedLayer parse_upsample(ParseContext& context) {
  auto& options = context.options;
  Upsample layer;
  layer.stride = options.integer("stride", 2, 1, kMaxStride);
  layer.scale = options.number("scale", 1, -1e6F, 1e6F);
  const auto& input = context.input;
  if (options.error()) return {layer, {}};
  const auto side = std::max<std::int64_t>(input.height, input.width) * layer.stride;
  if (side > kMaxInputSide) {
    options.fail("stride", "makes a map of more than " + std::to_string(kMaxInputSide));
    return {layer, {}};
  }
  return {layer, {input.channels, input.height * layer.stride, input.width * layer.stride}};
}

ParsedLayer parse_dropout(ParseContext& context) { return {Dropout{}, context.input}; }

ParsedLayer parse_scale_channels(ParseContext& context) {
  auto& options = context.options;
  ScaleChannels layer;
  const auto from = resolve_layers(context, "from");
  layer.activation = read_activation(options, "linear");
  options.refuse_if_set("scale_wh");
  if (!options.error() && from.size() != 1) options.fail("from", "names more than one layer");
  if (options.error()) return {layer, {}};
  layer.from = from.front();
  const Shape output = context.previous[layer.from].output;
  if (context.input.height != 1 || context.input.width != 1 || context.input.channels != output.channels) {
    options.fail("from", "its input must be 1 x 1 x " + std::to_string(output.channels) + ", and is " +
                             std::to_string(context.input.width) + " x " + std::to_string(context.input.height) +
                             " x " + std::to_string(context.input.channels));
  }
  return {layer, output};
}

std::vector<Anchor> read_anchors(OptionReader& options) {
  const int total = options.integer("num", 1, 1, static_cast<int>(kMaxListItems));
  const auto values = options.numbers("anchors", 2 * kMaxListItems, 0, 1e6F);
  const auto mask = options.integers("mask", kMaxListItems, 0, total - 1);
  if (options.error()) return {};
  if (values.size() < 2 * static_cast<std::size_t>(total)) {
    options.fail("anchors", std::to_string(values.size()) + " numbers, num=" + std::to_string(total) + " needs " +
                                std::to_string(2 * total));
    return {};
  }
  std::vector<Anchor> anchors;
  if (!options.has("mask")) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(total); ++i)
      anchors.push_back({values[2 * i], values[2 * i + 1]});
  }
  for (const int i : mask) {
    const auto at = 2 * static_cast<std::size_t>(i);
    anchors.push_back({values[at], values[at + 1]});
  }
  if (anchors.empty()) options.fail("mask", "picks no anchor");
  return anchors;
}

ParsedLayer parse_yolo(ParseContext& context) {
  auto& options = context.options;
  Yolo layer;
  layer.classes = options.integer("classes", 20, 1, kMaxClasses);
  layer.anchors = read_anchors(options);
  layer.scale_x_y = options.number("scale_x_y", 1, 0.1F, 10);
  layer.new_coords = options.flag("new_coords", false);
  // Darknet's "greedynms" is not greedy NMS by IoU, in spite of its name: diounms_sort() compares box_diou(), whose
  // exponent is 0.6 whatever beta_nms says. Its lists for the reference networks come out only so. An unknown kind
  // counts as "default" there, which is by IoU.
  const auto beta = options.number("beta_nms", 0.6F, 0, 10);
  const auto kind = options.text("nms_kind", "default");
  if (kind == "diounms" || kind == "greedynms") layer.nms_kind = NmsKind::kDiou;
  if (kind == "diounms") layer.beta_nms = beta;
  if (options.error()) return {layer, {}};
  const auto needed = static_cast<std::int64_t>(layer.anchors.size()) * (layer.classes + 5);
  if (context.input.channels != needed) {
    options.fail(std::to_string(layer.anchors.size()) + " anchors and " + std::to_string(layer.classes) +
                 " classes need filters=" + std::to_string(needed) + " in the layer before, which has " +
                 std::to_string(context.input.channels));
  }
  return {std::move(layer), context.input};
}

}  // namespace

LayerParser layer_parser_for(std::string_view section) {
  constexpr std::array<std::pair<std::string_view, LayerParser>, 12> kParsers{{
      {"convolutional", parse_convolutional},
      {"conv", parse_convolutional},
      {"maxpool", parse_maxpool},
      {"max", parse_maxpool},
      {"avgpool", parse_avgpool},
      {"avg", parse_avgpool},
      {"route", parse_route},
      {"shortcut", parse_shortcut},
      {"upsample", parse_upsample},
      {"dropout", parse_dropout},
      {"scale_channels", parse_scale_channels},
      {"yolo", parse_yolo},
  }};
  for (const auto& [name, parser] : kParsers) {
    if (name == section) return parser;
  }
  return nullptr;
}

}  // namespace yolod::model::darknet
