// A Darknet network with gradients: its tensors, a forward pass over them, and the way to a weights file. Includes
// LibTorch: for the few sources that learn. Networks are trainable ones (trainable_cfg.hpp).
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

// A parameter of a TrainingNetwork (model/darknet/compiler.hpp), by its name there.
struct NamedTensor {
  enum class Role { kLearned, kRunning, kConstant };  // by gradients; the mean and variance of maps; neither

  std::string name;
  at::Tensor tensor;
  Role role{Role::kConstant};
};

using NetworkTensors = std::vector<NamedTensor>;

enum class ForwardMode {
  kTraining,    // normalises by the batch, and moves the running mean and variance
  kEvaluation,  // normalises by these
};

// The server's compiler writes the network; LibTorch runs it. One thread at a time.
class TrainableNetwork {
 public:
  // Tensors with the values of `compiled`, without gradients.
  TrainableNetwork(const model::darknet::TrainingNetwork& compiled, std::vector<HeadGrid> heads);
  // The same network over other tensors.
  TrainableNetwork(const TrainableNetwork& other, NetworkTensors tensors);
  TrainableNetwork(const TrainableNetwork&) = delete;
  TrainableNetwork& operator=(const TrainableNetwork&) = delete;
  ~TrainableNetwork();

  [[nodiscard]] const NetworkTensors& tensors() const { return tensors_; }

  // `pictures` [images, 3, height, width], float, RGB, 0..1. The logits of each head, float, [images, rows, columns,
  // anchors, HeadGrid::row_length()], contiguous. Maps and products are in `map_type`, kFloat or kBFloat16; weights,
  // their gradients and what normalises stay float.
  [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& pictures, ForwardMode mode, at::ScalarType map_type);

 private:
  struct Module;

  std::string source_;
  std::vector<HeadGrid> heads_;
  NetworkTensors tensors_;
  std::unique_ptr<Module> module_;
};

// What a weights file holds of them.
[[nodiscard]] model::darknet::StoredWeights to_stored(const model::darknet::Network& network,
                                                      const NetworkTensors& tensors, std::int64_t images_seen);

}  // namespace yolod::train
