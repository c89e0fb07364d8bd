// The primitives that compute a convolution for one input shape. Private to onednn/.
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

// The convolution for which a plan is made.
struct ConvolutionProblem {
  const ConvolutionSettings& settings;
  dnnl::memory::data_type type;
  std::array<std::int64_t, 4> input;   // [n, channels, h, w]
  std::array<std::int64_t, 4> output;  // [n, filters, h', w']
  std::array<std::int64_t, 2> kernel;
  dnnl::memory::dims weights;
  dnnl::memory bias;
};

// Returns the weights in that layout.
using PackedWeights = std::function<dnnl::memory(const dnnl::memory::desc& layout)>;

class ConvolutionPlan {
 public:
  // Makes a plan with one primitive. It reads and writes channels-last maps, and applies the activations and the sum
  // while its output is in the cache. Throws dnnl::error if oneDNN has no such primitive.
  [[nodiscard]] static ConvolutionPlan direct(const ConvolutionProblem& problem, const PackedWeights& weights);

  // Makes a plan with Winograd's method, F(4x4, 3x3), which needs 36 multiplications instead of 144 (Lavin and Gray
  // 2015). The primitive needs maps in blocks of channels and supports neither leaky activations nor sums, so other
  // primitives run before and after it. Returns nullopt if oneDNN has no such primitive, or if it would not pay.
  [[nodiscard]] static std::optional<ConvolutionPlan> winograd(const ConvolutionProblem& problem,
                                                               const PackedWeights& weights);

  // Runs the plan on the calling thread. `input`, `output` and, if the settings include a sum, `addend` are
  // channels-last maps of the problem's shapes and type.
  void run(void* input, void* output, void* addend);

 private:
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  // A range of the scratchpad.
  struct Room {
    dnnl::memory memory;
    std::size_t offset;
  };

  explicit ConvolutionPlan(const ConvolutionProblem& problem);
  // Reserves a range of the scratchpad for the duration of a run.
  [[nodiscard]] dnnl::memory make_room(const dnnl::memory::desc& layout);
  // Applies the operation to the output in place.
  [[nodiscard]] Step elementwise(const Elementwise& operation) const;
  [[nodiscard]] Step sum() const;
  [[nodiscard]] static Step reordering(const dnnl::memory& from, const dnnl::memory& to);

  dnnl::memory input_;
  dnnl::memory output_;
  dnnl::memory addend_;
  std::vector<Step> steps_;  // in the order of execution
  std::vector<Room> rooms_;
  std::size_t scratchpad_bytes_{0};
};

}  // namespace yolod::model::onednn
