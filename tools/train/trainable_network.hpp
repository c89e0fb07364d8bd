// TrainableNetwork is a Darknet network with gradients: its tensors, its forward pass, and the conversion of its
// weights for a file. The network must be trainable (trainable_cfg.hpp). Includes LibTorch, so only the few sources
// that learn include it.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/darknet/compiler.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "tools/train/head_grid.hpp"

namespace yolod::train {

// A parameter of a TrainingNetwork (model/darknet/compiler.hpp), with the name that it has there.
struct NamedTensor {
  // Learned by gradients; a running mean or variance of maps; neither.
  enum class Role { kLearned, kRunning, kConstant };

  std::string name;
  at::Tensor tensor;
  Role role{Role::kConstant};
};

using NetworkTensors = std::vector<NamedTensor>;

enum class ForwardMode {
  kTraining,    // normalises by the batch, and updates the running mean and variance
  kEvaluation,  // normalises by the running mean and variance
};

// The server's compiler writes the network as TorchScript, and LibTorch runs it. One thread at a time may use it.
class TrainableNetwork {
 public:
  // Makes tensors with the values of `compiled`, without gradients.
  TrainableNetwork(const model::darknet::TrainingNetwork& compiled, std::vector<HeadGrid> heads);
  // Makes the same network with other tensors.
  TrainableNetwork(const TrainableNetwork& other, NetworkTensors tensors);
  TrainableNetwork(const TrainableNetwork&) = delete;
  TrainableNetwork& operator=(const TrainableNetwork&) = delete;
  ~TrainableNetwork();

  [[nodiscard]] const NetworkTensors& tensors() const { return tensors_; }

  // `pictures` is [images, 3, height, width], float, RGB, 0..1. Returns the logits of each head: float, [images,
  // rows, columns, anchors, HeadGrid::row_length()], contiguous. Maps and products have the type `map_type`, kFloat
  // or kBFloat16. Weights, their gradients and the values for normalisation stay float. Throws LibTorch's
  // exceptions.
  [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& pictures, ForwardMode mode, at::ScalarType map_type);

 private:
  struct Module;

  std::string source_;
  std::vector<HeadGrid> heads_;
  NetworkTensors tensors_;
  std::unique_ptr<Module> module_;
};

// Returns the values for a weights file.
[[nodiscard]] model::darknet::StoredWeights to_stored(const model::darknet::Network& network,
                                                      const NetworkTensors& tensors, std::int64_t images_seen);

}  // namespace yolod::train
