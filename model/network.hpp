// The interface of a loaded network that processes pictures: floats in, floats out. Darknet networks
// (torch_network.hpp) and TorchScript files (torchscript/script_network.hpp) implement it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

struct NetworkShape {
  std::size_t channels{0};
  std::size_t height{0};
  std::size_t width{0};
  std::size_t candidates{0};  // of a detector, otherwise 0
  std::size_t classes{0};     // of a detector or classifier; 0 if the output does not tell

  [[nodiscard]] std::size_t input_count() const { return channels * height * width; }
  [[nodiscard]] std::size_t row_length() const { return candidates == 0 ? classes : 5 + classes; }
};

// Returns why a network with that many channels cannot process pictures, or an empty text if it can.
[[nodiscard]] inline std::string why_no_pictures(std::size_t channels) {
  if (channels == 1 || channels == 3) return {};
  return "the network takes " + std::to_string(channels) +
         " channels; networks for pictures take 3, or 1 for grey pictures";
}

// A network's output; the first side is the number of images. It is valid until the network's next forward() or its
// destruction.
struct RawHead {
  std::span<const float> values;
  std::vector<std::size_t> sides;  // with `offsets`: the first side only
  // Set if candidates were left out, so that images have different numbers of them: the index of each image's first
  // value, and the end.
  std::vector<std::size_t> offsets;

  [[nodiscard]] std::size_t images() const { return sides.front(); }
  [[nodiscard]] std::span<const float> image(std::size_t index) const {
    if (!offsets.empty()) return values.subspan(offsets[index], offsets[index + 1] - offsets[index]);
    const std::size_t per_image = values.size() / images();
    return values.subspan(index * per_image, per_image);
  }
};

// A buffer for a batch's input: [images, height, width, channels] float. The channels are interleaved, as fast
// convolutions need them, and the memory is fast to read for the network's device. The initial content is
// unspecified. One thread at a time may use it.
class NetworkInput {
 public:
  NetworkInput() = default;
  NetworkInput(const NetworkInput&) = delete;
  NetworkInput& operator=(const NetworkInput&) = delete;
  virtual ~NetworkInput() = default;

  // Returns the values of all images for which the buffer was made.
  [[nodiscard]] virtual std::span<float> values() = 0;
};

// One model owns it, and one thread at a time uses it, except for new_input(). It catches exceptions of libraries: a
// failed forward pass returns kInternal.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  [[nodiscard]] virtual const NetworkShape& shape() const = 0;
  [[nodiscard]] virtual common::Precision precision() const = 0;
  // Returns "cpu" or "cuda:0".
  [[nodiscard]] virtual const std::string& device() const = 0;

  // Any thread may call it, also while another thread is in forward(). The input may outlive the network.
  [[nodiscard]] virtual common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) = 0;

  // Runs the first `images` of an input that the caller has filled. `confidence` is a detector's threshold for each
  // image: the result may omit candidates that are not above it. If it is empty, the result has all candidates.
  [[nodiscard]] virtual common::Outcome<RawHead> forward(NetworkInput& input, std::size_t images,
                                                         std::span<const float> confidence) = 0;

  // Optimises further forward passes of this size, after the first one; that takes as long as several passes. Call it
  // before clients wait, and while no other thread is in new_input().
  virtual void prepare(NetworkInput& /*input*/, std::size_t /*images*/) {}
};

}  // namespace yolod::model
