#include "model/darknet/operations.hpp"

namespace yolod::model::darknet {
namespace {

// Returns products in double, which can represent them for every network that can be built.
double area(const Window& window) { return static_cast<double>(window.size) * window.size; }

// Darknet does not count the blur. The blur follows the layer, so the layer's own output is larger.
double count(const Layer& layer, const Convolutional& kind) {
  const int depth = layer.input.channels / kind.groups;
  return 2.0 * static_cast<double>(convolved(layer.input, kind).count()) * depth * kind.size * kind.size;
}

double count(const Layer& layer, const MixedConvolutional& kind) {
  double sum = 0;
  for (std::size_t i = 0; i < kind.parts.size(); ++i) sum += count(layer, kind.part(i));
  return sum;
}

double count(const Layer& layer, const MaxPool& kind) {
  return static_cast<double>(pooled(layer.input, kind.window).count()) * area(kind.window);
}

double count(const Layer& layer, const MaxPoolDepth& /*kind*/) { return static_cast<double>(layer.input.count()); }

double count(const Layer& layer, const LocalAvgPool& kind) {
  return static_cast<double>(layer.output.count()) * area(kind.window);
}

double count(const Layer& layer, const Shortcut& kind) {
  const double additions = static_cast<double>(layer.output.count()) * static_cast<double>(kind.from.size());
  return kind.weights == ShortcutWeights::kNone ? additions : 2 * additions;
}

template <typename Kind>
double count(const Layer& /*layer*/, const Kind& /*kind*/) {
  return 0;
}

}  // namespace

double bflops(const Layer& layer) {
  return std::visit([&layer](const auto& kind) { return count(layer, kind); }, layer.kind) / 1e9;
}

double bflops(const Network& network) {
  double sum = 0;
  for (const auto& layer : network.layers) sum += bflops(layer);
  return sum;
}

}  // namespace yolod::model::darknet
