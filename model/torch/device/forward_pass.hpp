// Runs a network's forward pass on a device: floats in the processor's memory in, raw heads in the processor's memory
// out. Darknet networks and TorchScript files use it.
//
// On a GPU it copies the input from pinned memory, filters candidates before it copies the head back, and replays
// repeated batches as a CUDA graph if that is faster. It splits a batch that needs too much memory, and reports a
// device that no longer computes.
//
// This header includes torch headers, so few source files may include it.
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

// One network owns it, and one thread at a time uses it, except for new_input(). It catches exceptions of libraries.
struct InputStock;

class ForwardPass {
 public:
  // Computes the output from [images, channels, height, width] float on the device. The output's first side is the
  // images.
  using Compute = std::function<at::Tensor(const at::Tensor& images)>;

  ForwardPass(DeviceUse use, Compute compute);
  ForwardPass(const ForwardPass&) = delete;
  ForwardPass& operator=(const ForwardPass&) = delete;
  ~ForwardPass();

  [[nodiscard]] const Device& device() const { return *use_.device; }

  // See Network::new_input(). It reuses inputs that were destroyed. Any thread may call it.
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(const NetworkShape& shape, std::size_t images);

  // See Network::forward(). REQUIRES: new_input() made `input`. `layout` is a detector's layout, for `confidence`.
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
  std::shared_ptr<InputStock> stock_;                           // destroyed inputs, for reuse
  std::map<std::int64_t, std::unique_ptr<Recorded>> recorded_;  // by the number of images
  std::int64_t most_;                      // the most images at once, as far as memory is known to suffice
  common::Clock::time_point tight_since_;  // since when most_ limits the batches
  at::Tensor output_;                      // holds the values of the last head
};

// Joins the outputs of parts of a batch. If the parts have different numbers of rows ([n, k, 6]), the missing rows
// are zeros, which mean no box.
[[nodiscard]] at::Tensor joined(std::vector<at::Tensor> outputs);

}  // namespace yolod::model
