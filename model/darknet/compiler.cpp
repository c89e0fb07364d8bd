#include "model/darknet/compiler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/darknet/compile_heads.hpp"
#include "model/darknet/source_builder.hpp"

namespace yolod::model::darknet {
namespace {

// The weight of a batch's mean and variance when they update the running mean and variance of a normalisation.
constexpr double kTrainingMomentum = 0.03;

// Emits statements layer by layer. Layer i's output is the value "x<i>", a head's is "h<i>"; the interpreter frees a
// value after its last use, so the emitter does not free values. The class has a function for each kind of layer.
class Emitter {
 public:
  Emitter(const Network& network, Weights weights) : network_(network), weights_(std::move(weights)) {}

  // For a network that learns: the normalisation is not folded into the weights.
  Emitter(const Network& network, StoredWeights stored) : network_(network), trains_(true) {
    for (auto& layer : stored.layers) {
      weights_.layers.push_back({std::move(layer.biases), std::move(layer.weights)});
      normalizations_.push_back(std::move(layer.normalization));
    }
  }

  CompiledNetwork run() {
    emit_layers();
    const bool classes = network_.head == HeadKind::kClasses;
    auto compiled = source_.finish(classes ? heads_ : concatenate(heads_, 1));
    compiled.channels = network_.input.channels;
    compiled.height = network_.input.height;
    compiled.width = network_.input.width;
    compiled.candidates = candidate_count(network_);
    compiled.classes = network_.classes;
    compiled.head = network_.head;
    return compiled;
  }

  TrainingNetwork run_for_training() {
    emit_layers();
    auto compiled = source_.finish("[" + heads_ + "]", "x: Tensor, training: bool", "List[Tensor]");
    return {std::move(compiled.source), std::move(compiled.parameters)};
  }

 private:
  void emit_layers() {
    for (index_ = 0; index_ < network_.layers.size(); ++index_) {
      const auto& layer = network_.layers[index_];
      std::visit([&](const auto& kind) { emit(layer, kind); }, layer.kind);
    }
  }

  [[nodiscard]] static std::string value(std::size_t layer) { return "x" + std::to_string(layer); }
  [[nodiscard]] std::string output() const { return value(index_); }
  [[nodiscard]] std::string input() const { return index_ == 0 ? "x" : value(index_ - 1); }

  void assign(const std::string& name, const std::string& expression) { source_.assign(name, expression); }
  void activate(Activation activation) { source_.append(activation_source(activation, output())); }

  // Adds a tensor of this layer, in the network's precision.
  std::string parameter(const std::string& stem, std::vector<std::int64_t> shape, std::vector<float> values) {
    return in_precision(source_.parameter(stem + std::to_string(index_), std::move(shape), std::move(values), true));
  }
  // A parameter that learns stays float, and each use converts it to the precision of the pictures.
  [[nodiscard]] std::string in_precision(const std::string& name) const {
    return trains_ ? "torch.to(" + name + ", x)" : name;
  }

  // Adds the values of this layer's normalisation as float parameters. `biases` are added after the normalisation.
  void normalization_parameters(std::vector<float> biases) {
    auto& [scales, means, variances] = *normalizations_[index_];
    const auto add = [&](const char* stem, std::vector<float>& values) {
      const auto count = static_cast<std::int64_t>(values.size());
      source_.parameter(stem + std::to_string(index_), {count}, std::move(values), false);
    };
    add("b", biases);
    add("s", scales);
    add("m", means);
    add("v", variances);
  }
  // Used only for a network that learns; otherwise the normalisation is folded into the weights. `owner` is the
  // layer that has the parameters.
  void normalize(const std::string& map, std::size_t owner) {
    const auto number = std::to_string(owner);
    assign(output(), "torch.batch_norm(" + map + ", self.s" + number + ", self.b" + number + ", self.m" + number +
                         ", self.v" + number + ", training, " + literal(kTrainingMomentum) + ", " +
                         literal(kBatchNormEpsilon) + ", False)");
  }

  // If [yolo] has new_coords, the convolution before it applies the logistic function. A network that learns leaves
  // that function out, because a loss needs the logits.
  [[nodiscard]] Activation activation_of(const Convolutional& convolution) const {
    if (!trains_ || index_ + 1 == network_.layers.size()) return convolution.activation;
    const auto* head = std::get_if<Yolo>(&network_.layers[index_ + 1].kind);
    return head != nullptr && head->new_coords ? Activation::kLinear : convolution.activation;
  }

