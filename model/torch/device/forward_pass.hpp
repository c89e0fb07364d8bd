// One network's forward pass on a device: floats in the processor's memory in, raw heads in the processor's memory out.
// What Darknet's networks and TorchScript files have in common.
//
// On a GPU: the input crosses from pinned memory, candidates are thresholded before the head crosses back, what repeats
// is a CUDA graph where that is faster, a batch for which there is no memory is run in parts, and a device that does
// not compute any more is told of.
//
// Includes torch headers: for the few sources that do so anyway.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/outcome.hpp"
#include "model/heads/candidates.hpp"
#include "model/network.hpp"
#include "model/torch/device/device.hpp"

namespace yolod::model {

// Owned by one network; used by one thread at a time, but for new_input(). Exceptions of libraries end inside.
struct InputStock;

class ForwardPass {
 public:
  // From [images, channels, height, width] on the device, float, to the output there, its first side the images.
  using Compute = std::function<at::Tensor(const at::Tensor& images)>;

  ForwardPass(DeviceUse use, Compute compute);
  ForwardPass(const ForwardPass&) = delete;
  ForwardPass& operator=(const ForwardPass&) = delete;
  ~ForwardPass();

  [[nodiscard]] const Device& device() const { return *use_.device; }

  // See Network::new_input(). Inputs that have gone are used again. Any thread.
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(const NetworkShape& shape, std::size_t images);

  // See Network::forward(). `input` is one of new_input(). `layout` is a detector's, for `confidence`.
  [[nodiscard]] common::Outcome<RawHead> run(NetworkInput& input, std::size_t images, std::span<const float> confidence,
                                             heads::HeadLayout layout);

  // See Network::prepare().
  void prepare(NetworkInput& input, std::size_t images);

 private:
  struct Recorded;

  [[nodiscard]] at::Tensor on_device(const at::Tensor& images);
  [[nodiscard]] RawHead run_in_parts(const at::Tensor& images, std::span<const float> confidence,
                                     heads::HeadLayout layout);
  [[nodiscard]] std::int64_t most_at_once(common::Clock::time_point now);

  DeviceUse use_;
  Compute compute_;
  std::shared_ptr<InputStock> stock_;                           // inputs that have gone
  std::map<std::int64_t, std::unique_ptr<Recorded>> recorded_;  // by images
  std::int64_t most_;                                           // images at once, as far as memory is known to go
  common::Clock::time_point tight_since_;                       // of `most_`, where that is a limit
  at::Tensor output_;                                           // what the last head points to
};

// Outputs of parts of a batch as one, where not all of them have as many rows ([n, k, 6]): the missing ones are zeros,
// which are no boxes.
[[nodiscard]] at::Tensor joined(std::vector<at::Tensor> outputs);

}  // namespace yolod::model
