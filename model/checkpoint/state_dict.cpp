#include "model/checkpoint/state_dict.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"

namespace yolod::model::checkpoint {
namespace {

using common::Outcome;

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

struct StorageClass {
  std::string_view name;
  Dtype dtype;
};
constexpr std::array<StorageClass, 10> kStorageClasses{{
    {"torch.FloatStorage", Dtype::kFloat},
    {"torch.DoubleStorage", Dtype::kDouble},
    {"torch.HalfStorage", Dtype::kHalf},
    {"torch.BFloat16Storage", Dtype::kBFloat16},
    {"torch.LongStorage", Dtype::kLong},
    {"torch.IntStorage", Dtype::kInt},
    {"torch.ShortStorage", Dtype::kShort},
    {"torch.CharStorage", Dtype::kChar},
    {"torch.ByteStorage", Dtype::kByte},
    {"torch.BoolStorage", Dtype::kBool},
}};

constexpr std::array kAllowed = {
    kOrderedDict,
    kRebuildTensor,
    kRebuildParameter,
    kStorageClasses[0].name,
    kStorageClasses[1].name,
    kStorageClasses[2].name,
    kStorageClasses[3].name,
    kStorageClasses[4].name,
    kStorageClasses[5].name,
    kStorageClasses[6].name,
    kStorageClasses[7].name,
    kStorageClasses[8].name,
    kStorageClasses[9].name,
    std::string_view("torch.Size"),
    std::string_view("torch.device"),
    // The plain values for which protocol 2 has no opcode.
    std::string_view("_codecs.encode"),
    std::string_view("__builtin__.bytes"),
    std::string_view("__builtin__.bytearray"),
    std::string_view("__builtin__.set"),
    std::string_view("__builtin__.frozenset"),
    std::string_view("builtins.bytearray"),
    // Ultralytics' yolov3 stores its best fitness beside the weights, as a numpy value.
    std::string_view("numpy.dtype"),
    std::string_view("numpy.ndarray"),
    std::string_view("numpy.core.multiarray.scalar"),
    std::string_view("numpy.core.multiarray._reconstruct"),
    std::string_view("numpy._core.multiarray.scalar"),
    std::string_view("numpy._core.multiarray._reconstruct"),
};

// A list of any kind of items with bounds checks: returns nullptr for an index out of range.
class Items {
 public:
  Items(const Pickle& pickle, std::span<const ValueId> ids) : pickle_(pickle), ids_(ids) {}

  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] const Value& operator[](std::size_t index) const {
    static const Value none;
    return index < ids_.size() ? pickle_.at(ids_[index]) : none;
  }