  void emit(const Layer& layer, const Convolutional& convolution) {
    const auto owner_index = convolution.shared_from.value_or(index_);
    const auto owner = std::to_string(owner_index);
    const bool normalizes = trains_ && std::get<Convolutional>(network_.layers[owner_index].kind).batch_normalize;
    if (!convolution.shared_from) {
      auto& weights = weights_.layers[index_];
      parameter("w",
                {convolution.filters, layer.input.channels / convolution.groups, convolution.size, convolution.size},
                std::move(weights.weights));
      if (normalizes) {
        normalization_parameters(std::move(weights.biases));
      } else {
        parameter("b", {convolution.filters}, std::move(weights.biases));
      }
    }
    const auto biases = normalizes ? std::string("None") : in_precision("self.b" + owner);
    assign(output(), "torch.conv2d(" + input() + ", " + in_precision("self.w" + owner) + ", " + biases + ", " +
                         list({convolution.stride_y, convolution.stride_x}) + ", " +
                         list({convolution.padding, convolution.padding}) + ", " +
                         list({convolution.dilation, convolution.dilation}) + ", " +
                         std::to_string(convolution.groups) + ")");
    if (normalizes) normalize(output(), owner_index);
    activate(activation_of(convolution));
    blur(convolution.blur, layer.output.channels);
  }

  void emit(const Layer& layer, const MixedConvolutional& mixed) {
    auto& weights = weights_.layers[index_];
    auto weight = weights.weights.begin();
    auto bias = weights.biases.begin();
    std::string maps;
    for (std::size_t i = 0; i < mixed.parts.size(); ++i) {
      const auto part = mixed.part(i);
      const std::vector<std::int64_t> shape{part.filters, layer.input.channels, part.size, part.size};
      const auto end = weight + static_cast<std::ptrdiff_t>(shape[0] * shape[1] * shape[2] * shape[3]);
      const auto suffix = std::to_string(i) + "_";
      const auto kernel = parameter("w" + suffix, shape, {weight, end});
      const auto biases = parameter("b" + suffix, {part.filters}, {bias, bias + part.filters});
      weight = end;
      bias += part.filters;
      const auto map = "t" + std::to_string(i);
      assign(map, "torch.conv2d(" + input() + ", " + kernel + ", " + biases + ", " +
                      list({part.stride_y, part.stride_x}) + ", " + list({part.padding, part.padding}) +
                      ", [1, 1], 1)");
      maps += (maps.empty() ? "" : ", ") + map;
    }
    assign(output(), concatenate(maps, 1));
    activate(mixed.activation);
  }

  void blur(const Blur& blur, std::int64_t channels) {
    if (blur.size == 0) return;
    const std::vector<float> once =
        blur.size == 3 ? std::vector<float>{1, 2, 1, 2, 4, 2, 1, 2, 1} : std::vector<float>{4, 4, 4, 4};  // sixteenths
    std::vector<float> kernels;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      for (const float weight : once) kernels.push_back(weight / 16);
    }
    const auto kernel = parameter("blur", {channels, 1, blur.size, blur.size}, std::move(kernels));
    const int padding = blur.size == 3 ? 1 : 0;
    assign(output(), "torch.conv2d(" + output() + ", " + kernel + ", None, " + list({blur.stride_y, blur.stride_x}) +
                         ", " + list({padding, padding}) + ", [1, 1], " + std::to_string(channels) + ")");
  }

  void emit(const Layer& layer, const BatchNormalization& /*normalization*/) {
    auto& weights = weights_.layers[index_];
    if (trains_) {
      normalization_parameters(std::move(weights.biases));
      normalize(input(), index_);
      return;
    }
    const auto factor = parameter("w", {layer.input.channels, 1, 1}, std::move(weights.weights));
    const auto bias = parameter("b", {layer.input.channels, 1, 1}, std::move(weights.biases));
    assign(output(), input() + " * " + factor + " + " + bias);
  }

  void emit(const Layer& layer, const Connected& connected) {
    auto& weights = weights_.layers[index_];
    const auto inputs = layer.input.count();
    const bool normalizes = trains_ && connected.batch_normalize;
    const auto kernel = parameter("w", {connected.outputs, inputs}, std::move(weights.weights));
    std::string bias = "None";
    if (normalizes) {
      normalization_parameters(std::move(weights.biases));
    } else {
      bias = parameter("b", {connected.outputs}, std::move(weights.biases));
    }
    assign("t", "torch.linear(" + reshape(input(), {-1, inputs}) + ", " + kernel + ", " + bias + ")");
    assign(output(), reshape("t", {-1, connected.outputs, 1, 1}));
    if (normalizes) normalize(output(), index_);
    activate(connected.activation);
  }

