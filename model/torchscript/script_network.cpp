#include "model/torchscript/script_network.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "model/bad_model.hpp"
#include "model/torch/device/forward_pass.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torch/torch_runtime.hpp"
#include "model/torchscript/module_file.hpp"

namespace yolod::model::torchscript {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::Precision;

constexpr std::int64_t kChannels = 3;

// Returns the first tensor in a value, at any depth.
std::optional<at::Tensor> first_tensor(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor();
  std::vector<c10::IValue> items;
  if (value.isTuple()) {
    for (const auto& item : value.toTupleRef().elements()) items.push_back(item);
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) items.push_back(item);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) items.push_back(entry.value());
  }
  for (const auto& item : items) {
    if (auto tensor = first_tensor(item)) return tensor;
  }
  return std::nullopt;
}

// The exception for a module whose output for noise is not finite, because then no comparison is meaningful.
class NotFinite final : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override {
    return "its output is not finite: its weights are damaged, or not for this precision";
  }
};

std::string size_text(const common::InputSize& size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width);
}

// Returns the same noise in every call with the same size.
at::Tensor noise(std::int64_t images, const common::InputSize& size) {
  auto generator = at::detail::createCPUGenerator(20);
  return at::rand({images, kChannels, size.height, size.width}, generator, at::TensorOptions().dtype(at::kFloat));
}

// Returns whether two outputs of the same module are equal within `precision`.
bool alike(const at::Tensor& a, const at::Tensor& b, Precision precision) {
  if (a.sizes() != b.sizes()) return false;
  if (a.numel() == 0) return true;
  const double tolerance = precision == Precision::kFp32 ? 1e-3 : 5e-2;
  const double largest = a.abs().max().item<double>();
  return std::isfinite(largest) && at::allclose(a, b, tolerance, tolerance * largest, true);
}

RawHead to_head(const at::Tensor& output) {
  RawHead head;
  head.values = {output.data_ptr<float>(), static_cast<std::size_t>(output.numel())};
  for (const auto side : output.sizes()) head.sides.push_back(static_cast<std::size_t>(side));
  return head;
}

}  // namespace

struct ScriptNetwork::State {
  explicit State(const DeviceUse& its_use)
      : use(its_use), pass(use, [this](const at::Tensor& images) { return compute(images); }) {}

  NetworkShape shape;
  Precision precision{Precision::kFp32};
  std::string metadata;
  ModuleFacts facts;
  torch::jit::Module loaded;  // as in the file
  torch::jit::Module module;  // as it runs
  struct Known {
    torch::jit::Module module;
    ScriptForm form;
  };
  std::optional<Known> known;  // the best way to run it, known from another size
  ScriptForm form{ScriptForm::kAsItIs};
  bool takes_batches{false};
  bool channels_last{false};
  heads::HeadLayout layout{heads::HeadLayout::kByObjectness};
  at::Tensor probe;  // the output for one image, in the processor's memory: float, contiguous
  DeviceUse use;
  ForwardPass pass;

  // Computes the outputs of all images.
  [[nodiscard]] at::Tensor compute(const at::Tensor& images) const;

