#include "model/torchscript/tensor_network.hpp"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "common/log.hpp"
#include "model/bad_model.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/torch/device/open_device.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torch/torch_runtime.hpp"
#include "model/torchscript/module_file.hpp"

namespace yolod::model::torchscript {
// Describes an argument of forward().
struct Slot {
  enum class Kind { kTensor, kTuple, kList };
  Kind kind{Kind::kTensor};
  std::vector<Slot> items;  // the items of a tuple
};

namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

at::ScalarType to_scalar_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat16: return at::kHalf;
    case ElementType::kFloat32: return at::kFloat;
    case ElementType::kFloat64: return at::kDouble;
    case ElementType::kInt8: return at::kChar;
    case ElementType::kInt16: return at::kShort;
    case ElementType::kInt32: return at::kInt;
    case ElementType::kInt64: return at::kLong;
    case ElementType::kUint8: return at::kByte;
    case ElementType::kBool: return at::kBool;
  }
  return at::kFloat;
}

std::optional<ElementType> to_element_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return ElementType::kFloat32;
    case at::kDouble: return ElementType::kFloat64;
    case at::kChar: return ElementType::kInt8;
    case at::kShort: return ElementType::kInt16;
    case at::kInt: return ElementType::kInt32;
    case at::kLong: return ElementType::kInt64;
    case at::kByte: return ElementType::kUint8;
    case at::kBool: return ElementType::kBool;
    default: return std::nullopt;
  }
}

std::optional<Slot> slot_for(const c10::TypePtr& type) {
  if (type->kind() == c10::TypeKind::TensorType) return Slot{};
  if (const auto optional = type->cast<c10::OptionalType>()) return slot_for(optional->getElementType());
  if (const auto list = type->cast<c10::ListType>()) {
    if (list->getElementType()->kind() != c10::TypeKind::TensorType) return std::nullopt;
    return Slot{Slot::Kind::kList, {}};
  }
  if (const auto tuple = type->cast<c10::TupleType>()) {
    Slot slot{Slot::Kind::kTuple, {}};
    for (const auto& element : tuple->elements()) {
      auto item = slot_for(element);
      if (!item || item->kind == Slot::Kind::kList) return std::nullopt;
      slot.items.push_back(std::move(*item));
    }
    return slot;
  }
  return std::nullopt;
}

void add_names(const Slot& slot, const std::string& name, std::vector<std::string>& names) {
  if (slot.kind != Slot::Kind::kTuple) {
    names.push_back(name);
    return;
  }
  for (std::size_t i = 0; i < slot.items.size(); ++i) add_names(slot.items[i], name + "." + std::to_string(i), names);
}

// Takes tensors from the front of `left`. REQUIRES: there are enough of them.
c10::IValue fill(const Slot& slot, std::span<const at::Tensor>& left) {
  switch (slot.kind) {
    case Slot::Kind::kTensor: {
      const auto tensor = left.front();
      left = left.subspan(1);
      return tensor;
    }
    case Slot::Kind::kTuple: {
      std::vector<c10::IValue> items;
      for (const auto& item : slot.items) items.push_back(fill(item, left));
      return c10::ivalue::Tuple::create(std::move(items));
    }
    case Slot::Kind::kList: {
      c10::List<at::Tensor> list;
      for (const auto& tensor : std::exchange(left, {})) list.push_back(tensor);
      return list;
    }
  }
  return {};
}

// The tensor owns the array's memory, because a module may keep its input after the request.
at::Tensor to_tensor(TensorArray array, at::ScalarType precision, c10::Device device) {
  const auto type = to_scalar_type(array.type);
  const auto options = at::TensorOptions().dtype(type);
  auto owned = std::make_shared<std::vector<std::byte>>(std::move(array.bytes));
  const auto tensor = owned->empty() ? at::empty(array.shape, options)
                                     : at::from_blob(
                                           owned->data(), array.shape, [owned](void* /*bytes*/) {}, options);
  const bool as_the_module = type == at::kHalf || type == at::kFloat;
  return tensor.to(device, as_the_module ? precision : type);
}

void add_arrays(const c10::IValue& value, const std::string& name, std::vector<NamedTensor>& arrays) {
  const auto add_all = [&](const auto& items) {
    for (const c10::IValue& item : items) add_arrays(item, "", arrays);
  };
  if (value.isTensor()) {
    auto tensor = value.toTensor();
    if (tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16) tensor = tensor.to(at::kFloat);
    const auto type = to_element_type(tensor.scalar_type());
    TORCH_CHECK(type.has_value(), "the module returns a tensor of ", tensor.scalar_type());
    tensor = tensor.to_dense().to(at::kCPU).contiguous();
    NamedTensor array{name.empty() ? "arr_" + std::to_string(arrays.size()) : name, {*type, tensor.sizes().vec(), {}}};
    array.array.bytes.resize(tensor.nbytes());
    if (tensor.nbytes() != 0) std::memcpy(array.array.bytes.data(), tensor.data_ptr(), tensor.nbytes());
    arrays.push_back(std::move(array));
  } else if (value.isTuple()) {
    add_all(value.toTupleRef().elements());
  } else if (value.isList()) {
    add_all(value.toListRef());
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      add_arrays(entry.value(), entry.key().isString() ? entry.key().toStringRef() : "", arrays);
    }
  } else if (value.isDouble()) {
    add_arrays(at::scalar_tensor(value.toDouble(), at::kDouble), name, arrays);
  } else if (value.isInt()) {
    add_arrays(at::scalar_tensor(value.toInt(), at::kLong), name, arrays);
  } else if (value.isBool()) {
    add_arrays(at::scalar_tensor(value.toBool(), at::kBool), name, arrays);
  } else {
    TORCH_CHECK(value.isNone(), "the module returns a ", value.tagKind());
  }
}

}  // namespace

