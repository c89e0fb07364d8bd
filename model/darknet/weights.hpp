// Reads a Darknet .weights file and checks that it has exactly the values of a network.
//
// The format follows AlexeyAB/darknet's load_weights_upto(): int32 major, minor, revision; the number of images seen
// in training (64 bits from version 0.2, 32 bits before); then float32, little-endian, layer by layer:
//
//   convolutional  biases; with batch normalisation scales, means, variances; weights [filters, channels / groups,
//                  size, size], or with `flipped` the transpose
//   connected      biases; weights [outputs, inputs]; with batch normalisation scales, means, variances
//   batchnorm      biases, scales, means, variances
//   local          biases [filters, height, width]; weights [height, width, filters, channels, size, size]
//   shortcut       with `weights_type` the factors: of the input, then of each layer of `from`
//
// A major or minor version above 1000 means that the weights of connected layers are transposed: [inputs, outputs].
// In such files pjreddie's program writes the number of images with 32 bits, and AlexeyAB's with 64. This reader
// accepts both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

// A layer as it runs: with folded batch normalisation and without transposes.
struct LayerWeights {
  std::vector<float> biases;   // for a batchnorm: the term that is added
  std::vector<float> weights;  // for a batchnorm or a shortcut: the normalised factors
};

struct Weights {
  // The index is the layer's; the entry of a layer without weights is empty.
  std::vector<LayerWeights> layers;
};

// The values that normalise a layer's outputs: (x - mean) / sqrt(variance + epsilon) * scale, plus the bias.
struct BatchNormalizationValues {
  std::vector<float> scales;
  std::vector<float> means;
  std::vector<float> variances;
};

// A layer as in its file, without transposes.
struct StoredLayer {
  std::vector<float> biases;
  std::optional<BatchNormalizationValues> normalization;
  std::vector<float> weights;  // for a shortcut: the factors, not normalised
};

struct StoredWeights {
  std::int64_t seen{0};             // images seen in training
  std::vector<StoredLayer> layers;  // indexed by layer
};

// The epsilon of Darknet's batch normalisation.
inline constexpr double kBatchNormEpsilon = 1e-5;

// Returns the layer as it runs.
[[nodiscard]] LayerWeights fold(const Layer& layer, StoredLayer values, double epsilon);

// Returns all layers as they run. An Error (kBadModel) names the first layer with a weight that is not finite; it
// does not name the file. May throw std::bad_alloc.
[[nodiscard]] common::Outcome<Weights> fold(const Network& network, StoredWeights stored, double epsilon);

// Returns zeros, as many as the layer needs.
[[nodiscard]] StoredLayer empty_values(const Layer& layer);

// Returns the lists of `values` in the order of a weights file.
[[nodiscard]] std::vector<std::vector<float>*> in_file_order(const Layer& layer, StoredLayer& values);

// Transposes [rows, columns] to [columns, rows].
void transpose(std::vector<float>& values, std::size_t rows);

// Reads `file` for `network`. REQUIRES: the network follows Darknet's rules, because such a file cannot hold values
// that only Ultralytics' program has. The file must have exactly the values that the network needs: an Error
// (kBadModel) says by how many bytes it is too short or too long. If the file ends at the end of a layer, the Error
// says that it is a partial file for the start of a training (`yolov4.conv.137`).
[[nodiscard]] common::Outcome<StoredWeights> read_stored_weights(const std::filesystem::path& file,
                                                                 const Network& network);

// Reads `file` as read_stored_weights() does, as the start of a training. This function also accepts a file that
// ends at the end of a layer; the later layers then stay empty.
[[nodiscard]] common::Outcome<StoredWeights> read_first_weights(const std::filesystem::path& file,
                                                                const Network& network);

// Reads `file` as read_stored_weights() does, and returns the layers as they run. An Error also says which layer has
// a weight that is not a finite number.
[[nodiscard]] common::Outcome<Weights> read_weights(const std::filesystem::path& file, const Network& network);

// Returns a text that names the layer and its place in the cfg if one of its weights is not finite; otherwise an
// empty text.
[[nodiscard]] std::string not_finite(const Network& network, std::size_t index, const LayerWeights& weights);

// Returns how many float32 values the layer, or the whole network, needs from a weights file.
[[nodiscard]] std::int64_t weight_count(const Layer& layer);
[[nodiscard]] std::int64_t weight_count(const Network& network);

}  // namespace yolod::model::darknet
