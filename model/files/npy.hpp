// NumPy's .npy files: the tensors that `yolodctl infer` reads and writes, and those of models with task: tensor.
// Format: numpy.lib.format in NumPy's documentation, versions 1.0 to 3.0; written as 1.0. Little-endian, in C order.
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

// Any bytes are safe to pass: no more is allocated than there are. A bool's byte that is not 0 becomes 1. An Error is
// kInvalidParameter.
[[nodiscard]] common::Outcome<TensorArray> parse_npy_tensor(std::string_view bytes);
// The file's bytes. `bytes` must be as many as `shape` asks for.
[[nodiscard]] std::string to_npy(const TensorArray& array);

struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // in C order
};

// The same for float32 alone. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<NpyArray> parse_npy(std::string_view bytes);
[[nodiscard]] common::Outcome<NpyArray> read_npy(const std::filesystem::path& file);

// The product of `shape` must be the number of values. A failure to write is kSystem.
[[nodiscard]] common::Outcome<void> write_npy(const std::filesystem::path& file, const NpyArray& array);

}  // namespace yolod::model
