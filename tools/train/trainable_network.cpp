#include "tools/train/trainable_network.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

namespace yolod::train {
namespace {

using namespace model::darknet;

// How far the running mean and variance go to those of a batch.
constexpr double kMomentum = 0.03;

at::Tensor activate(at::Tensor x, Activation activation) {
  constexpr double kLeakySlope = 0.1;  // Darknet's
  switch (activation) {
    // In place: what comes before it, a normalisation or a convolution, does not need its own output for its gradient.
    case Activation::kLeaky: return at::leaky_relu_(x, kLeakySlope);
    case Activation::kRelu: return at::relu_(x);
    case Activation::kSwish: return at::silu(x);
    case Activation::kMish: return at::mish(x.to(at::kFloat)).to(x.scalar_type());  // LibTorch 1.13 has none in bf16
    case Activation::kLogistic: return at::sigmoid(x);
    default: return x;  // linear: parse_trainable_cfg() lets no other pass
  }
}

// The layer whose map a head reads is a convolution: its biases say what the head expects at first.
bool feeds_head(const Network& network, std::size_t index) {
  return index + 1 < network.layers.size() && std::holds_alternative<Yolo>(network.layers[index + 1].kind);
}

float prior_bias(double probability) { return static_cast<float>(-std::log((1 - probability) / probability)); }

at::Tensor head_biases(const Yolo& yolo) {
  constexpr double kObjectPrior = 0.01;
  auto biases = at::zeros({static_cast<std::int64_t>(yolo.anchors.size()), yolo.row_length()});
  biases.select(1, 4).fill_(prior_bias(kObjectPrior));
  if (yolo.classes > 1) biases.narrow(1, 5, yolo.classes).fill_(prior_bias(1.0 / yolo.classes));
  return biases.flatten().contiguous();
}

LayerTensors initial_convolution(const Network& network, std::size_t index, const at::Generator& generator) {
  constexpr double kLeakyGain = 2 / (1 + 0.1 * 0.1);
  constexpr double kHeadSpread = 0.01;
  const auto& layer = network.layers[index];
  const auto& kind = std::get<Convolutional>(layer.kind);
  const std::int64_t inputs = layer.input.channels / kind.groups;
  const double fan_in = static_cast<double>(inputs * kind.size * kind.size);
  const bool before_head = feeds_head(network, index);
  LayerTensors tensors;
  tensors.weight = at::randn({kind.filters, inputs, kind.size, kind.size}, generator)
                       .mul_(before_head ? kHeadSpread : std::sqrt(kLeakyGain / fan_in))
                       .contiguous(at::MemoryFormat::ChannelsLast);
  tensors.bias = before_head ? head_biases(std::get<Yolo>(network.layers[index + 1].kind)) : at::zeros({kind.filters});
  if (kind.batch_normalize) {
    tensors.scale = at::ones({kind.filters});
    tensors.mean = at::zeros({kind.filters});
    tensors.variance = at::ones({kind.filters});
  }
  return tensors;
}

// One layer after the other over the maps so far.
class ForwardPass {
 public:
  ForwardPass(const Network& network, const NetworkTensors& tensors, const at::Tensor& pictures, ForwardMode mode,
              at::ScalarType map_type)
      : network_(network),
        tensors_(tensors),
        pictures_(pictures.to(map_type)),
        training_(mode == ForwardMode::kTraining),
        map_type_(map_type) {}

  std::vector<at::Tensor> run() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const auto& layer = network_.layers[i];
      maps_.push_back(std::visit([&](const auto& kind) { return apply(layer, kind, i); }, layer.kind));
    }
    return std::move(heads_);
  }

 private:
  [[nodiscard]] const at::Tensor& input(std::size_t index) const { return index == 0 ? pictures_ : maps_[index - 1]; }

  at::Tensor apply(const Layer& /*layer*/, const Convolutional& kind, std::size_t index) {
    const auto& own = tensors_[index];
    const auto bias = kind.batch_normalize ? at::Tensor() : own.bias.to(map_type_);
    auto x = at::conv2d(input(index), own.weight.to(map_type_), bias, {kind.stride_y, kind.stride_x},
                        {kind.padding, kind.padding}, {kind.dilation, kind.dilation}, kind.groups);
    if (kind.batch_normalize)
      x = at::batch_norm(x, own.scale, own.bias, own.mean, own.variance, training_, kMomentum, kBatchNormEpsilon,
                         false);
    return activate(std::move(x), kind.activation);
  }