  [[nodiscard]] at::Tensor run_once(const torch::jit::Module& which, const at::Tensor& images, bool last) const {
    std::vector<c10::IValue> arguments;
    arguments.emplace_back(images.to(use.device->where(), scalar_type(precision))
                               .contiguous(last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
    const auto result = torch::jit::Module(which).forward(std::move(arguments));
    const auto tensor = first_tensor(result);
    TORCH_CHECK(tensor.has_value(), "the module returns no tensor");
    TORCH_CHECK(tensor->dim() >= 2 && tensor->size(0) == images.size(0), "for ", images.size(0),
                " images its output is ", tensor->sizes());
    return tensor->to(at::kFloat).contiguous();
  }

  // Returns nullopt if the module cannot run in this way.
  [[nodiscard]] std::optional<at::Tensor> try_once(const torch::jit::Module& which, const at::Tensor& images,
                                                   bool last) const {
    try {
      return run_once(which, images, last);
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  // Sets `module` to the fastest form of `loaded`, reusing an earlier conversion if there is one, and finds out how
  // to pass images to it.
  void find_fastest(const common::InputSize& size);
  // Throws NotFinite, or LibTorch's exception if the module cannot run at that size.
  void fit_to(const common::InputSize& size);
};

void ScriptNetwork::State::find_fastest(const common::InputSize& size) {
  const auto images = noise(2, size);
  const auto first = images.narrow(0, 0, 1);
  const auto expected = run_once(loaded, first, false);
  const auto agrees = [&](const torch::jit::Module& which, bool last) {
    const auto actual = try_once(which, first, last);
    return actual && alike(expected, *actual, precision);
  };
  const auto use_if_right = [&](const torch::jit::Module& other, ScriptForm its_form) {
    if (!agrees(other, false)) return false;
    module = other;
    form = its_form;
    return true;
  };
  module = loaded;
  form = ScriptForm::kAsItIs;
  if (known) {
    use_if_right(known->module, known->form);
  } else if (const auto frozen = freeze_if_possible(loaded); frozen && use_if_right(*frozen, ScriptForm::kFrozen)) {
    if (const auto fused = fuse_if_possible(*frozen)) use_if_right(*fused, ScriptForm::kFused);
  }
  channels_last = agrees(module, true);

  const auto both = try_once(module, images, channels_last);
  const auto second = try_once(module, images.narrow(0, 1, 1), channels_last);
  takes_batches = both && second && alike(expected, both->narrow(0, 0, 1), precision) &&
                  alike(*second, both->narrow(0, 1, 1), precision);
}

void ScriptNetwork::State::fit_to(const common::InputSize& size) {
  probe = run_once(loaded, noise(1, size), false).to(at::kCPU);
  if (!at::isfinite(probe).all().item<bool>()) throw NotFinite();
  find_fastest(size);
  shape = {static_cast<std::size_t>(kChannels), size.height, size.width, 0, 0};
}

at::Tensor ScriptNetwork::State::compute(const at::Tensor& images) const {
  // As in TorchNetwork, the profiling executor would recompile without any gain.
  const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
  const auto count = images.size(0);
  at::Tensor output;
  if (takes_batches || count == 1) {
    output = run_once(module, images, channels_last);
  } else {
    std::vector<at::Tensor> outputs;
    for (std::int64_t i = 0; i < count; ++i) {
      outputs.push_back(run_once(module, images.narrow(0, i, 1), channels_last));
    }
    output = joined(std::move(outputs));
  }
  // Only the number of boxes that a network's own suppression leaves may change.
  const bool rows_may_change = probe.dim() == 3 && probe.size(2) == 6;
  const bool expected = output.dim() == probe.dim() &&
                        (rows_may_change ? output.size(2) == 6 : output.sizes().slice(1) == probe.sizes().slice(1));
  TORCH_CHECK(expected, "the network's output has an unexpected shape");
  return output;
}

ScriptNetwork::ScriptNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
ScriptNetwork::~ScriptNetwork() = default;

const NetworkShape& ScriptNetwork::shape() const { return state_->shape; }
Precision ScriptNetwork::precision() const { return state_->precision; }
const std::string& ScriptNetwork::metadata() const { return state_->metadata; }
const ModuleFacts& ScriptNetwork::facts() const { return state_->facts; }
ScriptForm ScriptNetwork::form() const { return state_->form; }

void ScriptNetwork::set_head(std::size_t candidates, std::size_t classes, heads::HeadLayout layout) {
  state_->layout = layout;
  state_->shape.candidates = candidates;
  state_->shape.classes = classes;
}

Outcome<std::unique_ptr<ScriptNetwork>> ScriptNetwork::load(const std::filesystem::path& file, Precision precision,
                                                            std::uint32_t threads, const DeviceUse& use) {
  set_thread_counts(threads);
  auto loaded = read_module_file(file, precision, use.device->where());
  if (!loaded) return std::move(loaded).error();
  auto state = std::make_unique<State>(use);
  state->precision = precision;
  state->metadata = std::move(loaded->metadata);
  state->facts = std::move(loaded->facts);
  state->loaded = std::move(loaded->module);
  return std::unique_ptr<ScriptNetwork>(new ScriptNetwork(std::move(state)));
}

Outcome<void> ScriptNetwork::fit_to(std::span<const common::InputSize> sizes) {
  const c10::InferenceMode inference;
  const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
  std::string why;
  std::optional<NotFinite> not_finite;
  for (const auto& size : sizes) {
    try {
      state_->use.device->run([&] { state_->fit_to(size); });
      return {};
    } catch (const NotFinite& error) {
      not_finite = error;
    } catch (const std::exception& error) {
      why = reason_of(error);
    }
  }
  if (not_finite) return bad_model(not_finite->what());
  if (sizes.size() == 1) {
    return bad_model("the network cannot run on an input of " + size_text(sizes.front()) + ": " + why);
  }
  return bad_model("the network accepts no input of the usual sizes: set input_size (at the last size tried, " +
                   size_text(sizes.back()) + ": " + why + ")");
}

Outcome<std::unique_ptr<ScriptNetwork>> ScriptNetwork::at_size(const common::InputSize& size) const {
  auto state = std::make_unique<State>(state_->use);
  state->precision = state_->precision;
  state->metadata = state_->metadata;
  state->loaded = state_->loaded;
  state->known = State::Known{state_->module, state_->form};
  std::unique_ptr<ScriptNetwork> network(new ScriptNetwork(std::move(state)));
  if (auto fitted = network->fit_to({&size, 1}); !fitted) return std::move(fitted).error();
  return network;
}

RawHead ScriptNetwork::probe() const { return to_head(state_->probe); }

const std::string& ScriptNetwork::device() const { return state_->use.device->name(); }

Outcome<std::unique_ptr<NetworkInput>> ScriptNetwork::new_input(std::size_t images) {
  return state_->pass.new_input(state_->shape, images);
}

Outcome<RawHead> ScriptNetwork::forward(NetworkInput& input, std::size_t images, std::span<const float> confidence) {
  const bool detects = state_->shape.candidates > 0;
  return state_->pass.run(input, images, detects ? confidence : std::span<const float>(), state_->layout);
}

void ScriptNetwork::prepare(NetworkInput& input, std::size_t images) { state_->pass.prepare(input, images); }

}  // namespace yolod::model::torchscript
