// Tensors as plain bytes, for the input and the output of a model with task: tensor. The types hold plain values, which
// any thread may use. This file does not use torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {

// The numbers cross shared memory (ipc/prediction_codec.hpp).
enum class ElementType : std::uint32_t {
  kFloat16 = 1,
  kFloat32 = 2,
  kFloat64 = 3,
  kInt8 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kUint8 = 8,
  kBool = 9,
};

[[nodiscard]] std::size_t element_bytes(ElementType type);
// Returns NumPy's name of the type, such as "float32" for kFloat32.
[[nodiscard]] std::string_view to_string(ElementType type);
// Returns nullopt if no type has this number.
[[nodiscard]] std::optional<ElementType> element_type_from(std::uint32_t number);

// The most dimensions that a tensor may have.
inline constexpr std::size_t kMaxDimensions = 16;

// The most tensors that a model may take or give, because each name is compared with all others.
inline constexpr std::size_t kMaxTensors = 256;

struct TensorArray {
  ElementType type{ElementType::kFloat32};
  std::vector<std::int64_t> shape;  // no side is negative
  std::vector<std::byte> bytes;     // the elements in C order, little-endian

  friend bool operator==(const TensorArray&, const TensorArray&) = default;
};

// Returns the size of a tensor of this shape, or nullopt if a side is negative or the size does not fit.
[[nodiscard]] std::optional<std::size_t> array_bytes(ElementType type, const std::vector<std::int64_t>& shape);

struct NamedTensor {
  std::string name;
  TensorArray array;

  friend bool operator==(const NamedTensor&, const NamedTensor&) = default;
};

}  // namespace yolod::common
