#include "model/darknet/layer_parsers.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "common/text.hpp"

namespace yolod::model::darknet {
namespace {

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

// Converts an index of a cfg to an absolute index; a negative index counts back from this layer.
std::size_t resolve_layer(ParseContext& context, std::string_view key, int index) {
  const auto here = static_cast<int>(context.previous.size());
  const int absolute = index < 0 ? here + index : index;
  if (absolute < 0 || absolute >= here) {
    context.options.fail(key,
                         "layer " + std::to_string(index) + " does not exist before layer " + std::to_string(here));
    return 0;
  }
  const auto resolved = static_cast<std::size_t>(absolute);
  if (!context.previous[resolved].readable) {
    context.options.fail(key, "layer " + std::to_string(absolute) + " is a head, nothing can be built on it");
  }
  return resolved;
}

}  // namespace

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

namespace {

// Returns the only layer in `from`.
std::size_t resolve_from(ParseContext& context) {
  const auto from = resolve_layers(context, "from");
  if (from.size() > 1) context.options.fail("from", "names more than one layer");
  return from.empty() ? 0 : from.front();
}

// Returns the blur that takes over `strides`, which become 1; without `antialiasing` there is no blur.
Blur read_blur(OptionReader& options, Strides& strides) {
  const int kind = options.integer("antialiasing", 0, 0, kMaxKernel);
  if (kind == 0) return {};
  const Blur blur{kind == 2 ? 2 : 3, strides.x, strides.y};
  strides = {1, 1};
  return blur;
}

Shape blurred(const Shape& input, const Blur& blur) {
  if (blur.size == 0) return input;
  Convolutional convolution;
  convolution.filters = input.channels;
  convolution.size = blur.size;
  convolution.stride_x = blur.stride_x;
  convolution.stride_y = blur.stride_y;
  convolution.padding = blur.size == 3 ? 1 : 0;
  return convolved(input, convolution);
}

// Reports an `output` that is empty, because the window is larger than the input.
void check_fits(ParseContext& context, const std::string& what, const Shape& output) {
  if (output.height >= 1 && output.width >= 1) return;
  context.options.fail(what + " does not fit its input of " + std::to_string(context.input.width) + " x " +
                       std::to_string(context.input.height));
}

// Returns the layer whose weights this layer uses (`share_index`), or nullopt if the key is absent. If that layer
// shares weights itself, returns the layer that has them.
std::optional<std::size_t> read_shared_from(ParseContext& context, const Convolutional& layer) {
  auto& options = context.options;
  if (!options.has("share_index")) return std::nullopt;
  const int far = std::numeric_limits<int>::max() / 2;
  auto index = resolve_layer(context, "share_index", options.integer("share_index", 0, -far, far));
  if (options.error()) return std::nullopt;
  const auto* owner = std::get_if<Convolutional>(&context.previous[index].kind);
  if (owner == nullptr || owner->size != layer.size || owner->filters != layer.filters ||
      owner->groups != layer.groups || context.previous[index].input.channels != context.input.channels) {
    options.fail("share_index", "layer " + std::to_string(index) + " is no convolution with weights of the same size");
    return std::nullopt;
  }
  return owner->shared_from.value_or(index);
}

ParsedLayer parse_convolutional(ParseContext& context) {
  auto& options = context.options;
  Convolutional layer;
  layer.filters = options.integer("filters", 1, 1, kMaxFilters);
  layer.groups = options.integer("groups", 1, 1, kMaxFilters);
  layer.size = options.integer("size", 1, 1, kMaxKernel);
  auto strides = read_strides(options);
  layer.blur = read_blur(options, strides);
  layer.stride_x = strides.x;
  layer.stride_y = strides.y;
  layer.dilation = options.integer("dilation", 1, 1, kMaxKernel);
  if (layer.size == 1) layer.dilation = 1;
  const bool pad = options.integer("pad", 0, 0, kMaxKernel) != 0;
  const int padding = options.integer("padding", 0, 0, kMaxKernel);
  layer.padding = (pad ? layer.size / 2 : padding) * layer.dilation;
  layer.batch_normalize = options.flag("batch_normalize", false) || options.flag("cbn", false);
  layer.flipped = options.flag("flipped", false);
  layer.activation = read_activation(options, "logistic");
  for (const auto* key : {"xnor", "binary"}) {
    if (options.integer(key, 0, 0, 1) != 0) options.fail(key, "networks with binary weights (XNOR) are not supported");
  }
  for (const auto* key :
       {"bin_output", "coordconv", "sway", "rotate", "stretch", "stretch_sway", "dontload", "dontloadscales"}) {
    options.refuse_if_set(key);
  }
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
  layer.shared_from = read_shared_from(context, layer);
  const auto own = convolved(input, layer);
  check_fits(context, "a kernel of " + std::to_string(layer.dilation * (layer.size - 1) + 1), own);
  if (options.error()) return {layer, {}};
  if (own.count() > kMaxLayerValues) options.fail("its map before the blur of antialiasing is too large");
  const auto output = blurred(own, layer.blur);
  check_fits(context, "the blur of antialiasing", output);
  return {layer, output};
}

ParsedLayer parse_batchnorm(ParseContext& context) { return {BatchNormalization{}, context.input}; }

ParsedLayer parse_connected(ParseContext& context) {
  auto& options = context.options;
  Connected layer;
  layer.outputs = options.integer("output", 1, 1, kMaxFilters);
  layer.batch_normalize = options.flag("batch_normalize", false);
  layer.activation = read_activation(options, "logistic");
  for (const auto* key : {"dontload", "dontloadscales"}) options.refuse_if_set(key);
  return {layer, {layer.outputs, 1, 1}};
}

ParsedLayer parse_local(ParseContext& context) {
  auto& options = context.options;
  Local layer;
  layer.filters = options.integer("filters", 1, 1, kMaxFilters);
  layer.size = options.integer("size", 1, 1, kMaxKernel);
  layer.stride = options.integer("stride", 1, 1, kMaxStride);
  layer.padding = options.integer("pad", 0, 0, kMaxKernel);
  layer.activation = read_activation(options, "logistic");
  options.refuse_if_set("dontload");
  // With another padding Darknet allocates a map of one size and fills a map of another size.
  if (layer.padding != 0 && layer.size != 2 * layer.padding + 1)
    options.fail("pad", "is supported for a size of twice its value and 1 only");
  const auto& input = context.input;
  if (std::int64_t{input.channels} * layer.size * layer.size > kMaxLayerValues) options.fail("size", "is too large");
  if (options.error()) return {layer, {}};
  const int shrink = layer.padding != 0 ? 1 : layer.size;
  if (input.height < shrink || input.width < shrink) {
    check_fits(context, "a kernel of " + std::to_string(layer.size), {});
    return {layer, {}};
  }
  return {layer,
          {layer.filters, (input.height - shrink) / layer.stride + 1, (input.width - shrink) / layer.stride + 1}};
}

Window read_window(ParseContext& context, const Strides& strides, int default_size) {
  auto& options = context.options;
  Window window;
  window.stride_x = strides.x;
  window.stride_y = strides.y;
  window.size = options.integer("size", default_size, 1, kMaxKernel);
  window.padding = options.integer("padding", window.size - 1, 0, 2 * kMaxKernel);
  // With more padding, some windows would cover only padding.
  if (window.padding > 2 * (window.size - 1)) options.fail("padding", "more than twice size - 1");
  if (!options.error())
    check_fits(context, "a window of " + std::to_string(window.size), pooled(context.input, window));
  return window;
}

ParsedLayer parse_maxpool_depth(ParseContext& context) {
  auto& options = context.options;
  const MaxPoolDepth layer{options.integer("out_channels", 1, 1, kMaxFilters)};
  const auto& input = context.input;
  if (!options.error() && input.channels % layer.channels != 0) {
    options.fail("out_channels", std::to_string(layer.channels) + " does not divide the " +
                                     std::to_string(input.channels) + " input channels");
  }
  return {layer, {layer.channels, input.height, input.width}};
}

ParsedLayer parse_maxpool(ParseContext& context) {
  auto& options = context.options;
  options.refuse_if_set("maxpool_zero_nonmax");
  if (options.integer("maxpool_depth", 0, 0, 1) != 0) return parse_maxpool_depth(context);
  auto strides = read_strides(options);
  const int default_size = options.integer("stride", 1, 1, kMaxStride);
  MaxPool layer;
  layer.blur = read_blur(options, strides);
  layer.window = read_window(context, strides, default_size);
  if (options.error()) return {layer, {}};
  const auto own = pooled(context.input, layer.window);
  if (own.count() > kMaxLayerValues) options.fail("its map before the blur of antialiasing is too large");
  const auto output = blurred(own, layer.blur);
  check_fits(context, "the blur of antialiasing", output);
  return {layer, output};
}

ParsedLayer parse_local_avgpool(ParseContext& context) {
  const auto strides = read_strides(context.options);
  const int default_size = context.options.integer("stride", 1, 1, kMaxStride);
  const LocalAvgPool layer{read_window(context, strides, default_size)};
  return {layer, pooled(context.input, layer.window)};
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

ShortcutWeights read_weights_type(OptionReader& options) {
  const auto type = options.text("weights_type", "none");
  if (type == "per_feature" || type == "per_layer") return ShortcutWeights::kPerFeature;
  if (type == "per_channel") return ShortcutWeights::kPerChannel;
  if (type != "none") {
    options.fail("weights_type",
                 "\"" + common::printable(type, 40) + "\": none, per_feature or per_channel is allowed");
  }
  return ShortcutWeights::kNone;
}

WeightsNormalization read_weights_normalization(OptionReader& options) {
  const auto type = options.text("weights_normalization", "none");
  if (type == "relu" || type == "avg_relu") return WeightsNormalization::kRelu;
  if (type == "softmax") return WeightsNormalization::kSoftmax;
  if (type != "none") {
    options.fail("weights_normalization", "\"" + common::printable(type, 40) + "\": none, relu or softmax is allowed");
  }
  return WeightsNormalization::kNone;
}

ParsedLayer parse_shortcut(ParseContext& context) {
  auto& options = context.options;
  Shortcut layer;
  layer.from = resolve_layers(context, "from");
  layer.weights = read_weights_type(options);
  layer.normalization = read_weights_normalization(options);
  layer.activation = read_activation(options, "linear");
  if (options.error()) return {layer, {}};
  const auto& input = context.input;
  for (const auto index : layer.from) {
    const Shape& shape = context.previous[index].output;
    if (shape.height == input.height && shape.width == input.width) continue;
    // This is pjreddie's rule, which his ResNets need. (AlexeyAB's program adds the values in their memory order.)
    const bool sampled = shape.height >= input.height && shape.width >= input.width &&
                         shape.height / input.height == shape.width / input.width;
    if (sampled && layer.from.size() == 1 && layer.weights == ShortcutWeights::kNone) continue;
    options.fail("from", "layer " + std::to_string(index) + " is " + std::to_string(shape.width) + " x " +
                             std::to_string(shape.height) + ", this one " + std::to_string(input.width) + " x " +
                             std::to_string(input.height));
  }
  return {layer, input};
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

ParsedLayer parse_reorg_kind(ParseContext& context, bool odd) {
  auto& options = context.options;
  Reorg layer;
  layer.odd = odd;
  layer.stride = options.integer("stride", 1, 1, kMaxStride);
  layer.reverse = options.flag("reverse", false);
  for (const auto* key : {"extra", "flatten"}) options.refuse_if_set(key);
  if (options.error()) return {layer, {}};
  const auto& input = context.input;
  const int area = layer.stride * layer.stride;
  const bool channels_divide = input.channels % area == 0;
  const bool sides_divide = input.height % layer.stride == 0 && input.width % layer.stride == 0;
  const auto refuse = [&](std::string_view what) {
    options.fail("stride", std::string(what) + " of its input of " + to_string(input));
  };
  if (!layer.reverse) {
    if (!sides_divide) refuse("does not divide the sides");
    if (odd && !channels_divide) refuse("squared does not divide the channels");
    if (std::int64_t{input.channels} * area > kMaxFilters) refuse("is too much for the channels");
    if (options.error()) return {layer, {}};
    return {layer, {input.channels * area, input.height / layer.stride, input.width / layer.stride}};
  }
  if (!channels_divide || (!odd && input.channels / area % area != 0)) refuse("does not divide the channels");
  return {layer, {input.channels / area, input.height * layer.stride, input.width * layer.stride}};
}

ParsedLayer parse_reorg(ParseContext& context) { return parse_reorg_kind(context, true); }
ParsedLayer parse_reorg3d(ParseContext& context) { return parse_reorg_kind(context, false); }

// Outside training it takes the middle of the map and does not flip, turn or recolour it.
ParsedLayer parse_crop(ParseContext& context) {
  auto& options = context.options;
  const auto& input = context.input;
  const int height = options.integer("crop_height", 1, 1, input.height);
  const int width = options.integer("crop_width", 1, 1, input.width);
  const Crop layer{options.flag("noadjust", false)};
  return {layer, {input.channels, height, width}};
}

ParsedLayer parse_activation(ParseContext& context) {
  return {ActivationLayer{read_activation(context.options, "linear")}, context.input};
}

ParsedLayer parse_pass_through(ParseContext& context) { return {PassThrough{}, context.input}; }

ParsedLayer parse_dropout(ParseContext& context) {
  return {PassThrough{context.options.number("probability", 0.2F, 0, 1)}, context.input};
}

ParsedLayer parse_scale_channels(ParseContext& context) {
  auto& options = context.options;
  Scale layer;
  layer.from = resolve_from(context);
  layer.activation = read_activation(options, "linear");
  const bool by_place = options.flag("scale_wh", false);
  if (options.error()) return {layer, {}};
  const Shape output = context.previous[layer.from].output;
  const Shape needed = by_place ? Shape{1, output.height, output.width} : Shape{output.channels, 1, 1};
  if (context.input != needed)
    options.fail("from", "its input must be " + to_string(needed) + ", and is " + to_string(context.input));
  return {layer, output};
}

ParsedLayer parse_sam(ParseContext& context) {
  auto& options = context.options;
  Scale layer;
  layer.from = resolve_from(context);
  layer.activation = read_activation(options, "linear");
  if (options.error()) return {layer, {}};
  const Shape output = context.previous[layer.from].output;
  if (context.input != output)
    options.fail("from", "its input must be " + to_string(output) + ", and is " + to_string(context.input));
  return {layer, output};
}

}  // namespace

std::string to_string(const Shape& shape) {
  return std::to_string(shape.width) + " x " + std::to_string(shape.height) + " x " + std::to_string(shape.channels);
}

LayerParser layer_parser_for(std::string_view section, Rules rules) {
  if (rules == Rules::kUltralytics) return ultralytics_parser_for(section);
  constexpr std::array<std::pair<std::string_view, LayerParser>, 32> kParsers{{
      {"convolutional", parse_convolutional},
      {"conv", parse_convolutional},
      {"batchnorm", parse_batchnorm},
      {"connected", parse_connected},
      {"conn", parse_connected},
      {"local", parse_local},
      {"maxpool", parse_maxpool},
      {"max", parse_maxpool},
      {"local_avgpool", parse_local_avgpool},
      {"local_avg", parse_local_avgpool},
      {"avgpool", parse_avgpool},
      {"avg", parse_avgpool},
      {"route", parse_route},
      {"shortcut", parse_shortcut},
      {"upsample", parse_upsample},
      {"reorg", parse_reorg},
      {"reorg3d", parse_reorg3d},
      {"crop", parse_crop},
      {"activation", parse_activation},
      {"dropout", parse_dropout},
      {"cost", parse_pass_through},
      {"contrastive", parse_pass_through},
      {"empty", parse_pass_through},
      {"silence", parse_pass_through},
      {"scale_channels", parse_scale_channels},
      {"sam", parse_sam},
      {"yolo", parse_yolo},
      {"Gaussian_yolo", parse_gaussian_yolo},
      {"region", parse_region},
      {"detection", parse_detection},
      {"softmax", parse_softmax},
      {"soft", parse_softmax},
  }};
  for (const auto& [name, parser] : kParsers) {
    if (name == section) return parser;
  }
  return nullptr;
}

std::string why_not_served(std::string_view section, Rules rules) {
  if (rules == Rules::kUltralytics) return "this layer is not in Ultralytics' yolov3, whose checkpoint this cfg is for";
  for (const std::string_view recurrent : {"rnn", "crnn", "gru", "lstm", "conv_lstm", "history"}) {
    if (section == recurrent) return "recurrent networks are not supported";
  }
  return "this layer is not supported";
}

}  // namespace yolod::model::darknet
