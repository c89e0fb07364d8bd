#include "model/torch/onednn/fuse.hpp"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/library.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/torch/onednn/concatenation.hpp"
#include "model/torch/onednn/convolution.hpp"
#include "model/torch/onednn/max_pool.hpp"
#include "model/torch/onednn/shared_convolutions.hpp"

namespace yolod::model::onednn {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::IValue;
using torch::jit::Node;
using torch::jit::Symbol;
using torch::jit::Value;

at::Tensor convolve(const at::Tensor& input, const c10::intrusive_ptr<Convolution>& convolution) {
  return convolution->run(input, nullptr);
}

at::Tensor convolve_add(const at::Tensor& input, const at::Tensor& addend,
                        const c10::intrusive_ptr<Convolution>& convolution) {
  return convolution->run(input, &addend);
}

at::Tensor max_pool(const at::Tensor& input, const c10::intrusive_ptr<MaxPool>& pool) { return pool->run(input); }

at::Tensor concatenate(const std::vector<at::Tensor>& maps, const c10::intrusive_ptr<Concatenation>& concatenation) {
  return concatenation->run(maps);
}

TORCH_LIBRARY(yolod, library) {
  library.class_<Convolution>("Convolution");
  library.class_<Concatenation>("Concatenation");
  library.class_<MaxPool>("MaxPool");
  library.def("convolve(Tensor x, __torch__.torch.classes.yolod.Convolution c) -> Tensor", convolve);
  library.def("convolve_add(Tensor x, Tensor y, __torch__.torch.classes.yolod.Convolution c) -> Tensor", convolve_add);
  library.def("concatenate(Tensor[] maps, __torch__.torch.classes.yolod.Concatenation c) -> Tensor", concatenate);
  library.def("max_pool(Tensor x, __torch__.torch.classes.yolod.MaxPool p) -> Tensor", max_pool);
}

bool is(const Node* node, const char* name) {
  // If no other node uses the value, an operator and its in-place form have the same effect.
  const std::string kind = node->kind().toQualString();
  return kind == name || kind == std::string(name) + "_";
}

std::optional<IValue> constant(Node* node, std::size_t input) { return torch::jit::toIValue(node->input(input)); }

std::optional<double> constant_number(Node* node, std::size_t input) {
  const auto value = constant(node, input);
  if (!value || !value->isScalar()) return std::nullopt;
  return value->toScalar().toDouble();
}

std::optional<std::array<std::int64_t, 2>> constant_pair(Node* node, std::size_t input) {
  const auto value = constant(node, input);
  if (!value || !value->isIntList()) return std::nullopt;
  const auto list = value->toIntVector();
  if (list.size() == 1) return std::array<std::int64_t, 2>{list[0], list[0]};
  if (list.size() != 2) return std::nullopt;
  return std::array<std::int64_t, 2>{list[0], list[1]};
}

// Returns the only node that uses `value`, if it follows in the same block and takes the value as its first input.
Node* only_user(const Value* value) {
  if (value->uses().size() != 1) return nullptr;
  Node* user = value->uses().front().user;
  return user->owningBlock() == value->node()->owningBlock() ? user : nullptr;
}

std::optional<Elementwise> elementwise_of(Node* node) {
  using dnnl::algorithm;
  if (is(node, "aten::relu")) return Elementwise{algorithm::eltwise_relu};
  if (is(node, "aten::sigmoid")) return Elementwise{algorithm::eltwise_logistic};
  if (is(node, "aten::tanh")) return Elementwise{algorithm::eltwise_tanh};
  if (is(node, "aten::silu")) return Elementwise{algorithm::eltwise_swish, 1};
  if (is(node, "aten::mish")) return Elementwise{algorithm::eltwise_mish};
  if (is(node, "aten::leaky_relu")) {
    const auto slope = constant_number(node, 1);
    if (slope) return Elementwise{algorithm::eltwise_relu, static_cast<float>(*slope)};
  }
  if (is(node, "aten::clamp") || is(node, "aten::hardtanh")) {
    const auto low = constant_number(node, 1);
    const auto high = constant_number(node, 2);
    if (low && high) return Elementwise{algorithm::eltwise_clip, static_cast<float>(*low), static_cast<float>(*high)};
  }
  return std::nullopt;
}

// Follows the activations that apply to `value` only, and returns the value after the last of them.
Value* take_activations(Value* value, std::vector<Elementwise>& activations, std::vector<Node*>& taken) {
  while (Node* user = only_user(value)) {
    const auto step = elementwise_of(user);
    if (!step || user->input(0) != value) break;
    activations.push_back(*step);
    taken.push_back(user);
    value = user->output();
  }
  return value;
}

std::optional<ConvolutionSettings> settings_of(Node* node) {
  const bool plain = is(node, "aten::conv2d");
  if (!plain && !is(node, "aten::_convolution")) return std::nullopt;
  ConvolutionSettings settings;
  const auto stride = constant_pair(node, 3);
  const auto padding = constant_pair(node, 4);
  const auto dilation = constant_pair(node, 5);
  const auto groups = constant(node, plain ? 6 : 8);
  if (!stride || !padding || !dilation || !groups || !groups->isInt()) return std::nullopt;
  if (!plain) {
    const auto transposed = constant(node, 6);
    if (!transposed || !transposed->isBool() || transposed->toBool()) return std::nullopt;
  }
  settings.stride = *stride;
  settings.padding = *padding;
  settings.dilation = *dilation;
  settings.groups = groups->toInt();
  return settings;
}

// A constant may have another shape than the map to which it is added.
bool adds_maps(Node* node) {
  return is(node, "aten::add") && node->inputs().size() == 3 && constant_number(node, 2) == 1.0 && !constant(node, 0) &&
         !constant(node, 1);
}

class Rewriter {
 public:
  Rewriter(torch::jit::Module& module, bool fuse_sums, SharedConvolutions* shared)
      : module_(module), graph_(module.get_method("forward").graph()), fuse_sums_(fuse_sums), shared_(shared) {}

