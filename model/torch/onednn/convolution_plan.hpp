// The primitives that make up a convolution of one input shape. Private to onednn/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/torch/onednn/convolution_settings.hpp"

namespace yolod::model::onednn {

// What a plan is made for.
struct ConvolutionProblem {
  const ConvolutionSettings& settings;
  dnnl::memory::data_type type;
  std::array<std::int64_t, 4> input;   // [n, channels, h, w]
  std::array<std::int64_t, 4> output;  // [n, filters, h', w']
  std::array<std::int64_t, 2> kernel;
  dnnl::memory::dims weights;
  dnnl::memory bias;
};

// The weights in that layout.
using PackedWeights = std::function<dnnl::memory(const dnnl::memory::desc& layout)>;

class ConvolutionPlan {
 public:
  // One primitive, that takes and gives channels-last maps and does the activations and the sum while its output is in
  // the cache. Throws dnnl::error where oneDNN has none.
  [[nodiscard]] static ConvolutionPlan direct(const ConvolutionProblem& problem, const PackedWeights& weights);

  // Winograd's method, F(4x4, 3x3): 36 multiplications where the other takes 144 (Lavin and Gray 2015). It wants its
  // maps in blocks of channels and can do neither leaky activations nor sums, so others come before and after. Nothing
  // where oneDNN has no such primitive or it would not pay.
  [[nodiscard]] static std::optional<ConvolutionPlan> winograd(const ConvolutionProblem& problem,
                                                               const PackedWeights& weights);

  // `input`, `output` and, where the settings add, `addend`: channels-last maps of the problem's shapes and type. By
  // the calling thread.
  void run(void* input, void* output, void* addend);

 private:
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  // Of the scratchpad.
  struct Room {
    dnnl::memory memory;
    std::size_t offset;
  };

  explicit ConvolutionPlan(const ConvolutionProblem& problem);
  // A place in the scratchpad for the time of a run.
  [[nodiscard]] dnnl::memory make_room(const dnnl::memory::desc& layout);
  // Of the output, in place.
  [[nodiscard]] Step elementwise(const Elementwise& operation) const;
  [[nodiscard]] Step sum() const;
  [[nodiscard]] static Step reordering(const dnnl::memory& from, const dnnl::memory& to);

  dnnl::memory input_;
  dnnl::memory output_;
  dnnl::memory addend_;
  std::vector<Step> steps_;  // in this order
  std::vector<Room> rooms_;
  std::size_t scratchpad_bytes_{0};
};

}  // namespace yolod::model::onednn
