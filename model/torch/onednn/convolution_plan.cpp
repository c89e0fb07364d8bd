#include "model/torch/onednn/convolution_plan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "model/torch/onednn/engine.hpp"

namespace yolod::model::onednn {
namespace {

using dnnl::memory;

// Winograd's weights are four times as large (36 numbers instead of 9). With fewer positions than this, the saved
// arithmetic does not pay for reading them from memory and for a worker several times as large.
constexpr std::int64_t kLeastWinogradPlaces = 18 * 18;
constexpr std::int64_t kMostWinogradWeights = (20LL << 20U) / 36 / static_cast<std::int64_t>(sizeof(float));
constexpr std::int64_t kChannelBlock = 16;

memory::dims sides(const std::array<std::int64_t, 2>& values) { return {values[0], values[1]}; }

memory::dims dims(const std::array<std::int64_t, 4>& values) { return {values.begin(), values.end()}; }

dnnl::convolution_forward::desc describe(const ConvolutionProblem& problem, dnnl::algorithm algorithm,
                                         const memory::desc& input, const memory::desc& output) {
  const auto& settings = problem.settings;
  return {dnnl::prop_kind::forward_inference,
          algorithm,
          input,
          memory::desc(problem.weights, problem.type, memory::format_tag::any),
          problem.bias.get_desc(),
          output,
          sides(settings.stride),
          {settings.dilation[0] - 1, settings.dilation[1] - 1},
          sides(settings.padding),
          sides(settings.padding)};
}

dnnl::primitive_attr with_own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

bool pays_by_winograd(const ConvolutionProblem& problem) {
  const auto& settings = problem.settings;
  constexpr std::array<std::int64_t, 2> kOnes{1, 1};
  constexpr std::array<std::int64_t, 2> kThrees{3, 3};
  return problem.type == memory::data_type::f32 && problem.kernel == kThrees && settings.stride == kOnes &&
         settings.dilation == kOnes && settings.groups == 1 && problem.input[1] % kChannelBlock == 0 &&
         problem.output[1] % kChannelBlock == 0 && problem.output[2] * problem.output[3] >= kLeastWinogradPlaces &&
         problem.input[1] * problem.output[1] <= kMostWinogradWeights;
}

// Returns oneDNN's primitive of F(4x4, 3x3).
std::optional<dnnl::convolution_forward::primitive_desc> find_winograd(const ConvolutionProblem& problem) {
  const memory::desc input(dims(problem.input), problem.type, memory::format_tag::any);
  const memory::desc output(dims(problem.output), problem.type, memory::format_tag::any);
  dnnl::convolution_forward::primitive_desc found(
      describe(problem, dnnl::algorithm::convolution_winograd, input, output), with_own_scratchpad(), engine());
  do {
    if (std::string_view(found.impl_info_str()).find("wino_4x3") != std::string_view::npos) return found;
  } while (found.next_impl());
  return std::nullopt;
}

// The operations that a primitive applies to its output.
class FusedSteps {
 public:
  // Returns false if the step cannot be fused: oneDNN 2.6 computes a second step of the same kind with the first
  // step's factors (seen with leaky and plain ReLU).
  [[nodiscard]] bool append(const Elementwise& step) {
    const bool clashes = std::any_of(appended_.begin(), appended_.end(), [&](const Elementwise& other) {
      return other.algorithm == step.algorithm && other != step;
    });
    if (clashes) return false;
    operations_.append_eltwise(1, step.algorithm, step.alpha, step.beta);
    appended_.push_back(step);
    return true;
  }

  // Returns the index of the sum among the steps.
  int append_sum(const memory::desc& output) {
    const int place = operations_.len();
    operations_.append_binary(dnnl::algorithm::binary_add, output);
    return place;
  }

  [[nodiscard]] const dnnl::post_ops& operations() const { return operations_; }

