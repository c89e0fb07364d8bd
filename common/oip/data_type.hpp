// The types of tensors in the Open Inference Protocol. The front-end and the workers use them. Pure functions; any
// thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/domain/tensor.hpp"

namespace yolod::common::oip {

enum class DataType : std::uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
  kBytes,
};

// Returns the protocol's name, such as "FP32".
[[nodiscard]] std::string_view to_string(DataType type);
// Returns the name in a model's configuration, such as "TYPE_FP32".
[[nodiscard]] std::string_view config_name(DataType type);
[[nodiscard]] std::optional<DataType> data_type_from(std::string_view name);

// Returns the size of an element, or 0 for kBytes.
[[nodiscard]] std::size_t element_bytes(DataType type);

[[nodiscard]] DataType data_type_of(ElementType type);

}  // namespace yolod::common::oip