  void run() {
    rewrite(graph_->block());
    torch::jit::EliminateDeadCode(graph_);
  }

 private:
  void rewrite(Block* block) {
    std::vector<Node*> convolutions;
    std::vector<Node*> pools;
    std::vector<Node*> concatenations;
    for (Node* node : block->nodes()) {
      for (Block* inner : node->blocks()) rewrite(inner);
      if (is(node, "aten::conv2d") || is(node, "aten::_convolution")) convolutions.push_back(node);
      if (is(node, "aten::max_pool2d")) pools.push_back(node);
      if (is(node, "aten::cat") && constant_number(node, 1) == 1.0) concatenations.push_back(node);
    }
    for (Node* node : convolutions) rewrite_convolution(node);
    for (Node* node : pools) rewrite_max_pool(node);
    for (Node* node : concatenations) {
      replace(node, node->output(), "yolod::concatenate", {node->input(0)},
              IValue(c10::make_intrusive<Concatenation>()));
      node->destroy();
    }
  }

  void rewrite_convolution(Node* node) {
    auto settings = settings_of(node);
    const auto weight = constant(node, 1);
    const auto bias = constant(node, 2);
    if (!settings || !weight || !weight->isTensor() || !bias || !(bias->isTensor() || bias->isNone())) return;
    const auto kernel = weight->toTensor();
    if (kernel.dim() != 4 || (kernel.scalar_type() != at::kFloat && kernel.scalar_type() != at::kBFloat16)) return;
    // Check the values, because a branch that is never taken may contain invalid ones.
    if (settings->groups < 1 || kernel.size(0) % settings->groups != 0 || kernel.numel() == 0) return;
    if (bias->isTensor() && (bias->toTensor().dim() != 1 || bias->toTensor().size(0) != kernel.size(0))) return;

    std::vector<Node*> taken{node};
    std::vector<Value*> inputs{node->input(0)};
    Node* place = node;
    Value* result = take_activations(node->output(), settings->activations, taken);
    if (Node* sum = fuse_sums_ ? only_user(result) : nullptr; sum != nullptr && adds_maps(sum)) {
      inputs.push_back(sum->input(0) == result ? sum->input(1) : sum->input(0));
      settings->adds = true;
      taken.push_back(sum);
      place = sum;  // both inputs are known there
      result = take_activations(sum->output(), settings->activations_of_sum, taken);
    }
    const bool adds = settings->adds;
    const auto offsets = bias->isTensor() ? bias->toTensor() : at::Tensor();
    const auto convolution = shared_ != nullptr ? shared_->find_or_make(kernel, offsets, *settings)
                                                : c10::make_intrusive<Convolution>(kernel, offsets, *settings);
    replace(place, result, adds ? "yolod::convolve_add" : "yolod::convolve", std::move(inputs), IValue(convolution));
    for (auto done = taken.rbegin(); done != taken.rend(); ++done) (*done)->destroy();  // destroy the users first
  }

