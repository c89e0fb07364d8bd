// Holds the result of a compiler (darknet/compiler.hpp), which torch_network.hpp runs: TorchScript source and its
// tensors as plain values. A compiler therefore needs no torch header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace yolod::model {

struct NetworkParameter {
  std::string name;  // `self.name` in the source
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  // true: the tensor takes the network's precision (bf16 or fp16); false: it stays float
  bool follows_precision{false};
};

// The kind of answer that a network gives for an image.
enum class HeadKind {
  kDetections,  // candidates: [n, candidates, 5 + classes]
  kClasses,     // one probability per class: [n, classes]
};

struct CompiledNetwork {
  // The source of `def forward(self, x: Tensor) -> Tensor`. It takes [n, channels, height, width] in the network's
  // precision, channels-last, RGB, 0..1, and returns float.
  //
  // For kDetections it returns [n, candidates, 5 + classes]: x, y, w, h in input pixels (centre and size),
  // objectness, class scores. Each is after its activation; scores are not multiplied by the objectness. For kClasses
  // it returns [n, classes], after softmax, and `candidates` is 1.
  std::string source;
  std::vector<NetworkParameter> parameters;
  // Names of parameters that belong to another network: this network is a copy of it, compiled for another input
  // size.
  std::vector<std::string> shared_parameters;
  std::int64_t channels{0};
  std::int64_t height{0};
  std::int64_t width{0};
  std::int64_t candidates{0};
  std::int64_t classes{0};
  HeadKind head{HeadKind::kDetections};
};

}  // namespace yolod::model
