// The tensors of a PyTorch checkpoint by name, as its pickle describes them: types, shapes, and where in which storage
// their values lie. Values are read by checkpoint.hpp.
//
// After torch/serialization.py and torch/_utils.py of PyTorch 1.13: the persistent ids ('storage', type, key, location,
// count[, view]) and _rebuild_tensor_v2(storage, offset, size, stride, ...).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/checkpoint/pickle.hpp"

namespace yolod::model::checkpoint {

enum class Dtype : std::uint8_t { kFloat, kDouble, kHalf, kBFloat16, kLong, kInt, kShort, kChar, kByte, kBool };

[[nodiscard]] std::size_t size_of(Dtype dtype);

// Nothing of it is checked against a storage.
struct Tensor {
  Dtype dtype{Dtype::kFloat};
  std::string storage;                 // its key
  std::uint64_t storage_count{0};      // elements that the whole storage is said to have
  std::uint64_t offset{0};             // of the first element in the storage, in elements; so are strides
  std::vector<std::uint64_t> shape;    // at most kMaxDimensions
  std::vector<std::uint64_t> strides;  // as many
};

inline constexpr std::size_t kMaxDimensions = 8;

using StateDict = std::map<std::string, Tensor, std::less<>>;

// What a checkpoint's pickles may name; none of it is more than a mark to this program.
[[nodiscard]] std::span<const std::string_view> allowed_globals();

// Whether that is a buffer of counts that is no part of the network: batches seen in training, or what the profiler
// thop leaves in every module.
[[nodiscard]] bool is_counter(std::string_view name);

// Takes the dictionary of tensors under "model", "ema" or "state_dict" in the pickle's own, or that itself where it is
// one. "module." before all names, as data-parallel training leaves it, is dropped. An Error is kBadModel, without the
// file's name.
[[nodiscard]] common::Outcome<StateDict> find_state_dict(const Pickle& pickle);

// A storage as the pickle speaks of it.
struct StorageType {
  Dtype dtype{Dtype::kFloat};
  std::uint64_t count{0};  // elements
};

// All storages of the pickle by key, for what cannot be told apart without their sizes: a file of the old format. An
// Error as above.
[[nodiscard]] common::Outcome<std::map<std::string, StorageType, std::less<>>> storages_of(const Pickle& pickle);

}  // namespace yolod::model::checkpoint