 private:
  dnnl::post_ops operations_;
  std::vector<Elementwise> appended_;
};

}  // namespace

ConvolutionPlan::ConvolutionPlan(const ConvolutionProblem& problem)
    : input_(channels_last(problem.input, problem.type), engine(), nullptr),
      output_(channels_last(problem.output, problem.type), engine(), nullptr),
      addend_(channels_last(problem.output, problem.type), engine(), nullptr) {}

memory ConvolutionPlan::make_room(const memory::desc& layout) {
  constexpr std::size_t kCacheLine = 64;
  memory room(layout, engine(), nullptr);
  rooms_.push_back({room, scratchpad_bytes_});
  scratchpad_bytes_ += (layout.get_size() + kCacheLine - 1) / kCacheLine * kCacheLine;
  return room;
}

ConvolutionPlan::Step ConvolutionPlan::elementwise(const Elementwise& operation) const {
  const dnnl::eltwise_forward::desc description(dnnl::prop_kind::forward_inference, operation.algorithm,
                                                output_.get_desc(), operation.alpha, operation.beta);
  return {dnnl::eltwise_forward(dnnl::eltwise_forward::primitive_desc(description, engine())),
          {{DNNL_ARG_SRC, output_}, {DNNL_ARG_DST, output_}}};
}

ConvolutionPlan::Step ConvolutionPlan::sum() const {
  const auto layout = output_.get_desc();
  const dnnl::binary::desc description(dnnl::algorithm::binary_add, layout, layout, layout);
  return {dnnl::binary(dnnl::binary::primitive_desc(description, engine())),
          {{DNNL_ARG_SRC_0, output_}, {DNNL_ARG_SRC_1, addend_}, {DNNL_ARG_DST, output_}}};
}

ConvolutionPlan::Step ConvolutionPlan::reordering(const memory& from, const memory& to) {
  return {dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

ConvolutionPlan ConvolutionPlan::direct(const ConvolutionProblem& problem, const PackedWeights& weights) {
  const auto& settings = problem.settings;
  ConvolutionPlan plan(problem);
  FusedSteps fused;
  // A step that cannot be fused, and every later step, runs on the finished output.
  std::vector<Step> rest;
  for (const auto& step : settings.activations) {
    if (!rest.empty() || !fused.append(step)) rest.push_back(plan.elementwise(step));
  }
  std::optional<int> place_of_sum;
  if (settings.adds && rest.empty()) {
    place_of_sum = fused.append_sum(plan.output_.get_desc());
  } else if (settings.adds) {
    rest.push_back(plan.sum());
  }
  for (const auto& step : settings.activations_of_sum) {
    if (!rest.empty() || !fused.append(step)) rest.push_back(plan.elementwise(step));
  }

  auto attributes = with_own_scratchpad();
  attributes.set_post_ops(fused.operations());
  const dnnl::convolution_forward::primitive_desc primitive(
      describe(problem, dnnl::algorithm::convolution_direct, plan.input_.get_desc(), plan.output_.get_desc()),
      attributes, engine());
  Step step{dnnl::convolution_forward(primitive),
            {{DNNL_ARG_SRC, plan.input_},
             {DNNL_ARG_WEIGHTS, weights(primitive.weights_desc())},
             {DNNL_ARG_BIAS, problem.bias},
             {DNNL_ARG_DST, plan.output_},
             {DNNL_ARG_SCRATCHPAD, plan.make_room(primitive.scratchpad_desc())}}};
  if (place_of_sum) {
    step.arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(*place_of_sum) | DNNL_ARG_SRC_1, plan.addend_);
  }
  plan.steps_.push_back(std::move(step));
  plan.steps_.insert(plan.steps_.end(), rest.begin(), rest.end());
  return plan;
}

std::optional<ConvolutionPlan> ConvolutionPlan::winograd(const ConvolutionProblem& problem,
                                                         const PackedWeights& weights) {
  if (!pays_by_winograd(problem)) return std::nullopt;
  try {
    const auto primitive = find_winograd(problem);
    if (!primitive) return std::nullopt;
    ConvolutionPlan plan(problem);
    const auto input = plan.make_room(primitive->src_desc());
    const auto output = plan.make_room(primitive->dst_desc());
    plan.steps_.push_back(reordering(plan.input_, input));
    plan.steps_.push_back({dnnl::convolution_forward(*primitive),
                           {{DNNL_ARG_SRC, input},
                            {DNNL_ARG_WEIGHTS, weights(primitive->weights_desc())},
                            {DNNL_ARG_BIAS, problem.bias},
                            {DNNL_ARG_DST, output},
                            {DNNL_ARG_SCRATCHPAD, plan.make_room(primitive->scratchpad_desc())}}});
    plan.steps_.push_back(reordering(output, plan.output_));
    for (const auto& step : problem.settings.activations) plan.steps_.push_back(plan.elementwise(step));
    if (problem.settings.adds) plan.steps_.push_back(plan.sum());
    for (const auto& step : problem.settings.activations_of_sum) plan.steps_.push_back(plan.elementwise(step));
    return plan;
  } catch (const dnnl::error& failure) {
    // The processor lacks AVX-512, or (seen with a batch of two) oneDNN cannot convert the weights to the needed
    // layout.
    if (failure.status == dnnl_unimplemented) return std::nullopt;
    throw;
  }
}

void ConvolutionPlan::run(void* input, void* output, void* addend) {
  input_.set_data_handle(input);
  output_.set_data_handle(output);
  addend_.set_data_handle(addend);
  const Scratchpad scratch(scratchpad_bytes_);
  for (const Room& room : rooms_) room.memory.set_data_handle(scratch.data() + room.offset);
  for (const Step& step : steps_) step.primitive.execute(stream(), step.arguments);
  stream().wait();
}

}  // namespace yolod::model::onednn
