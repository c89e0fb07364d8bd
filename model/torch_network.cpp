#include "model/torch_network.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#if defined(YOLOD_WITH_ONEDNN)
#include "model/onednn/fuse.hpp"
#include "model/onednn/shared_convolutions.hpp"
#endif
#include "model/read_file.hpp"
#include "model/thread_counts.hpp"
#include "model/torch_module.hpp"
#include "model/torch_runtime.hpp"

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
  NetworkShape shape;
  Precision precision{Precision::kFp32};
  torch::jit::Module module;
  at::Tensor input;   // [images, channels, height, width] float, channels-last
  at::Tensor output;  // [images, candidates, row_length] float, contiguous
};

TorchNetwork::TorchNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
TorchNetwork::~TorchNetwork() = default;

const NetworkShape& TorchNetwork::shape() const { return state_->shape; }
Precision TorchNetwork::precision() const { return state_->precision; }

Outcome<std::unique_ptr<TorchNetwork>> TorchNetwork::load(CompiledNetwork compiled, Precision precision,
                                                          std::uint32_t threads) {
  std::vector<CompiledNetwork> one;
  one.push_back(std::move(compiled));
  auto loaded = load_sizes(std::move(one), precision, threads);
  if (!loaded) return std::move(loaded).error();
  return std::move(loaded->front());
}

Outcome<std::vector<std::unique_ptr<TorchNetwork>>> TorchNetwork::load_sizes(std::vector<CompiledNetwork> compiled,
                                                                             Precision precision,
                                                                             std::uint32_t threads) {
  try {
    set_thread_counts(threads);
    const c10::InferenceMode inference;
    std::vector<std::unique_ptr<TorchNetwork>> networks;
    std::optional<torch::jit::Module> first;
#if defined(YOLOD_WITH_ONEDNN)
    onednn::SharedConvolutions convolutions;
#endif
    for (auto& one : compiled) {
      auto state = std::make_unique<State>();
      state->shape = shape_of(one);
      state->precision = precision;
      const auto module = define_module(std::move(one), precision, first ? &*first : nullptr);
      if (!first) first = module;
      state->module = torch::jit::freeze(module);
#if defined(YOLOD_WITH_ONEDNN)
      onednn::fuse(state->module, true, &convolutions);  // the compiler adds maps of one shape alone
#endif
      networks.push_back(std::unique_ptr<TorchNetwork>(new TorchNetwork(std::move(state))));
    }
    return networks;
  } catch (const c10::Error& error) {
    return bad_model("LibTorch refuses the network: " + first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return bad_model("no memory for the network");
  } catch (const std::exception& error) {
    return bad_model("LibTorch refuses the network: " + first_line(error.what()));
  }
}

Outcome<std::span<float>> TorchNetwork::input(std::size_t images) {
  const auto& shape = state_->shape;
  try {
    const c10::InferenceMode inference;
    const auto count = static_cast<std::int64_t>(images);
    if (!state_->input.defined() || state_->input.size(0) != count) {
      state_->input = at::empty({count, static_cast<std::int64_t>(shape.channels),
                                 static_cast<std::int64_t>(shape.height), static_cast<std::int64_t>(shape.width)},
                                at::TensorOptions().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
    }
    return std::span<float>(state_->input.data_ptr<float>(), images * shape.input_count());
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal,
                 "no memory for a batch of " + std::to_string(images) + ": " + first_line(error.what())};
  }
}

Outcome<RawHead> TorchNetwork::forward() {
  const auto& shape = state_->shape;
  try {
    const c10::InferenceMode inference;
    // The profiling executor would spend the first runs of each shape on recompiling, for nothing: shapes are fixed and
    // the graph is frozen already. The switch belongs to the thread.
    const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
    state_->output = at::Tensor();
    std::vector<torch::jit::IValue> arguments;
    arguments.emplace_back(state_->input.to(scalar_type(state_->precision)));
    auto output = state_->module.forward(std::move(arguments)).toTensor();
    const auto images = static_cast<std::size_t>(state_->input.size(0));
    std::vector<std::size_t> sides{images, shape.classes};
    if (shape.candidates > 0) sides = {images, shape.candidates, shape.row_length()};
    const bool as_expected =
        output.scalar_type() == at::kFloat &&
        std::equal(output.sizes().begin(), output.sizes().end(), sides.begin(), sides.end(),
                   [](auto is, auto expected) { return static_cast<std::size_t>(is) == expected; });
    if (!as_expected) return Error{ErrorCode::kInternal, "the network's output has an unexpected shape"};
    state_->output = output.contiguous();
    return RawHead{{state_->output.data_ptr<float>(), static_cast<std::size_t>(state_->output.numel())},
                   std::move(sides)};
  } catch (const c10::Error& error) {
    return Error{ErrorCode::kInternal, "the forward pass failed: " + first_line(error.what_without_backtrace())};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, "the forward pass failed: " + first_line(error.what())};
  }
}

}  // namespace yolod::model