  // Multiplies, for each position, [filters, window] by [window, n]; the positions are the first dimension.
  void emit(const Layer& layer, const Local& local) {
    auto& weights = weights_.layers[index_];
    const std::int64_t places = static_cast<std::int64_t>(layer.output.height) * layer.output.width;
    const std::int64_t window = static_cast<std::int64_t>(layer.input.channels) * local.size * local.size;
    const auto kernels = parameter("w", {places, local.filters, window}, std::move(weights.weights));
    const auto biases =
        parameter("b", {local.filters, layer.output.height, layer.output.width}, std::move(weights.biases));
    assign("t", "torch.im2col(" + input() + ", " + list({local.size, local.size}) + ", [1, 1], " +
                    list({local.padding, local.padding}) + ", " + list({local.stride, local.stride}) + ")");
    assign("t", permute("torch.matmul(" + kernels + ", " + permute("t", {2, 1, 0}) + ")", {2, 1, 0}));
    assign(output(), reshape("t", {-1, local.filters, layer.output.height, layer.output.width}) + " + " + biases);
    activate(local.activation);
  }

  // The position of a window on its input: torch pads both sides equally, but Darknet may not.
  struct Margins {
    int before;  // above and to the left
    int below;   // how far the last window extends below the input; negative if it ends inside
    int right;
  };

  [[nodiscard]] static Margins margins(const Shape& in, const Window& window) {
    const auto out = pooled(in, window);
    const int before = window.padding / 2;
    return {before, (out.height - 1) * window.stride_y + window.size - before - in.height,
            (out.width - 1) * window.stride_x + window.size - before - in.width};
  }

  [[nodiscard]] static std::string padded(const std::string& name, const Margins& margins, const std::string& with) {
    return "torch.constant_pad_nd(" + name + ", " +
           list({margins.before, margins.right, margins.before, margins.below}) + ", " + with + ")";
  }

  void emit(const Layer& layer, const MaxPool& pool) {
    const auto& window = pool.window;
    if (pool.zero_edge) {
      assign("t", padded(input(), {0, 1, 1}, "0.0"));
      assign(output(), "torch.max_pool2d(t, " + list({window.size, window.size}) + ", [1, 1])");
      return;
    }
    const auto [before, below, right] = margins(layer.input, window);
    const auto sizes = list({window.size, window.size}) + ", " + list({window.stride_y, window.stride_x});
    // With equal padding torch makes the same number of windows only if the rest behind the last window is less than
    // a stride.
    const bool same_count = before <= window.size / 2 && below <= before && right <= before &&
                            before - below < window.stride_y && before - right < window.stride_x;
    if (same_count) {
      assign(output(), "torch.max_pool2d(" + input() + ", " + sizes + ", " + list({before, before}) + ")");
    } else {
      assign("t", padded(input(), {before, below, right}, "float(\"-inf\")"));
      assign(output(), "torch.max_pool2d(t, " + sizes + ")");
    }
    blur(pool.blur, layer.output.channels);
  }

  // Maps channel k * channels + i to channel i.
  void emit(const Layer& layer, const MaxPoolDepth& pool) {
    const auto& in = layer.input;
    assign(output(), "torch.amax(" +
                         reshape(input(), {-1, in.channels / pool.channels, pool.channels, in.height, in.width}) +
                         ", [1])");
  }

  // torch divides by the size of the window, so the result is scaled to exclude the padding.
  void emit(const Layer& layer, const LocalAvgPool& pool) {
    const auto& in = layer.input;
    const auto& window = pool.window;
    const auto margin = margins(in, window);
    const auto sizes = list({window.size, window.size}) + ", " + list({window.stride_y, window.stride_x});
    if (margin.before == 0 && margin.below <= 0 && margin.right <= 0) {
      assign(output(), "torch.avg_pool2d(" + input() + ", " + sizes + ")");
      return;
    }
    // Uses separate factors for rows and columns, because a combined table would be as large as the map.
    const auto factors = [&window, &margin](int positions, int stride, int length) {
      std::vector<float> all;
      for (int position = 0; position < positions; ++position) {
        const int first = position * stride - margin.before;
        const int held = std::min(first + window.size, length) - std::max(first, 0);
        all.push_back(static_cast<float>(window.size) / static_cast<float>(held));
      }
      return all;
    };
    const auto& out = layer.output;
    const auto rows = parameter("r", {out.height, 1}, factors(out.height, window.stride_y, in.height));
    const auto columns = parameter("c", {out.width}, factors(out.width, window.stride_x, in.width));
    assign("t", padded(input(), margin, "0.0"));
    assign(output(), "torch.avg_pool2d(t, " + sizes + ") * " + rows + " * " + columns);
  }

