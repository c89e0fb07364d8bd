// Reads numbers from hostile bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/image/codec/probe.hpp"

namespace yolod::model::image::codec {

// A read past the end returns 0 and sets past_end(), so a parser needs only one check.
class ByteReader {
 public:
  ByteReader(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint8_t u8(std::uint64_t at) {
    if (at >= bytes_.size()) {
      past_end_ = true;
      return 0;
    }
    return std::to_integer<std::uint8_t>(bytes_[static_cast<std::size_t>(at)]);
  }
  [[nodiscard]] std::uint32_t u16(std::uint64_t at) { return unsigned_at(at, 2); }
  [[nodiscard]] std::uint32_t u24(std::uint64_t at) { return unsigned_at(at, 3); }
  [[nodiscard]] std::uint32_t u32(std::uint64_t at) { return unsigned_at(at, 4); }
  [[nodiscard]] bool past_end() const { return past_end_; }

 private:
  std::uint32_t unsigned_at(std::uint64_t at, unsigned count) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      const std::uint32_t byte = u8(at + i);
      value |= byte << (8 * (big_endian_ ? count - 1 - i : i));
    }
    return value;
  }

  Bytes bytes_;
  bool big_endian_;
  bool past_end_{false};
};

[[nodiscard]] inline bool begins_with(Bytes file, std::string_view magic, std::size_t at = 0) {
  if (file.size() < at || file.size() - at < magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (std::to_integer<unsigned char>(file[at + i]) != static_cast<unsigned char>(magic[i])) return false;
  }
  return true;
}

[[nodiscard]] inline const std::uint8_t* as_u8(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace yolod::model::image::codec