struct TensorNetwork::State {
  DeviceUse use;
  torch::jit::Module module;
  common::Precision precision{common::Precision::kFp32};
  std::vector<Slot> slots;
  std::vector<std::string> inputs;
  bool takes_more{false};
};

TensorNetwork::TensorNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
TensorNetwork::~TensorNetwork() = default;

const std::vector<std::string>& TensorNetwork::inputs() const { return state_->inputs; }
bool TensorNetwork::takes_more() const { return state_->takes_more; }
common::Precision TensorNetwork::precision() const { return state_->precision; }

const std::string& TensorNetwork::device() const { return state_->use.device->name(); }

Outcome<std::unique_ptr<TensorNetwork>> TensorNetwork::load(const common::ModelConfig& config,
                                                            const LoadContext& context) {
  set_thread_counts(std::max<std::uint32_t>(1, context.threads));
  const auto& file = std::get<common::TorchScriptSource>(config.source).file;
  auto use = use_device(context);
  if (!use) return std::move(use).error();
  const auto precision = script_precision(config.precision, use->device->name());
  if (!precision) return precision.error();
  auto loaded = read_module_file(file, *precision, use->device->where());
  if (!loaded) return std::move(loaded).error();
  auto state = std::make_unique<State>();
  state->use = std::move(use).value();
  state->precision = *precision;
  const auto& arguments = loaded->module.get_method("forward").function().getSchema().arguments();
  for (std::size_t i = 1; i < arguments.size(); ++i) {  // the first argument is the module itself
    const auto& argument = arguments[i];
    auto slot = slot_for(argument.type());
    if (argument.default_value()) break;  // this argument and the later ones keep their defaults
    if (!slot || state->takes_more) {
      return bad_model(file.string() + ": forward() takes " + argument.name() + ": " + argument.type()->str() +
                       (state->takes_more ? " after a list" : "") + ", but only tensors can be sent");
    }
    add_names(*slot, argument.name(), state->inputs);
    state->takes_more = slot->kind == Slot::Kind::kList;
    state->slots.push_back(std::move(*slot));
  }
  state->module = freeze_if_possible(loaded->module).value_or(loaded->module);
  return std::unique_ptr<TensorNetwork>(new TensorNetwork(std::move(state)));
}

Outcome<std::vector<NamedTensor>> TensorNetwork::run(std::vector<TensorArray> arrays) {
  const auto& use = state_->use;
  std::string why;
  try {
    const c10::InferenceMode inference;
    const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
    std::vector<NamedTensor> results;
    use.device->run([&] {
      std::vector<at::Tensor> tensors;
      for (auto& array : arrays) {
        tensors.push_back(to_tensor(std::move(array), scalar_type(state_->precision), use.device->where()));
      }
      std::span<const at::Tensor> left(tensors);
      std::vector<c10::IValue> arguments;
      for (const auto& slot : state_->slots) arguments.push_back(fill(slot, left));
      add_arrays(state_->module.forward(std::move(arguments)), "", results);
    });
    return results;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kInternal, "no memory for the forward pass"};
  } catch (const std::exception& error) {
    if (use.device->is_far() && is_out_of_memory(error)) {
      use.device->free_unused();
      return Error{ErrorCode::kInternal, "no memory on " + use.device->name() + " for the forward pass"};
    }
    why = reason_of(error);
  }
  common::log_debug("the module throws: {}", why);
  use.tell_if_lost(why);
  return Error{ErrorCode::kBadRequest, "the model cannot be run on arrays of these shapes and types"};
}

bool narrow(TensorArray& array) {
  if (array.type != ElementType::kFloat32) return true;
  try {
    const std::int64_t count = static_cast<std::int64_t>(array.bytes.size() / sizeof(float));
    const auto half = at::from_blob(array.bytes.data(), {count}, at::TensorOptions().dtype(at::kFloat)).to(at::kHalf);
    array.type = ElementType::kFloat16;
    array.bytes.resize(half.nbytes());
    if (half.nbytes() != 0) std::memcpy(array.bytes.data(), half.data_ptr(), half.nbytes());
    return true;
  } catch (const std::exception&) {  // LibTorch has its own exception for a lack of memory
    return false;
  }
}

}  // namespace yolod::model::torchscript