  // A padding with -infinity before the pooling becomes a part of the pooling.
  void rewrite_max_pool(Node* node) {
    const auto window = constant_pair(node, 1);
    const auto stride = constant(node, 2);
    const auto padding = constant_pair(node, 3);
    const auto dilation = constant_pair(node, 4);
    const auto rounds_up = constant(node, 5);
    if (!window || !stride || !stride->isIntList() || !padding || !dilation || !rounds_up || !rounds_up->isBool())
      return;
    if (rounds_up->toBool() || *dilation != std::array<std::int64_t, 2>{1, 1}) return;
    MaxPoolSettings settings{*window, *window, *padding, *padding};
    if (!stride->toIntVector().empty()) settings.stride = *constant_pair(node, 2);

    std::vector<Node*> taken{node};
    Value* input = node->input(0);
    if (Node* pad = input->node(); is(pad, "aten::constant_pad_nd") && only_user(input) == node) {
      const auto amounts = constant(pad, 1);
      const auto value = constant_number(pad, 2);
      if (amounts && amounts->isIntList() && amounts->toIntVector().size() == 4 && value && std::isinf(*value) &&
          *value < 0 && *padding == std::array<std::int64_t, 2>{0, 0}) {
        const auto sides = amounts->toIntVector();  // left, right, above, below
        settings.padding_before = {sides[2], sides[0]};
        settings.padding_after = {sides[3], sides[1]};
        taken.push_back(pad);
        input = pad->input(0);
      }
    }
    replace(node, node->output(), "yolod::max_pool", {input}, IValue(c10::make_intrusive<MaxPool>(settings)));
    for (Node* done : taken) done->destroy();
  }

  // Inserts operator(inputs..., object) before `place` and replaces all uses of `result`. The module holds the
  // object.
  void replace(Node* place, Value* result, const char* operation, std::vector<Value*> inputs, const IValue& object) {
    const auto name = "yolod_fused_" + std::to_string(count_++);
    module_.register_attribute(name, object.type(), object);
    const torch::jit::WithInsertPoint insert(place);
    inputs.push_back(graph_->insertGetAttr(graph_->inputs().front(), name));
    Node* made = graph_->insertNode(graph_->create(Symbol::fromQualString(operation), inputs));
    made->output()->setType(torch::jit::TensorType::get());
    result->replaceAllUsesWith(made->output());
  }

  torch::jit::Module& module_;
  std::shared_ptr<Graph> graph_;
  bool fuse_sums_;
  SharedConvolutions* shared_;
  int count_{0};
};

}  // namespace

void fuse(torch::jit::Module& frozen, bool fuse_sums, SharedConvolutions* shared) {
  Rewriter(frozen, fuse_sums, shared).run();
}

}  // namespace yolod::model::onednn
