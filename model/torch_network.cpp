#include "model/torch_network.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.hpp"
#include "model/read_file.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::Precision;

at::ScalarType scalar_type(Precision precision) {
  switch (precision) {
    case Precision::kBf16: return at::kBFloat16;
    case Precision::kFp16: return at::kHalf;
    case Precision::kAuto:
    case Precision::kFp32: return at::kFloat;
  }
  return at::kFloat;
}

// The first line of what(): LibTorch appends a stack trace.
std::string first_line(const char* what) {
  const std::string_view text(what);
  return common::printable(text.substr(0, text.find('\n')), 300);
}

void set_thread_counts(std::uint32_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  // Nothing of ours forks inside a graph. The count can be set once in a process, before its pool is first used.
  static const bool interop_set = [] {
    try {
      at::set_num_interop_threads(1);
    } catch (const c10::Error&) {
      return false;
    }
    return true;
  }();
  (void)interop_set;
}

at::Tensor to_tensor(const NetworkParameter& parameter, at::ScalarType precision) {
  // from_blob takes a mutable pointer; what is made of it is copied before the vector goes.
  auto* values = const_cast<float*>(parameter.values.data());
  auto tensor = at::from_blob(values, parameter.shape, at::TensorOptions().dtype(at::kFloat));
  const auto type = parameter.follows_precision ? precision : at::kFloat;
  if (parameter.follows_precision && parameter.shape.size() == 4) {
    return tensor.to(tensor.options().dtype(type), false, true, at::MemoryFormat::ChannelsLast);
  }
  return tensor.to(type, false, true);
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
  try {
    set_thread_counts(threads);
    const c10::InferenceMode inference;
    auto state = std::make_unique<State>();
    state->shape = {static_cast<std::size_t>(compiled.channels), static_cast<std::size_t>(compiled.height),
                    static_cast<std::size_t>(compiled.width),    static_cast<std::size_t>(compiled.candidates),
                    static_cast<std::size_t>(compiled.classes),  compiled.head};
    state->precision = precision;
    torch::jit::Module module("yolod_network");
    for (auto& parameter : compiled.parameters) {
      module.register_parameter(parameter.name, to_tensor(parameter, scalar_type(precision)), false);
      // Its copy is made; holding both would double the memory of a large network's load.
      std::vector<float>().swap(parameter.values);
    }
    module.define(compiled.source);
    module.eval();
    state->module = torch::jit::freeze(module);
    return std::unique_ptr<TorchNetwork>(new TorchNetwork(std::move(state)));
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
    if (shape.head == HeadKind::kClasses) output = output.unsqueeze(1);
    const auto images = static_cast<std::size_t>(state_->input.size(0));
    if (output.dim() != 3 || output.scalar_type() != at::kFloat || output.size(0) != state_->input.size(0) ||
        output.size(1) != static_cast<std::int64_t>(shape.candidates) ||
        output.size(2) != static_cast<std::int64_t>(shape.row_length())) {
      return Error{ErrorCode::kInternal, "the network's output has an unexpected shape"};
    }
    state_->output = output.contiguous();
    return RawHead{
        std::span<const float>(state_->output.data_ptr<float>(), images * shape.candidates * shape.row_length()),
        images, shape.candidates, shape.row_length()};
  } catch (const c10::Error& error) {
    return Error{ErrorCode::kInternal, "the forward pass failed: " + first_line(error.what_without_backtrace())};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, "the forward pass failed: " + first_line(error.what())};
  }
}

}  // namespace yolod::model