  void emit(const Layer& /*layer*/, const AvgPool& /*pool*/) {
    assign(output(), "torch.adaptive_avg_pool2d(" + input() + ", [1, 1])");
  }

  void emit(const Layer& /*layer*/, const Route& route) {
    std::string parts;
    for (const auto from : route.layers) {
      auto part = value(from);
      if (route.groups > 1) {
        const int channels = network_.layers[from].output.channels / route.groups;
        part = narrow(part, 1, static_cast<std::int64_t>(channels) * route.group_id, channels);
      }
      parts += (parts.empty() ? "" : ", ") + part;
    }
    assign(output(), route.layers.size() == 1 ? parts : concatenate(parts, 1));
  }

  // For a network that learns: adds all factors of a shortcut as a parameter, and assigns the normalised factors to
  // "f". weights.cpp normalises them in the same way.
  void factors(const Shortcut& shortcut) {
    auto& values = weights_.layers[index_].weights;
    const auto terms = static_cast<std::int64_t>(shortcut.from.size()) + 1;
    const auto count = static_cast<std::int64_t>(values.size()) / terms;
    const auto all = source_.parameter("w" + std::to_string(index_), {terms, count, 1, 1}, std::move(values), true);
    switch (shortcut.normalization) {
      case WeightsNormalization::kNone: assign("f", all); break;
      case WeightsNormalization::kRelu: assign("f", "torch.clamp(" + all + ", 0.001)"); break;
      case WeightsNormalization::kSoftmax: assign("f", "torch.exp(" + all + " - torch.amax(" + all + ", [0]))"); break;
      case WeightsNormalization::kSigmoid:
        assign("f", "torch.sigmoid(" + all + ") * " + literal(2 / static_cast<double>(terms)));
        break;
    }
    if (shortcut.normalization == WeightsNormalization::kRelu ||
        shortcut.normalization == WeightsNormalization::kSoftmax)
      assign("f", "f / (torch.sum(f, [0]) + 0.0001)");
    assign("f", in_precision("f"));
  }

  // The factor of a shortcut's term, from 0, this layer's input; an empty string without weights.
  std::string factor(const Shortcut& shortcut, std::size_t term) {
    if (shortcut.weights == ShortcutWeights::kNone) return {};
    if (trains_) return " * torch.select(f, 0, " + std::to_string(term) + ")";
    const auto& all = weights_.layers[index_].weights;
    const auto count = all.size() / (shortcut.from.size() + 1);
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(term * count);
    return " * " + parameter("w" + std::to_string(term) + "_", {static_cast<std::int64_t>(count), 1, 1},
                             {first, first + static_cast<std::ptrdiff_t>(count)});
  }

  // Returns the map that a shortcut adds: it samples a larger map at every (its side / this side)th position.
  [[nodiscard]] std::string sampled(std::size_t from, const Shape& shape) const {
    const auto& map = network_.layers[from].output;
    if (map.height == shape.height && map.width == shape.width) return value(from);
    const auto slice = [](const std::string& name, int dimension, int count, int step) {
      return "torch.slice(" + name + ", " + std::to_string(dimension) + ", 0, " +
             std::to_string((count - 1) * step + 1) + ", " + std::to_string(step) + ")";
    };
    return slice(slice(value(from), 2, shape.height, map.height / shape.height), 3, shape.width,
                 map.width / shape.width);
  }

