#include "model/checkpoint/to_darknet.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/checkpoint/network_weights.hpp"

namespace yolod::model::checkpoint {
namespace {

using common::Outcome;
using darknet::Layer;
using darknet::ShortcutWeights;

// Returns why `ours` cannot compute the same as `theirs`, whatever its weights, or an empty text if it can. Both
// programs read the kinds without an overload in the same way.
std::string difference(const Layer& /*theirs*/, const darknet::MixedConvolutional& /*kind*/, const Layer& /*ours*/) {
  return "Darknet has no convolution of several sizes";
}

std::string difference(const Layer& /*theirs*/, const darknet::BatchNormalization& /*kind*/, const Layer& /*ours*/) {
  return "Darknet has no such section";
}

std::string difference(const Layer& theirs, const darknet::MaxPool& kind, const Layer& ours) {
  if (kind.zero_edge) return "Ultralytics' yolov3 pads it with zeros, which may win; in Darknet padding never does";
  const auto* pool = std::get_if<darknet::MaxPool>(&ours.kind);
  const bool same = pool != nullptr && pool->blur.size == 0 && pool->window.size == kind.window.size &&
                    pool->window.stride_x == kind.window.stride_x && pool->window.stride_y == kind.window.stride_y &&
                    // The padding before the map is equal; behind it there are as many positions as the output needs.
                    pool->window.padding / 2 == kind.window.padding / 2 && ours.output == theirs.output;
  return same ? "" : "its windows lie elsewhere in Darknet than in Ultralytics' yolov3";
}

std::string difference(const Layer& /*theirs*/, const darknet::PassThrough& /*kind*/, const Layer& ours) {
  if (std::holds_alternative<darknet::PassThrough>(ours.kind)) return {};
  return "it has no effect in Ultralytics' yolov3, but an effect in Darknet";
}

std::string difference(const Layer& /*theirs*/, const darknet::Shortcut& kind, const Layer& ours) {
  const auto& shortcut = std::get<darknet::Shortcut>(ours.kind);
  if (shortcut.activation != kind.activation) return "activation: Ultralytics' yolov3 ignores it";
  if (kind.weights == ShortcutWeights::kNone) return {};
  if (shortcut.weights == ShortcutWeights::kNone) return "weights_type: Ultralytics' yolov3 has factors, Darknet none";
  if (shortcut.normalization != darknet::WeightsNormalization::kNone)
    return "weights_normalization: Darknet would normalise the factors, Ultralytics' yolov3 does not";
  return {};
}

std::string difference(const Layer& /*theirs*/, const darknet::Yolo& kind, const Layer& ours) {
  const auto& yolo = std::get<darknet::Yolo>(ours.kind);
  if (yolo.scale_x_y != kind.scale_x_y) return "scale_x_y: Ultralytics' yolov3 ignores it";
  if (yolo.new_coords != kind.new_coords) return "new_coords: Ultralytics' yolov3 ignores it";
  return {};
}

template <typename Kind>
std::string difference(const Layer& /*theirs*/, const Kind& /*kind*/, const Layer& /*ours*/) {
  return {};
}

// Returns 2 / n * sigmoid(w) for each of n weights, repeated for each channel if Darknet needs that.
std::vector<float> factors(const Layer& theirs, const Layer& ours, darknet::StoredLayer values) {
  auto each = darknet::fold(theirs, std::move(values), kBatchNormEpsilon).weights;
  if (std::get<darknet::Shortcut>(ours.kind).weights != ShortcutWeights::kPerChannel) return each;
  std::vector<float> all;
  for (const float factor : each) all.insert(all.end(), static_cast<std::size_t>(ours.output.channels), factor);
  return all;
}

}  // namespace

Outcome<darknet::StoredWeights> to_darknet(const darknet::Network& theirs, const darknet::Network& ours,
                                           darknet::StoredWeights weights) {
  for (std::size_t i = 0; i < theirs.layers.size(); ++i) {
    const auto& layer = theirs.layers[i];
    const auto& our = ours.layers[i];
    if (const auto why = std::visit([&](const auto& kind) { return difference(layer, kind, our); }, layer.kind);
        !why.empty()) {
      return bad_model(theirs.source_name + ":" + std::to_string(layer.line) + ": [" +
                       common::printable(layer.section, 40) + "]: no weights file can represent it: " + why);
    }
    auto& values = weights.layers[i];
    if (std::holds_alternative<darknet::Shortcut>(layer.kind)) values.weights = factors(layer, our, std::move(values));
    if (!values.normalization) continue;
    // With this change sqrt(variance + epsilon) stays the same.
    for (float& variance : values.normalization->variances)
      variance = static_cast<float>(variance + (kBatchNormEpsilon - darknet::kBatchNormEpsilon));
  }
  return weights;
}

}  // namespace yolod::model::checkpoint
