// Parses sections by the rules of Ultralytics' yolov3 (archive branch): models.py's create_modules() and layers.py.
// Where both programs have the same rules, this file calls Darknet's parsers.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "common/text.hpp"
#include "model/darknet/layer_parsers.hpp"

namespace yolod::model::darknet {
namespace {

constexpr std::size_t kMaxSizes = 16;

// Ultralytics' program silently ignores every other activation, which would give another network than intended.
Activation read_ultralytics_activation(OptionReader& options) {
  const auto name = options.text("activation", "linear");
  const auto activation = activation_from(name);
  constexpr std::array kKnown{Activation::kLinear, Activation::kLeaky, Activation::kSwish, Activation::kMish};
  if (!activation || std::find(kKnown.begin(), kKnown.end(), *activation) == kKnown.end()) {
    options.fail("activation",
                 "\"" + common::printable(name, 40) +
                     "\": with a checkpoint of Ultralytics' yolov3 linear, leaky, swish or mish is allowed");
  }
  return activation.value_or(Activation::kLinear);
}

// Splits `filters` so that each size has as many weights (a share of size^-2), with the rounding of MixConv2d's
// "equal_params".
std::vector<MixedConvolutional::Part> split_filters(OptionReader& options, const std::vector<int>& sizes, int filters) {
  double total = 0;
  for (const int size : sizes) total += 1.0 / (size * size);
  std::vector<MixedConvolutional::Part> parts;
  int sum = 0;
  for (const int size : sizes) {
    const int share = static_cast<int>(std::nearbyint(filters / (size * size * total)));
    if (share < 1) options.fail("filters", "too few for so many sizes");
    parts.push_back({size, share});
    sum += share;
  }
  if (sum != filters) {
    options.fail("filters", std::to_string(filters) + " split over the sizes come to " + std::to_string(sum) +
                                ", and batch normalisation needs the same number");
  }
  return parts;
}

ParsedLayer parse_mixed(ParseContext& context, const std::vector<int>& sizes) {
  auto& options = context.options;
  MixedConvolutional layer;
  const int filters = options.integer("filters", 1, 1, kMaxFilters);
  const int stride = options.integer("stride", 1, 1, kMaxStride);
  layer.stride_x = options.integer("stride_x", stride, 1, kMaxStride);
  layer.stride_y = options.integer("stride_y", stride, 1, kMaxStride);
  layer.batch_normalize = options.flag("batch_normalize", false);
  layer.activation = read_ultralytics_activation(options);
  if (options.integer("groups", 1, 1, kMaxFilters) != 1) options.fail("groups", "is not supported with several sizes");
  if (options.error()) return {layer, {}};
  layer.parts = split_filters(options, sizes, filters);
  const auto first = convolved(context.input, layer.part(0));
  for (std::size_t i = 0; i < layer.parts.size(); ++i) {
    const auto map = convolved(context.input, layer.part(i));
    if (map.height != first.height || map.width != first.width)
      options.fail("size", "even and odd sizes make maps that do not fit together");
  }
  return {layer, {filters, first.height, first.width}};
}

ParsedLayer parse_ultralytics_convolutional(ParseContext& context) {
  auto& options = context.options;
  const auto sizes = options.integers("size", kMaxSizes, 1, kMaxKernel);
  if (sizes.size() > 1) return parse_mixed(context, sizes);
  (void)read_ultralytics_activation(options);
  auto parsed = layer_parser_for("convolutional", Rules::kDarknet)(context);
  const auto& layer = std::get<Convolutional>(parsed.kind);
  if (layer.dilation != 1 || layer.flipped || layer.blur.size != 0 || layer.shared_from)
    options.fail("dilation, flipped, antialiasing and share_index are not in Ultralytics' yolov3");
  return parsed;
}

ParsedLayer parse_batch_norm(ParseContext& context) { return {BatchNormalization{}, context.input}; }

ParsedLayer parse_ultralytics_maxpool(ParseContext& context) {
  auto& options = context.options;
  MaxPool layer;
  auto& window = layer.window;
  window.size = options.integer("size", 1, 1, kMaxKernel);
  window.stride_x = window.stride_y = options.integer("stride", 1, 1, kMaxStride);
  window.padding = 2 * ((window.size - 1) / 2);
  layer.zero_edge = window.size == 2 && window.stride_x == 1;
  auto input = context.input;
  if (layer.zero_edge) input = {input.channels, input.height + 1, input.width + 1};
  const auto output = pooled(input, window);
  if (!options.error() && (output.height < 1 || output.width < 1))
    options.fail("size", "a window of " + std::to_string(window.size) + " does not fit its input of " +
                             to_string(context.input));
  return {layer, output};
}

ParsedLayer parse_ultralytics_route(ParseContext& context) {
  context.options.refuse_if_set("group_id");
  if (context.options.integer("groups", 1, 1, kMaxFilters) != 1)
    context.options.fail("groups", "is not in Ultralytics' yolov3");
  return layer_parser_for("route", Rules::kDarknet)(context);
}

// The shortcut is weighted whatever `weights_type` says, and has no activation.
ParsedLayer parse_ultralytics_shortcut(ParseContext& context) {
  auto& options = context.options;
  Shortcut layer;
  layer.from = resolve_layers(context, "from");
  if (options.has("weights_type")) {
    layer.weights = ShortcutWeights::kPerFeature;
    layer.normalization = WeightsNormalization::kSigmoid;
  }
  if (options.error()) return {layer, {}};
  for (const auto index : layer.from) {
    const auto& map = context.previous[index].output;
    if (map.height != context.input.height || map.width != context.input.width)
      options.fail("from", "layer " + std::to_string(index) + " is " + to_string(map) + ", this one " +
                               to_string(context.input));
  }
  return {layer, context.input};
}

ParsedLayer parse_nothing(ParseContext& context) { return {PassThrough{}, context.input}; }

// Ultralytics' program ignores scale_x_y, new_coords and nms_kind. It reads `from` only for an attention between
// heads, which is switched off.
ParsedLayer parse_ultralytics_yolo(ParseContext& context) {
  auto parsed = parse_yolo(context);
  auto& layer = std::get<Yolo>(parsed.kind);
  layer.scale_x_y = 1;
  layer.new_coords = false;
  layer.nms_kind = heads::Overlap::kIou;
  return parsed;
}

}  // namespace

bool is_for_ultralytics_alone(const Cfg& cfg) {
  return std::any_of(cfg.sections.begin(), cfg.sections.end(), [](const CfgSection& section) {
    if (section.type == "BatchNorm2d") return true;
    return section.type == "convolutional" &&
           std::any_of(section.options.begin(), section.options.end(), [](const CfgOption& option) {
             return option.key == "size" && option.value.find(',') != std::string::npos;
           });
  });
}

LayerParser ultralytics_parser_for(std::string_view section) {
  constexpr std::array<std::pair<std::string_view, LayerParser>, 8> kParsers{{
      {"convolutional", parse_ultralytics_convolutional},
      {"BatchNorm2d", parse_batch_norm},
      {"maxpool", parse_ultralytics_maxpool},
      {"upsample", [](ParseContext& context) { return layer_parser_for("upsample", Rules::kDarknet)(context); }},
      {"route", parse_ultralytics_route},
      {"shortcut", parse_ultralytics_shortcut},
      {"reorg3d", parse_nothing},
      {"yolo", parse_ultralytics_yolo},
  }};
  for (const auto& [name, parser] : kParsers) {
    if (name == section) return parser;
  }
  return nullptr;
}

}  // namespace yolod::model::darknet