  // Darknet pads before and behind apart (padding / 2 before), torch both sides alike.
  at::Tensor apply(const Layer& layer, const MaxPool& kind, std::size_t index) {
    const auto& window = kind.window;
    const int before = window.padding / 2;
    const int below = (layer.output.height - 1) * window.stride_y + window.size - before - layer.input.height;
    const int right = (layer.output.width - 1) * window.stride_x + window.size - before - layer.input.width;
    const std::array<std::int64_t, 2> size{window.size, window.size};
    const std::array<std::int64_t, 2> stride{window.stride_y, window.stride_x};
    if (before == below && before == right) return at::max_pool2d(input(index), size, stride, {before, before});
    const auto padded =
        at::constant_pad_nd(input(index), {before, right, before, below}, -std::numeric_limits<double>::infinity());
    return at::max_pool2d(padded, size, stride);
  }

  at::Tensor apply(const Layer& /*layer*/, const Route& kind, std::size_t /*index*/) {
    std::vector<at::Tensor> parts;
    for (const auto from : kind.layers) {
      const auto channels = maps_[from].size(1) / kind.groups;
      parts.push_back(kind.groups == 1 ? maps_[from] : maps_[from].narrow(1, channels * kind.group_id, channels));
    }
    if (parts.size() > 1) return at::cat(parts, 1);
    // A part of a map is copied: as a view of it, it could not be activated in place.
    return kind.groups == 1 ? parts.front() : parts.front().contiguous(at::MemoryFormat::ChannelsLast);
  }

  at::Tensor apply(const Layer& /*layer*/, const Shortcut& kind, std::size_t index) {
    auto sum = input(index);
    for (const auto from : kind.from) sum = sum + maps_[from];
    return activate(std::move(sum), kind.activation);
  }

  at::Tensor apply(const Layer& layer, const Upsample& /*kind*/, std::size_t index) {
    return at::upsample_nearest2d(input(index), {layer.output.height, layer.output.width});
  }

  at::Tensor apply(const Layer& layer, const Yolo& kind, std::size_t index) {
    heads_.push_back(input(index)
                         .to(at::kFloat)
                         .permute({0, 2, 3, 1})
                         .contiguous()
                         .view({-1, layer.output.height, layer.output.width,
                                static_cast<std::int64_t>(kind.anchors.size()), kind.row_length()}));
    return {};
  }

  template <typename Kind>
  at::Tensor apply(const Layer& /*layer*/, const Kind& /*kind*/, std::size_t /*index*/) {
    return {};  // parse_trainable_cfg() lets none pass
  }

  const Network& network_;
  const NetworkTensors& tensors_;
  const at::Tensor pictures_;
  const bool training_;
  const at::ScalarType map_type_;
  std::vector<at::Tensor> maps_;
  std::vector<at::Tensor> heads_;
};

std::vector<float> values_of(const at::Tensor& tensor) {
  const auto plain = tensor.detach().contiguous();
  const auto* values = plain.data_ptr<float>();
  return {values, values + plain.numel()};
}

}  // namespace

std::vector<NamedTensor> named(const NetworkTensors& tensors) {
  std::vector<NamedTensor> all;
  const auto add = [&all](const char* stem, std::size_t index, const at::Tensor& tensor, bool learned) {
    if (tensor.defined()) all.push_back({stem + std::to_string(index), tensor, learned});
  };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    add("weight", i, tensors[i].weight, true);
    add("bias", i, tensors[i].bias, true);
    add("scale", i, tensors[i].scale, true);
    add("mean", i, tensors[i].mean, false);
    add("variance", i, tensors[i].variance, false);
  }
  return all;
}

NetworkTensors initial_tensors(const Network& network, std::uint64_t seed) {
  const auto generator = at::detail::createCPUGenerator(seed);
  NetworkTensors tensors(network.layers.size());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (std::holds_alternative<Convolutional>(network.layers[i].kind))
      tensors[i] = initial_convolution(network, i, generator);
  }
  return tensors;
}

NetworkTensors copy_of(const NetworkTensors& tensors) {
  NetworkTensors copies;
  const auto copy = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.detach().clone() : at::Tensor(); };
  for (const auto& layer : tensors)
    copies.push_back({copy(layer.weight), copy(layer.bias), copy(layer.scale), copy(layer.mean), copy(layer.variance)});
  return copies;
}

std::vector<at::Tensor> forward(const Network& network, const NetworkTensors& tensors, const at::Tensor& pictures,
                                ForwardMode mode, at::ScalarType map_type) {
  return ForwardPass(network, tensors, pictures, mode, map_type).run();
}

StoredWeights to_stored(const Network& network, const NetworkTensors& tensors, std::int64_t images_seen) {
  StoredWeights stored;
  stored.seen = images_seen;
  stored.layers.resize(network.layers.size());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& own = tensors[i];
    if (!own.weight.defined()) continue;
    auto& layer = stored.layers[i];
    layer.biases = values_of(own.bias);
    layer.weights = values_of(own.weight);
    if (own.scale.defined())
      layer.normalization =
          BatchNormalizationValues{values_of(own.scale), values_of(own.mean), values_of(own.variance)};
  }
  return stored;
}

}  // namespace yolod::train
