#include "model/compiled/torch_network.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#if defined(YOLOD_WITH_ONEDNN)
#include "model/torch/onednn/fuse.hpp"
#include "model/torch/onednn/shared_convolutions.hpp"
#endif
#include "model/bad_model.hpp"
#include "model/compiled/torch_module.hpp"
#include "model/torch/device/cpu_device.hpp"
#include "model/torch/device/forward_pass.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torch/torch_runtime.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::Precision;

NetworkShape shape_of(const CompiledNetwork& compiled) {
  const bool classifies = compiled.head == HeadKind::kClasses;
  return {static_cast<std::size_t>(compiled.channels), static_cast<std::size_t>(compiled.height),
          static_cast<std::size_t>(compiled.width), classifies ? 0 : static_cast<std::size_t>(compiled.candidates),
          static_cast<std::size_t>(compiled.classes)};
}

}  // namespace

struct TorchNetwork::State {
  State(const NetworkShape& its_shape, Precision its_precision, torch::jit::Module its_module, const DeviceUse& use)
      : shape(its_shape),
        precision(its_precision),
        module(std::move(its_module)),
        pass(use, [this](const at::Tensor& images) { return compute(images); }) {}

  [[nodiscard]] at::Tensor compute(const at::Tensor& images);

  NetworkShape shape;
  Precision precision;
  torch::jit::Module module;
  ForwardPass pass;
};

// Returns [images, candidates, row_length] float, or [images, classes].
at::Tensor TorchNetwork::State::compute(const at::Tensor& images) {
  // The profiling executor would recompile during the first runs of each shape without any gain, because the shapes
  // are fixed and the graph is frozen. The switch belongs to the thread.
  const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
  std::vector<torch::jit::IValue> arguments;
  arguments.emplace_back(images.to(scalar_type(precision)));
  auto output = module.forward(std::move(arguments)).toTensor();
  const auto sides = shape.candidates > 0 ? std::vector<std::size_t>{shape.candidates, shape.row_length()}
                                          : std::vector<std::size_t>{shape.classes};
  const auto actual = output.sizes();
  const bool as_expected = output.scalar_type() == at::kFloat && !actual.empty() && actual[0] == images.size(0) &&
                           std::equal(actual.begin() + 1, actual.end(), sides.begin(), sides.end(),
                                      [](auto is, auto expected) { return static_cast<std::size_t>(is) == expected; });
  TORCH_CHECK(as_expected, "the network's output has an unexpected shape");
  return output;
}

TorchNetwork::TorchNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
TorchNetwork::~TorchNetwork() = default;

const NetworkShape& TorchNetwork::shape() const { return state_->shape; }
Precision TorchNetwork::precision() const { return state_->precision; }

Outcome<std::unique_ptr<TorchNetwork>> TorchNetwork::load(CompiledNetwork compiled, Precision precision,
                                                          std::uint32_t threads) {
  std::vector<CompiledNetwork> one;
  one.push_back(std::move(compiled));
  auto loaded = load_sizes(std::move(one), precision, threads, {cpu_device(), {}});
  if (!loaded) return std::move(loaded).error();
  return std::move(loaded->front());
}

Outcome<std::vector<std::unique_ptr<TorchNetwork>>> TorchNetwork::load_sizes(std::vector<CompiledNetwork> compiled,
                                                                             Precision precision, std::uint32_t threads,
                                                                             const DeviceUse& use) {
  try {
    set_thread_counts(threads);
    const c10::InferenceMode inference;
    std::vector<std::unique_ptr<TorchNetwork>> networks;
    std::optional<torch::jit::Module> first;
#if defined(YOLOD_WITH_ONEDNN)
    onednn::SharedConvolutions convolutions;
#endif
    for (auto& one : compiled) {
      const NetworkShape shape = shape_of(one);
      auto module = define_module(std::move(one), precision, first ? &*first : nullptr);
      // Move the module before it is frozen, because constants that freezing creates would not move.
      module.to(use.device->where());
      if (!first) first = module;
      auto frozen = torch::jit::freeze(module);
#if defined(YOLOD_WITH_ONEDNN)
      if (use.device->where().is_cpu()) {
        onednn::fuse(frozen, true, &convolutions);  // the compiler adds only maps of the same shape
      }
#endif
      networks.push_back(std::unique_ptr<TorchNetwork>(
          new TorchNetwork(std::make_unique<State>(shape, precision, std::move(frozen), use))));
    }
    return networks;
  } catch (const std::bad_alloc&) {
    return bad_model("no memory for the network");
  } catch (const std::exception& error) {
    return bad_model("LibTorch refuses the network: " + reason_of(error));
  }
}

const std::string& TorchNetwork::device() const { return state_->pass.device().name(); }

Outcome<std::unique_ptr<NetworkInput>> TorchNetwork::new_input(std::size_t images) {
  return state_->pass.new_input(state_->shape, images);
}

Outcome<RawHead> TorchNetwork::forward(NetworkInput& input, std::size_t images, std::span<const float> confidence) {
  const bool detects = state_->shape.candidates > 0;
  return state_->pass.run(input, images, detects ? confidence : std::span<const float>(),
                          heads::HeadLayout::kByObjectness);
}

void TorchNetwork::prepare(NetworkInput& input, std::size_t images) { state_->pass.prepare(input, images); }

}  // namespace yolod::model
