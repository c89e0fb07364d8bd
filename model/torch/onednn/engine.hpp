// Shared parts of all primitives in this folder: oneDNN's CPU engine, the calling thread's stream, the scratchpad,
// and descriptions of LibTorch's channels-last tensors for oneDNN. Private to onednn/.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>

namespace yolod::model::onednn {

// The key for which a primitive is made: batch, height and width of the input tensor, and the number of threads.
struct InputShape {
  std::int64_t images{0};
  std::int64_t height{0};
  std::int64_t width{0};
  int threads{at::get_num_threads()};  // for operators on the calling thread

  friend bool operator==(const InputShape&, const InputShape&) = default;
};

// From now on everything that is made for a shape is also made for this number of threads, without starting a thread.
// It is for a process that will be forked and must not have other threads. Call it once, before the first primitive.
void prepare_also_for(int threads);

// Sets the number of OpenMP's threads for operators on the calling thread, for a scope. (at::set_num_threads would also
// start and end the threads of another pool each time, and they wait by spinning.)
class ThreadCount {
 public:
  explicit ThreadCount(int threads);
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ~ThreadCount();

 private:
  int before_;
};

[[nodiscard]] dnnl::engine& engine();
[[nodiscard]] dnnl::stream& stream();

// Accepts kFloat and kBFloat16; throws c10::Error for every other type.
[[nodiscard]] dnnl::memory::data_type data_type(at::ScalarType type);

// Describes a tensor [n, channels, h, w], channels-last.
[[nodiscard]] dnnl::memory::desc channels_last(const std::array<std::int64_t, 4>& shape, dnnl::memory::data_type type);

// Returns an uninitialised channels-last tensor [n, channels, h, w].
[[nodiscard]] at::Tensor empty_channels_last(const std::array<std::int64_t, 4>& shape, at::ScalarType type);

// Holds a scratchpad of at least `bytes` for the primitives of one convolution. The process has only one scratchpad,
// which grows to the size that the largest convolution needs, so that threads which compute in turn do not keep one
// each. Threads that compute at the same time wait for each other here.
class Scratchpad {
 public:
  explicit Scratchpad(std::size_t bytes);
  [[nodiscard]] std::byte* data() const { return data_; }

 private:
  std::unique_lock<std::mutex> held_;
  std::byte* data_;
};

// Returns the number set by prepare_also_for(); 0 if there is none.
[[nodiscard]] int other_threads();

// Call it before something is made for `shape`. It calls `make` with the same shape for the threads of
// prepare_also_for(), instead of the current number. It does nothing if the numbers are equal.
template <typename Make>
void prepare_other_threads(InputShape shape, Make&& make) {
  const int others = other_threads();
  if (others == 0 || others == shape.threads) return;
  const ThreadCount count(others);
  shape.threads = others;
  make(shape);
}

}  // namespace yolod::model::onednn
