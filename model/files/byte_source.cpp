#include "model/files/byte_source.hpp"

#include <algorithm>

namespace yolod::model {

std::optional<std::string> ByteSource::bytes(std::uint64_t offset, std::uint64_t length) const {
  if (offset > size() || length > size() - offset) return std::nullopt;
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!read(offset, std::as_writable_bytes(std::span(text)))) return std::nullopt;
  return text;
}

bool MemorySource::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > bytes_.size() || into.size() > bytes_.size() - offset) return false;
  const auto from = std::as_bytes(std::span(bytes_)).subspan(static_cast<std::size_t>(offset), into.size());
  std::copy(from.begin(), from.end(), into.begin());
  return true;
}

std::uint64_t little_endian(std::span<const std::byte> from, std::size_t byte_count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < byte_count; ++i) value |= std::to_integer<std::uint64_t>(from[i]) << (8 * i);
  return value;
}

}  // namespace yolod::model
