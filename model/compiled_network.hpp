// What a compiler (darknet/compiler.hpp) makes and torch_network.hpp runs: TorchScript source and its tensors, as plain
// values, so that making it needs no torch header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace yolod::model {

struct NetworkParameter {
  std::string name;  // `self.name` in the source
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool follows_precision{false};  // converted to bf16 or fp16 when the network runs so; else stays float
};

// What a network answers for an image.
enum class HeadKind {
  kDetections,  // candidates: [n, candidates, 5 + classes]
  kClasses,     // one probability a class: [n, classes]
};

struct CompiledNetwork {
  // One method, `def forward(self, x: Tensor) -> Tensor`. It takes [n, channels, height, width] in the network's
  // precision, channels-last, RGB, 0..1, and returns float. kDetections: [n, candidates, 5 + classes], x, y, w, h in
  // input pixels (centre and size), objectness, class scores, each after its activation and not multiplied with each
  // other. kClasses: [n, classes], after softmax; `candidates` is 1.
  std::string source;
  std::vector<NetworkParameter> parameters;
  // More of them, by name: those of the network that this one is compiled beside, the same for another input size.
  std::vector<std::string> shared_parameters;
  std::int64_t channels{0};
  std::int64_t height{0};
  std::int64_t width{0};
  std::int64_t candidates{0};
  std::int64_t classes{0};
  HeadKind head{HeadKind::kDetections};
};

}  // namespace yolod::model
