#include "model/darknet/write_weights.hpp"

#include <array>
#include <cstdint>
#include <variant>

#include "common/system/unfinished_file.hpp"

namespace yolod::model::darknet {

common::Outcome<void> write_weights(const std::filesystem::path& file, const Network& network, StoredWeights weights) {
  common::UnfinishedFile unfinished(file);
  constexpr std::array<std::int32_t, 3> kVersion{0, 2, 5};
  unfinished.write(kVersion.data(), sizeof kVersion);
  unfinished.write(&weights.seen, sizeof weights.seen);
  for (std::size_t i = 0; i < network.layers.size() && !unfinished.failed(); ++i) {
    const auto& layer = network.layers[i];
    auto& values = weights.layers[i];
    const auto* convolution = std::get_if<Convolutional>(&layer.kind);
    if (convolution != nullptr && convolution->flipped && !values.biases.empty())
      transpose(values.weights, values.biases.size());
    for (const auto* list : in_file_order(layer, values)) unfinished.write(list->data(), list->size() * sizeof(float));
  }
  return unfinished.finish();
}

}  // namespace yolod::model::darknet
