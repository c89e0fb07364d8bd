// A network that looks at pictures, loaded: floats in, floats out. What Darknet's networks (torch_network.hpp) and
// TorchScript files (torchscript/script_network.hpp) have in common.
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
  std::size_t candidates{0};  // of a detector; else 0
  std::size_t classes{0};     // of a detector or classifier; 0 where the output does not tell

  [[nodiscard]] std::size_t input_count() const { return channels * height * width; }
  [[nodiscard]] std::size_t row_length() const { return candidates == 0 ? classes : 5 + classes; }
};

// Why a network of that many channels looks at no pictures; empty: it does.
[[nodiscard]] inline std::string why_no_pictures(std::size_t channels) {
  if (channels == 1 || channels == 3) return {};
  return "the network takes " + std::to_string(channels) +
         " channels: pictures have 3, or 1 for a network that wants them grey";
}

// A network's output: the first of its sides counts the images. Valid until the network's next forward() or its end.
struct RawHead {
  std::span<const float> values;
  std::vector<std::size_t> sides;  // with `offsets` the first alone
  // Where candidates were left out, and images have as many as they have: of each image's first value, and the end.
  std::vector<std::size_t> offsets;

  [[nodiscard]] std::size_t images() const { return sides.front(); }
  [[nodiscard]] std::span<const float> image(std::size_t index) const {
    if (!offsets.empty()) return values.subspan(offsets[index], offsets[index + 1] - offsets[index]);
    const std::size_t per_image = values.size() / images();
    return values.subspan(index * per_image, per_image);
  }
};

// Room for a batch's input, [images, height, width, channels] float: interleaved, as the fast convolutions want it; in
// memory that the network's device reads fast. What it holds at first is unspecified. One thread at a time.
class NetworkInput {
 public:
  NetworkInput() = default;
  NetworkInput(const NetworkInput&) = delete;
  NetworkInput& operator=(const NetworkInput&) = delete;
  virtual ~NetworkInput() = default;

  // Of all the images that were asked for.
  [[nodiscard]] virtual std::span<float> values() = 0;
};

// Owned by one model; used by one thread at a time, new_input() excepted. Library exceptions end inside: a failed
// forward pass is kInternal.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  [[nodiscard]] virtual const NetworkShape& shape() const = 0;
  [[nodiscard]] virtual common::Precision precision() const = 0;
  // "cpu", "cuda:0".
  [[nodiscard]] virtual const std::string& device() const = 0;

  // On any thread, also while another is in forward(). It may outlive the network.
  [[nodiscard]] virtual common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) = 0;

  // Runs the first `images` of what new_input() gave and was filled. `confidence`, of a detector: each image's
  // threshold; what is not above its image's need not be in the head. Empty: all of it is.
  [[nodiscard]] virtual common::Outcome<RawHead> forward(NetworkInput& input, std::size_t images,
                                                         std::span<const float> confidence) = 0;

  // After the first forward() of so many: makes the next ones as fast as they can be, which takes as long as several.
  // Before anybody waits, and while no other thread is in new_input().
  virtual void prepare(NetworkInput& /*input*/, std::size_t /*images*/) {}
};

}  // namespace yolod::model
