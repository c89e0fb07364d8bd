// What every primitive of this folder shares: oneDNN's CPU engine, the calling thread's stream, the scratchpad, and
// LibTorch's channels-last tensors as oneDNN sees them. Private to onednn/.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>

namespace yolod::model::onednn {

// Batch, height and width of a tensor that came in, and the threads that work on it: what a primitive is made for.
struct InputShape {
  std::int64_t images{0};
  std::int64_t height{0};
  std::int64_t width{0};
  int threads{at::get_num_threads()};  // of the calling thread's operators

  friend bool operator==(const InputShape&, const InputShape&) = default;
};

// From now on whatever is made for a shape is made for as many threads as well, though none is started: for a process
// that will be forked from this one, which must not have any. Once, before the first primitive.
void prepare_also_for(int threads);

// As many threads for operators of the calling thread, for a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ~ThreadCount() { at::set_num_threads(before_); }

 private:
  int before_;
};

[[nodiscard]] dnnl::engine& engine();
[[nodiscard]] dnnl::stream& stream();

// kFloat or kBFloat16; anything else is a c10::Error.
[[nodiscard]] dnnl::memory::data_type data_type(at::ScalarType type);

// [n, channels, h, w], channels last.
[[nodiscard]] dnnl::memory::desc channels_last(const std::array<std::int64_t, 4>& shape, dnnl::memory::data_type type);

// An uninitialised [n, channels, h, w] channels-last tensor.
[[nodiscard]] at::Tensor empty_channels_last(const std::array<std::int64_t, 4>& shape, at::ScalarType type);

// At least `bytes` for the primitives of one convolution, held while this lives. The process has one scratchpad, which
// grows to what the largest needs, so that threads that compute in turn do not keep one each; threads that compute at
// the same time wait for each other here.
class Scratchpad {
 public:
  explicit Scratchpad(std::size_t bytes);
  [[nodiscard]] std::byte* data() const { return data_; }

 private:
  std::unique_lock<std::mutex> held_;
  std::byte* data_;
};

// Those of prepare_also_for(); 0: none.
[[nodiscard]] int other_threads();

// To be called where something is about to be made for `shape`: calls `make`, which makes it, with the shape for the
// threads of prepare_also_for(), in their stead. Nothing where they are the same.
template <typename Make>
void prepare_other_threads(InputShape shape, Make&& make) {
  const int others = other_threads();
  if (others == 0 || others == shape.threads) return;
  const ThreadCount count(others);
  shape.threads = others;
  make(shape);
}

}  // namespace yolod::model::onednn
