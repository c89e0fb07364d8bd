#include "common/domain/tensor.hpp"

#include <array>

namespace yolod::common {
namespace {

struct Type {
  std::string_view name;
  std::size_t bytes;
};

// By the number of the type, less 1.
constexpr std::array<Type, 9> kTypes{{
    {"float16", 2},
    {"float32", 4},
    {"float64", 8},
    {"int8", 1},
    {"int16", 2},
    {"int32", 4},
    {"int64", 8},
    {"uint8", 1},
    {"bool", 1},
}};

const Type& entry_of(ElementType type) { return kTypes.at(static_cast<std::size_t>(type) - 1); }

}  // namespace

std::size_t element_bytes(ElementType type) { return entry_of(type).bytes; }

std::string_view to_string(ElementType type) { return entry_of(type).name; }

std::optional<ElementType> element_type_from(std::uint32_t number) {
  if (number < 1 || number > kTypes.size()) return std::nullopt;
  return static_cast<ElementType>(number);
}

std::optional<std::size_t> array_bytes(ElementType type, const std::vector<std::int64_t>& shape) {
  std::size_t bytes = element_bytes(type);
  for (const std::int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(side), &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace yolod::common
