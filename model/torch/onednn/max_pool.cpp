#include "model/torch/onednn/max_pool.hpp"

#include <algorithm>
#include <unordered_map>

namespace yolod::model::onednn {
namespace {

constexpr std::size_t kMaxPoolExecutions = 192;  // the same limit as for a convolution

dnnl::memory::dims dims_of(const std::array<std::int64_t, 2>& values) { return {values[0], values[1]}; }

}  // namespace

struct MaxPool::Execution {
  InputShape shape;
  std::int64_t channels;
  at::ScalarType type;
  std::array<std::int64_t, 4> output_shape;
  dnnl::pooling_forward primitive;
  dnnl::memory input;
  dnnl::memory output;
  std::unordered_map<int, dnnl::memory> arguments;
};

MaxPool::MaxPool(MaxPoolSettings settings) : settings_(settings) {}
MaxPool::~MaxPool() = default;

MaxPool::Execution& MaxPool::execution_for(const InputShape& shape, std::int64_t channels, at::ScalarType type) {
  const auto found = std::find_if(executions_.begin(), executions_.end(), [&](const auto& execution) {
    return execution->shape == shape && execution->channels == channels && execution->type == type;
  });
  if (found != executions_.end()) return **found;
  prepare_other_threads(shape, [&](const InputShape& others) { (void)execution_for(others, channels, type); });

  const auto output_side = [this](std::int64_t side, std::size_t axis) {
    return (side + settings_.padding_before[axis] + settings_.padding_after[axis] - settings_.window[axis]) /
               settings_.stride[axis] +
           1;
  };
  const std::array<std::int64_t, 4> output_shape{shape.images, channels, output_side(shape.height, 0),
                                                 output_side(shape.width, 1)};
  TORCH_CHECK(output_shape[2] > 0 && output_shape[3] > 0, "an input of ", shape.width, " x ", shape.height,
              " is too small for a pooling window");
  const auto input = channels_last({shape.images, channels, shape.height, shape.width}, data_type(type));
  const auto output = channels_last(output_shape, data_type(type));
  const dnnl::pooling_forward::desc description(dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, input,
                                                output, dims_of(settings_.stride), dims_of(settings_.window),
                                                dims_of(settings_.padding_before), dims_of(settings_.padding_after));
  const dnnl::pooling_forward::primitive_desc primitive(description, engine());

  auto made = std::make_unique<Execution>();
  made->shape = shape;
  made->channels = channels;
  made->type = type;
  made->output_shape = output_shape;
  made->primitive = dnnl::pooling_forward(primitive);
  made->input = dnnl::memory(input, engine(), nullptr);
  made->output = dnnl::memory(output, engine(), nullptr);
  made->arguments = {{DNNL_ARG_SRC, made->input}, {DNNL_ARG_DST, made->output}};
  if (executions_.size() == kMaxPoolExecutions) executions_.erase(executions_.begin());
  executions_.push_back(std::move(made));
  return *executions_.back();
}

at::Tensor MaxPool::run(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 4, "a pooling layer's input must be [n, c, h, w] and is ", input.sizes());
  const auto source = input.contiguous(at::MemoryFormat::ChannelsLast);
  auto& execution = execution_for({input.size(0), input.size(2), input.size(3)}, input.size(1), input.scalar_type());
  auto output = empty_channels_last(execution.output_shape, input.scalar_type());
  execution.input.set_data_handle(source.data_ptr());
  execution.output.set_data_handle(output.data_ptr());
  execution.primitive.execute(stream(), execution.arguments);
  stream().wait();
  return output;
}

}  // namespace yolod::model::onednn
