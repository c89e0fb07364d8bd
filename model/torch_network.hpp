// A CompiledNetwork loaded into LibTorch: floats in, raw head out. No torch header here: torch_network.cpp is the one
// translation unit that includes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"

namespace yolod::model {

struct NetworkShape {
  std::size_t channels{0};
  std::size_t height{0};
  std::size_t width{0};
  std::size_t candidates{0};
  std::size_t classes{0};
  HeadKind head{HeadKind::kDetections};

  [[nodiscard]] std::size_t input_count() const { return channels * height * width; }
  [[nodiscard]] std::size_t row_length() const { return head == HeadKind::kClasses ? classes : 5 + classes; }
};

// [images, candidates, 5 + classes], or of a classifier [images, 1, classes], as CompiledNetwork says. Valid until the
// network's next forward() or its end.
struct RawHead {
  std::span<const float> values;
  std::size_t images{0};
  std::size_t candidates{0};
  std::size_t row_length{0};

  [[nodiscard]] std::span<const float> image(std::size_t index) const {
    return values.subspan(index * candidates * row_length, candidates * row_length);
  }
};

// Owned by one model; used by one thread at a time. Library exceptions end here: a failed load is kBadModel, a failed
// forward pass kInternal.
class TorchNetwork {
 public:
  // `precision` must be resolved, `threads` at least 1. Sets the process's LibTorch thread counts.
  [[nodiscard]] static common::Outcome<std::unique_ptr<TorchNetwork>> load(CompiledNetwork compiled,
                                                                           common::Precision precision,
                                                                           std::uint32_t threads);
  TorchNetwork(const TorchNetwork&) = delete;
  TorchNetwork& operator=(const TorchNetwork&) = delete;
  ~TorchNetwork();

  [[nodiscard]] const NetworkShape& shape() const;
  [[nodiscard]] common::Precision precision() const;

  // Room for `images` inputs, [images, height, width, channels] float: interleaved, as the fast convolutions want it.
  // The contents are unspecified; fill them, then call forward(). Valid until the next input().
  [[nodiscard]] common::Outcome<std::span<float>> input(std::size_t images);

  // Runs what input() was filled with.
  [[nodiscard]] common::Outcome<RawHead> forward();

 private:
  struct State;
  explicit TorchNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yolod::model
