// What every primitive of this folder shares: oneDNN's CPU engine, the calling thread's stream and scratchpad, and
// LibTorch's channels-last tensors as oneDNN sees them. Private to onednn/.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

namespace yolod::model::onednn {

// Batch, height and width of a tensor that came in: what a primitive is made for.
struct InputShape {
  std::int64_t images{0};
  std::int64_t height{0};
  std::int64_t width{0};

  friend bool operator==(const InputShape&, const InputShape&) = default;
};

[[nodiscard]] dnnl::engine& engine();
[[nodiscard]] dnnl::stream& stream();

// kFloat or kBFloat16; anything else is a c10::Error.
[[nodiscard]] dnnl::memory::data_type data_type(at::ScalarType type);

// [n, channels, h, w], channels last.
[[nodiscard]] dnnl::memory::desc channels_last(const std::array<std::int64_t, 4>& shape, dnnl::memory::data_type type);

// An uninitialised [n, channels, h, w] channels-last tensor.
[[nodiscard]] at::Tensor empty_channels_last(const std::array<std::int64_t, 4>& shape, at::ScalarType type);

// At least `bytes` of the calling thread, in use until its next primitive is executed.
[[nodiscard]] void* scratchpad(std::size_t bytes);

}  // namespace yolod::model::onednn
