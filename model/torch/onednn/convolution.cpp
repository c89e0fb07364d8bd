#include "model/torch/onednn/convolution.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "model/torch/onednn/convolution_plan.hpp"

namespace yolod::model::onednn {
namespace {

using dnnl::memory;

// The limit suffices for batches of 1 to 64 at one size, or at the three sizes of test-time augmentation. Only a model
// that accepts any size has more shapes.
constexpr std::size_t kMaxExecutions = 192;

}  // namespace

struct Convolution::Execution {
  InputShape shape;
  std::array<std::int64_t, 4> output_shape;
  ConvolutionPlan plan;
};

Convolution::Convolution(const at::Tensor& weight, const at::Tensor& bias, ConvolutionSettings settings)
    : settings_(std::move(settings)),
      type_(weight.scalar_type()),
      filters_(weight.size(0)),
      channels_(weight.size(1) * settings_.groups),
      kernel_{weight.size(2), weight.size(3)} {
  const auto plain = weight.contiguous();
  const memory::dims shape = settings_.groups == 1 ? memory::dims{filters_, channels_, kernel_[0], kernel_[1]}
                                                   : memory::dims{settings_.groups, filters_ / settings_.groups,
                                                                  weight.size(1), kernel_[0], kernel_[1]};
  const memory::desc layout(shape, data_type(type_),
                            settings_.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw);
  weights_.emplace_back(layout, engine());
  std::memcpy(weights_.front().get_data_handle(), plain.data_ptr(), layout.get_size());

  bias_ = memory({{filters_}, memory::data_type::f32, memory::format_tag::x}, engine());
  auto* values = static_cast<float*>(bias_.get_data_handle());
  if (bias.defined()) {
    const auto floats = bias.to(at::kFloat).contiguous();
    std::copy_n(floats.data_ptr<float>(), filters_, values);
  } else {
    std::fill_n(values, filters_, 0.0F);
  }
}

Convolution::~Convolution() = default;

memory Convolution::weights_in(const memory::desc& wanted) {
  const auto found = std::find_if(weights_.begin(), weights_.end(),
                                  [&wanted](const memory& weights) { return weights.get_desc() == wanted; });
  if (found != weights_.end()) return *found;
  memory packed(wanted, engine());
  std::optional<ThreadCount> alone;  // a process that will fork must not start threads
  if (other_threads() != 0) alone.emplace(1);
  dnnl::reorder(weights_.front(), packed).execute(stream(), weights_.front(), packed);
  stream().wait();
  // The plain layout is not needed once there is a layout that can be converted to every other. Winograd's layout
  // cannot.
  if (executions_.empty() && wanted.data.format_kind == dnnl_blocked) weights_.clear();
  weights_.push_back(packed);
  return packed;
}

Convolution::Execution& Convolution::execution_for(const InputShape& shape) {
  const auto found = std::find_if(executions_.begin(), executions_.end(),
                                  [&shape](const auto& execution) { return execution->shape == shape; });
  if (found != executions_.end()) return **found;
  prepare_other_threads(shape, [this](const InputShape& others) { (void)execution_for(others); });

  const auto output_side = [this](std::int64_t side, std::size_t axis) {
    const auto reach = settings_.dilation[axis] * (kernel_[axis] - 1) + 1;
    return (side + 2 * settings_.padding[axis] - reach) / settings_.stride[axis] + 1;
  };
  const std::array<std::int64_t, 4> output_shape{shape.images, filters_, output_side(shape.height, 0),
                                                 output_side(shape.width, 1)};
  TORCH_CHECK(output_shape[2] > 0 && output_shape[3] > 0, "an input of ", shape.width, " x ", shape.height,
              " is too small for a convolution");
  const ConvolutionProblem problem{.settings = settings_,
                                   .type = data_type(type_),
                                   .input = {shape.images, channels_, shape.height, shape.width},
                                   .output = output_shape,
                                   .kernel = kernel_,
                                   .weights = weights_.front().get_desc().dims(),
                                   .bias = bias_};
  const auto weights = [this](const memory::desc& layout) { return weights_in(layout); };
  auto plan = ConvolutionPlan::winograd(problem, weights);
  auto made = std::make_unique<Execution>(
      Execution{shape, output_shape, plan ? std::move(*plan) : ConvolutionPlan::direct(problem, weights)});
  if (executions_.size() == kMaxExecutions) executions_.erase(executions_.begin());
  executions_.push_back(std::move(made));
  return *executions_.back();
}

at::Tensor Convolution::run(const at::Tensor& input, const at::Tensor* addend) {
  const auto given = input.scalar_type();
  TORCH_CHECK(input.dim() == 4 && input.size(1) == channels_ &&
                  (given == type_ || (given == at::kBFloat16 && type_ == at::kFloat)),
              "a convolution's input must be [n, ", channels_, ", h, w] of ", type_, " and is ", input.sizes(), " of ",
              given);
  const auto source = input.to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  auto& execution = execution_for({input.size(0), input.size(2), input.size(3)});
  auto output = empty_channels_last(execution.output_shape, type_);
  at::Tensor other;
  if (settings_.adds) {
    TORCH_CHECK(addend != nullptr && addend->sizes() == output.sizes() && addend->scalar_type() == given,
                "a sum of tensors of different shapes");
    other = addend->to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  }
  execution.plan.run(source.data_ptr(), output.data_ptr(), other.defined() ? other.data_ptr() : nullptr);
  return output.to(given);
}

}  // namespace yolod::model::onednn
