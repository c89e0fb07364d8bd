#include "common/oip/data_type.hpp"

#include <algorithm>
#include <array>

namespace yolod::common::oip {
namespace {

struct TypeEntry {
  std::string_view config_name;
  std::size_t bytes;
};

constexpr std::size_t kPrefix = std::string_view("TYPE_").size();

// The index is the value of the type.
constexpr std::array<TypeEntry, 14> kEntries{{
    {"TYPE_BOOL", 1},
    {"TYPE_UINT8", 1},
    {"TYPE_UINT16", 2},
    {"TYPE_UINT32", 4},
    {"TYPE_UINT64", 8},
    {"TYPE_INT8", 1},
    {"TYPE_INT16", 2},
    {"TYPE_INT32", 4},
    {"TYPE_INT64", 8},
    {"TYPE_FP16", 2},
    {"TYPE_BF16", 2},
    {"TYPE_FP32", 4},
    {"TYPE_FP64", 8},
    {"TYPE_STRING", 0},
}};

}  // namespace

std::string_view config_name(DataType type) { return kEntries.at(static_cast<std::size_t>(type)).config_name; }

std::string_view to_string(DataType type) {
  return type == DataType::kBytes ? "BYTES" : config_name(type).substr(kPrefix);
}

std::optional<DataType> data_type_from(std::string_view name) {
  for (std::size_t i = 0; i < kEntries.size(); ++i) {
    const auto type = static_cast<DataType>(i);
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

std::size_t element_bytes(DataType type) { return kEntries.at(static_cast<std::size_t>(type)).bytes; }

DataType data_type_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat16: return DataType::kFp16;
    case ElementType::kFloat32: return DataType::kFp32;
    case ElementType::kFloat64: return DataType::kFp64;
    case ElementType::kInt8: return DataType::kInt8;
    case ElementType::kInt16: return DataType::kInt16;
    case ElementType::kInt32: return DataType::kInt32;
    case ElementType::kInt64: return DataType::kInt64;
    case ElementType::kUint8: return DataType::kUint8;
    case ElementType::kBool: return DataType::kBool;
  }
  return DataType::kFp32;
}

}  // namespace yolod::common::oip
