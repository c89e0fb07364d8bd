// NumPy's .npy files of float32: the tensors that `yolodctl infer` reads and writes.
// Format: numpy.lib.format in NumPy's documentation, versions 1.0 to 3.0; written as 1.0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model {

struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // in C order
};

// Any bytes are safe to pass. Only little-endian float32 in C order is read. An Error is kInvalidParameter.
[[nodiscard]] common::Outcome<NpyArray> parse_npy(std::string_view bytes);
[[nodiscard]] common::Outcome<NpyArray> read_npy(const std::filesystem::path& file);

// The product of `shape` must be the number of values. A failure to write is kSystem.
[[nodiscard]] common::Outcome<void> write_npy(const std::filesystem::path& file, const NpyArray& array);

}  // namespace yolod::model