  // If the channel counts differ, Darknet adds the channels that both maps have.
  void emit(const Layer& layer, const Shortcut& shortcut) {
    const int own = layer.input.channels;
    auto sum = input();
    if (trains_ && shortcut.weights != ShortcutWeights::kNone) factors(shortcut);
    if (const auto weight = factor(shortcut, 0); !weight.empty()) {
      assign(output(), sum + weight);
      sum = output();
    }
    for (std::size_t i = 0; i < shortcut.from.size(); ++i) {
      const auto from = shortcut.from[i];
      const int other = network_.layers[from].output.channels;
      const int common = std::min(own, other);
      auto weight = factor(shortcut, i + 1);
      if (common < own && shortcut.weights == ShortcutWeights::kPerChannel)
        weight = " * " + narrow(weight.substr(3), 0, 0, common);
      auto added = sampled(from, layer.output);
      if (common < other) added = narrow(added, 1, 0, common);
      if (common == own) {
        assign(output(), sum + " + " + added + weight);
      } else {
        assign(output(), concatenate(narrow(sum, 1, 0, common) + " + " + added + weight + ", " +
                                         narrow(sum, 1, common, own - common),
                                     1));
      }
      sum = output();
    }
    activate(shortcut.activation);
  }

  void emit(const Layer& layer, const Upsample& upsample) {
    assign(output(),
           "torch.upsample_nearest2d(" + input() + ", " + list({layer.output.height, layer.output.width}) + ")");
    if (upsample.scale != 1) assign(output(), output() + " * " + literal(upsample.scale));
  }

  // Channel (row * stride + column) * c + i of the small map holds channel i of the large map, at that row and column
  // of each square. [reorg] reads its map as if it had another shape with as many values.
  void emit(const Layer& layer, const Reorg& reorg) {
    const std::int64_t stride = reorg.stride;
    const auto& in = layer.input;
    const auto& out = layer.output;
    if (reorg.reverse) {
      const auto& small = reorg.odd ? in : out;
      assign("t",
             reshape(input(), {-1, stride, stride, small.channels / (stride * stride), small.height, small.width}));
      assign("t", permute("t", {0, 3, 4, 1, 5, 2}));
    } else {
      const std::int64_t channels = reorg.odd ? in.channels / (stride * stride) : in.channels;
      const std::int64_t height = reorg.odd ? in.height : in.height / stride;
      const std::int64_t width = reorg.odd ? in.width : in.width / stride;
      assign("t", reshape(input(), {-1, channels, height, stride, width, stride}));
      assign("t", permute("t", {0, 3, 5, 1, 2, 4}));
    }
    assign(output(), reshape("t", {-1, out.channels, out.height, out.width}));
  }

  void emit(const Layer& layer, const Crop& crop) {
    const int top = (layer.input.height - layer.output.height) / 2;
    const int left = (layer.input.width - layer.output.width) / 2;
    assign(output(), narrow(narrow(input(), 2, top, layer.output.height), 3, left, layer.output.width));
    if (!crop.keeps_values) assign(output(), output() + " * 2.0 - 1.0");
  }

  // Works on a copy, because some activations work in place and other layers may read the input.
  void emit(const Layer& /*layer*/, const ActivationLayer& layer) {
    assign(output(), "torch.clone(" + input() + ")");
    activate(layer.activation);
  }

  void emit(const Layer& layer, const PassThrough& pass_through) {
    if (!layer.readable) return;
    const bool drops = trains_ && pass_through.dropout > 0;
    assign(output(), drops ? "torch.dropout(" + input() + ", " + literal(static_cast<double>(pass_through.dropout)) +
                                 ", training)"
                           : input());
  }

  void emit(const Layer& /*layer*/, const Scale& scale) {
    assign(output(), value(scale.from) + " * " + input());
    activate(scale.activation);
  }

  template <typename Head>
  void emit_head(const Layer& layer, const Head& kind) {
    const auto head = "h" + std::to_string(index_);
    if (trains_) {
      assign(head, to_float(input()));
    } else {
      compile_head(source_, head, input(), index_, layer, kind, network_.input);
    }
    heads_ += (heads_.empty() ? "" : ", ") + head;
  }
  void emit(const Layer& layer, const Yolo& yolo) { emit_head(layer, yolo); }
  void emit(const Layer& layer, const Detection& detection) { emit_head(layer, detection); }
  void emit(const Layer& layer, const Softmax& softmax) { emit_head(layer, softmax); }

  const Network& network_;
  Weights weights_;
  const bool trains_{false};
  std::vector<std::optional<BatchNormalizationValues>> normalizations_;  // by layer index; in training alone
  std::size_t index_{0};
  SourceBuilder source_;
  std::string heads_;  // the values of the heads, separated by commas
};

}  // namespace

CompiledNetwork compile(const Network& network, Weights weights) { return Emitter(network, std::move(weights)).run(); }

TrainingNetwork compile_for_training(const Network& network, StoredWeights weights) {
  return Emitter(network, std::move(weights)).run_for_training();
}

}  // namespace yolod::model::darknet
