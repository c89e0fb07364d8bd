// An interface for bytes that can be read at any offset: a file or a memory buffer. The content is hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace yolod::model {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;

  // Fills `into` with the bytes from `offset`. Returns false if the source ends before, or if reading fails.
  [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> into) const = 0;

  // Returns the bytes as a string. It allocates memory only if the source has that many bytes.
  [[nodiscard]] std::optional<std::string> bytes(std::uint64_t offset, std::uint64_t length) const;

 protected:
  ByteSource() = default;
  ByteSource(const ByteSource&) = default;
  ByteSource(ByteSource&&) = default;
  ByteSource& operator=(const ByteSource&) = default;
  ByteSource& operator=(ByteSource&&) = default;
};

// Reads from memory that the caller owns.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  std::string_view bytes_;
};

// Reads a little-endian number from the first bytes of `from`. REQUIRES: `from` has at least `byte_count` bytes.
[[nodiscard]] std::uint64_t little_endian(std::span<const std::byte> from, std::size_t byte_count);

}  // namespace yolod::model
