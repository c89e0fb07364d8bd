// Finds the tensors of a PyTorch checkpoint by name in its pickle: their types, shapes, and the positions of their
// values in the storages. checkpoint.hpp reads the values.
//
// The code follows torch/serialization.py and torch/_utils.py of PyTorch 1.13: the persistent ids ('storage', type,
// key, location, count[, view]) and _rebuild_tensor_v2(storage, offset, size, stride, ...).
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

// These values are not yet checked against the storage.
struct Tensor {
  Dtype dtype{Dtype::kFloat};
  std::string storage;                 // the key of the storage
  std::uint64_t storage_count{0};      // the number of elements in the whole storage, according to the pickle
  std::uint64_t offset{0};             // of the first element in the storage; offset and strides count elements
  std::vector<std::uint64_t> shape;    // at most kMaxDimensions
  std::vector<std::uint64_t> strides;  // one for each dimension
};

inline constexpr std::size_t kMaxDimensions = 8;

using StateDict = std::map<std::string, Tensor, std::less<>>;

// Returns the names that a checkpoint's pickles may contain. This program uses them only as marks.
[[nodiscard]] std::span<const std::string_view> allowed_globals();

// Returns whether the tensor is a counter that does not belong to the network: the number of batches seen in
// training, or a count that the profiler thop leaves in every module.
[[nodiscard]] bool is_counter(std::string_view name);

// Returns the dictionary of tensors under "model", "ema" or "state_dict" in the pickle, or the pickle's own
// dictionary if that has tensors. It removes "module." before all names, which data-parallel training adds. An Error
// has code kBadModel and does not name the file.
[[nodiscard]] common::Outcome<StateDict> find_state_dict(const Pickle& pickle);

// A storage as the pickle describes it.
struct StorageType {
  Dtype dtype{Dtype::kFloat};
  std::uint64_t count{0};  // in elements
};

// Returns all storages of the pickle by key. A file of the old format needs their sizes to locate them. Errors are as
// above.
[[nodiscard]] common::Outcome<std::map<std::string, StorageType, std::less<>>> storages_of(const Pickle& pickle);

}  // namespace yolod::model::checkpoint