 private:
  const Pickle& pickle_;
  std::span<const ValueId> ids_;
};

Items items_of(const Pickle& pickle, const Value& value) { return {pickle, value.items}; }

// Returns the name of the function that `value` calls, or an empty text.
std::string_view callee(const Pickle& pickle, const Value& value) {
  return value.kind == ValueKind::kCall ? items_of(pickle, value)[0].text : std::string_view();
}

Items arguments(const Pickle& pickle, const Value& call) { return items_of(pickle, items_of(pickle, call)[1]); }

// Returns the keys and values in turn.
std::optional<Items> dictionary(const Pickle& pickle, const Value& value) {
  if (value.kind == ValueKind::kDict) return items_of(pickle, value);
  if (callee(pickle, value) == kOrderedDict) return Items(pickle, std::span(value.items).subspan(2));
  return std::nullopt;
}

const Value* lookup(const Items& dictionary, std::string_view key) {
  for (std::size_t i = 0; i + 1 < dictionary.size(); i += 2) {
    if (dictionary[i].kind == ValueKind::kText && dictionary[i].text == key) return &dictionary[i + 1];
  }
  return nullptr;
}

std::optional<std::uint64_t> count_of(const Value& value) {
  if (value.kind != ValueKind::kInteger || value.integer < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value.integer);
}

std::optional<std::vector<std::uint64_t>> counts_of(const Pickle& pickle, const Value& value) {
  const bool is_size = callee(pickle, value) == "torch.Size";
  const auto& list = is_size ? arguments(pickle, value)[0] : value;
  if (list.kind != ValueKind::kTuple || list.items.size() > kMaxDimensions) return std::nullopt;
  std::vector<std::uint64_t> counts;
  for (const auto id : list.items) {
    const auto count = count_of(pickle.at(id));
    if (!count) return std::nullopt;
    counts.push_back(*count);
  }
  return counts;
}

struct StorageReference {
  std::string key;
  StorageType type;
  std::uint64_t offset{0};  // of a view of the storage, in elements
};

std::optional<StorageReference> storage_of(const Pickle& pickle, const Value& value) {
  if (value.kind != ValueKind::kPersistent) return std::nullopt;
  const auto parts = items_of(pickle, items_of(pickle, value)[0]);
  const auto known = std::find_if(kStorageClasses.begin(), kStorageClasses.end(),
                                  [&](const StorageClass& storage) { return storage.name == parts[1].text; });
  const auto count = count_of(parts[4]);
  const bool whole = parts[0].text == "storage" && parts[1].kind == ValueKind::kGlobal &&
                     known != kStorageClasses.end() && parts[2].kind == ValueKind::kText && count;
  if (!whole) return std::nullopt;
  StorageReference reference{std::string(parts[2].text), {known->dtype, *count}, 0};
  // In the old format a view of a storage has its own key, its start and its size.
  if (parts[5].kind == ValueKind::kTuple) {
    const auto offset = count_of(items_of(pickle, parts[5])[1]);
    if (!offset) return std::nullopt;
    reference.offset = *offset;
  }
  return reference;
}

std::optional<Tensor> tensor_of(const Pickle& pickle, const Value& value) {
  const auto* call = &value;
  if (callee(pickle, *call) == kRebuildParameter) call = &arguments(pickle, *call)[0];
  if (callee(pickle, *call) != kRebuildTensor) return std::nullopt;
  const auto parts = arguments(pickle, *call);
  auto storage = storage_of(pickle, parts[0]);
  const auto offset = count_of(parts[1]);
  auto shape = counts_of(pickle, parts[2]);
  auto strides = counts_of(pickle, parts[3]);
  if (!storage || !offset || !shape || !strides || shape->size() != strides->size()) return std::nullopt;
  Tensor tensor{storage->type.dtype, std::move(storage->key), storage->type.count, 0,
                std::move(*shape),   std::move(*strides)};
  if (__builtin_add_overflow(*offset, storage->offset, &tensor.offset)) return std::nullopt;
  return tensor;
}

Outcome<StateDict> tensors_of(const Pickle& pickle, const Items& dictionary) {
  constexpr std::string_view kParallel = "module.";
  bool all_parallel = dictionary.size() > 0;
  for (std::size_t i = 0; i < dictionary.size(); i += 2) {
    const auto name = dictionary[i].text;
    all_parallel = all_parallel && (name.starts_with(kParallel) || is_counter(name));
  }
  StateDict tensors;
  for (std::size_t i = 0; i + 1 < dictionary.size(); i += 2) {
    auto name = dictionary[i].text;
    if (dictionary[i].kind != ValueKind::kText) return bad_model("its state dict has a key that is no text");
    if (all_parallel && name.starts_with(kParallel)) name.remove_prefix(kParallel.size());
    auto tensor = tensor_of(pickle, dictionary[i + 1]);
    if (!tensor) return bad_model("\"" + common::printable(name, 100) + "\" in its state dict is no tensor");
    tensors.insert_or_assign(std::string(name), std::move(*tensor));
  }
  return tensors;
}

}  // namespace

std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kDouble:
    case Dtype::kLong: return 8;
    case Dtype::kFloat:
    case Dtype::kInt: return 4;
    case Dtype::kHalf:
    case Dtype::kBFloat16:
    case Dtype::kShort: return 2;
    case Dtype::kChar:
    case Dtype::kByte:
    case Dtype::kBool: return 1;
  }
  return 1;
}

bool is_counter(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  return last == "num_batches_tracked" || last == "total_ops" || last == "total_params";
}

std::span<const std::string_view> allowed_globals() { return kAllowed; }

Outcome<StateDict> find_state_dict(const Pickle& pickle) {
  const auto root = dictionary(pickle, pickle.root_value());
  if (!root) return bad_model("it holds no state dict");
  for (const auto* key : {"model", "ema", "state_dict"}) {
    const auto* value = lookup(*root, key);
    const auto inner = value == nullptr ? std::nullopt : dictionary(pickle, *value);
    if (inner) return tensors_of(pickle, *inner);
  }
  if (root->size() == 0 || !tensor_of(pickle, (*root)[1]))
    return bad_model("it holds no state dict, neither as \"model\", \"ema\" or \"state_dict\" nor by itself");
  return tensors_of(pickle, *root);
}

Outcome<std::map<std::string, StorageType, std::less<>>> storages_of(const Pickle& pickle) {
  std::map<std::string, StorageType, std::less<>> storages;
  for (const auto& value : pickle.values) {
    if (value.kind != ValueKind::kPersistent) continue;
    auto storage = storage_of(pickle, value);
    if (!storage) return bad_model("it refers to something that is no storage of numbers");
    storages.insert_or_assign(std::move(storage->key), storage->type);
  }
  return storages;
}

}  // namespace yolod::model::checkpoint
