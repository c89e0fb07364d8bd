// A Darknet .weights file: what it must hold for a network, and reading it.
//
// The format, after AlexeyAB/darknet's load_weights_upto(): int32 major, minor, revision; the images seen in training
// (64 bits from version 0.2 on, 32 before); then float32, little-endian, layer by layer:
//   convolutional  biases; with batch normalisation scales, means, variances; weights [filters, channels / groups,
//   size,
//                  size], or with `flipped` the transpose
//   connected      biases; weights [outputs, inputs]; with batch normalisation scales, means, variances
//   batchnorm      biases, scales, means, variances
//   local          biases [filters, height, width]; weights [height, width, filters, channels, size, size]
//   shortcut       with `weights_type` the factors: of the input, then of each layer of `from`
// A major or minor version above 1000 says that connected layers' weights are transposed: [inputs, outputs]. In
// pjreddie's program, which wrote such files, the images seen have 32 bits then; in AlexeyAB's 64. Either is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

// A layer as it is run: batch normalisation folded in, transposes undone.
struct LayerWeights {
  std::vector<float> biases;   // of a batchnorm: what is added
  std::vector<float> weights;  // of a batchnorm or a shortcut: the factors, normalised
};

struct Weights {
  // By layer index; empty for layers that have none.
  std::vector<LayerWeights> layers;
};

// What normalises the outputs of a layer: (x - mean) / sqrt(variance + epsilon) * scale, and then the bias.
struct BatchNormalizationValues {
  std::vector<float> scales;
  std::vector<float> means;
  std::vector<float> variances;
};

// A layer as its file has it, transposes undone.
struct StoredLayer {
  std::vector<float> biases;
  std::optional<BatchNormalizationValues> normalization;
  std::vector<float> weights;  // of a shortcut the factors, not normalised
};

struct StoredWeights {
  std::int64_t seen{0};             // images, in training
  std::vector<StoredLayer> layers;  // by layer index
};

// Of Darknet's batch normalisation.
inline constexpr double kBatchNormEpsilon = 1e-5;

// The layer as it is run.
[[nodiscard]] LayerWeights fold(const Layer& layer, StoredLayer values, double epsilon);

// All layers as they are run. An Error (kBadModel) says which has a weight that is not a finite number then; the caller
// knows where they come from. Throws std::bad_alloc.
[[nodiscard]] common::Outcome<Weights> fold(const Network& network, StoredWeights stored, double epsilon);

// Zeros, as many as the layer takes.
[[nodiscard]] StoredLayer empty_values(const Layer& layer);

// The lists of `values` in the order of a weights file.
[[nodiscard]] std::vector<std::vector<float>*> in_file_order(const Layer& layer, StoredLayer& values);

// [rows, columns] to [columns, rows].
void transpose(std::vector<float>& values, std::size_t rows);

// Reads `file` for `network`, which must be one of Darknet's rules: what Ultralytics' program alone has, no such file
// can hold. The file must hold exactly what the network needs: an Error (kBadModel) says by how many bytes it is too
// short or too long, and if it ends where a layer does: then it is the start of a file, as training begins with
// (`yolov4.conv.137`).
[[nodiscard]] common::Outcome<StoredWeights> read_stored_weights(const std::filesystem::path& file,
                                                                 const Network& network);

// The same, as it is run. An Error also says which layer has a weight that is not a finite number.
[[nodiscard]] common::Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network);

// Which layer, if any, has a weight that is not a finite number as it is run, and where in the cfg; an empty string if
// `weights` are.
[[nodiscard]] std::string not_finite(const Network& network, std::size_t index, const LayerWeights& weights);

// Float32 values that the layer, or all of the network's, take from a weights file.
[[nodiscard]] std::int64_t weight_count(const Layer& layer);
[[nodiscard]] std::int64_t weight_count(const Network& network);

}  // namespace yolod::model::darknet
