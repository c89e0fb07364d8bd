// Reads and writes NumPy's .npy files, which `yolodctl infer` and models with task: tensor use. Format:
// numpy.lib.format in NumPy's documentation; it reads versions 1.0 to 3.0 and writes 1.0. Arrays are little-endian,
// in C order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/tensor.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

using common::ElementType;
using common::TensorArray;

// Any bytes are safe to pass; it allocates no more memory than their size. A bool's byte that is not 0 becomes 1. An
// Error has code kInvalidParameter.
[[nodiscard]] common::Outcome<TensorArray> parse_npy_tensor(std::string_view bytes);
// Returns the file's bytes. REQUIRES: `bytes` has the size that `shape` and the type need.
[[nodiscard]] std::string to_npy(const TensorArray& array);

struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // in C order
};

// Works like parse_npy_tensor(), for float32 only. An Error has code kInvalidParameter.
[[nodiscard]] common::Outcome<NpyArray> parse_npy(std::string_view bytes);
[[nodiscard]] common::Outcome<NpyArray> read_npy(const std::filesystem::path& file);

// REQUIRES: the product of `shape` is the number of values. Returns kSystem if writing fails.
[[nodiscard]] common::Outcome<void> write_npy(const std::filesystem::path& file, const NpyArray& array);

}  // namespace yolod::model
