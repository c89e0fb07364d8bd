// A network that looks at pictures, loaded: floats in, floats out. What Darknet's networks (torch_network.hpp) and
// TorchScript files (torchscript/script_network.hpp) have in common.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

struct NetworkShape {
  std::size_t channels{0};
  std::size_t height{0};
  std::size_t width{0};
  std::size_t candidates{0};  // of a detector; else 0
  std::size_t classes{0};     // of a detector or classifier; 0 where the output does not tell

  [[nodiscard]] std::size_t input_count() const { return channels * height * width; }
  [[nodiscard]] std::size_t row_length() const { return candidates == 0 ? classes : 5 + classes; }
};

// A network's output: the first of its sides counts the images. Valid until the network's next forward() or its end.
struct RawHead {
  std::span<const float> values;
  std::vector<std::size_t> sides;

  [[nodiscard]] std::size_t images() const { return sides.front(); }
  [[nodiscard]] std::size_t values_per_image() const { return values.size() / images(); }
  [[nodiscard]] std::span<const float> image(std::size_t index) const {
    return values.subspan(index * values_per_image(), values_per_image());
  }
};

// Owned by one model; used by one thread at a time. Library exceptions end inside: a failed forward pass is kInternal.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  [[nodiscard]] virtual const NetworkShape& shape() const = 0;
  [[nodiscard]] virtual common::Precision precision() const = 0;

  // Room for `images` inputs, [images, height, width, channels] float: interleaved, as the fast convolutions want it.
  // The contents are unspecified; fill them, then call forward(). Valid until the next input().
  [[nodiscard]] virtual common::Outcome<std::span<float>> input(std::size_t images) = 0;

  // Runs what input() was filled with.
  [[nodiscard]] virtual common::Outcome<RawHead> forward() = 0;
};

}  // namespace yolod::model
