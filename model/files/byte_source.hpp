// Bytes that are read at any offset: a file, or what is in memory. What they say is as hostile as where they are from.
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

  // Fills `into` from `offset` on; false where the bytes end before, or cannot be read.
  [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> into) const = 0;

  // The same as a string, which is only allocated where there are as many.
  [[nodiscard]] std::optional<std::string> bytes(std::uint64_t offset, std::uint64_t length) const;

 protected:
  ByteSource() = default;
  ByteSource(const ByteSource&) = default;
  ByteSource(ByteSource&&) = default;
  ByteSource& operator=(const ByteSource&) = default;
  ByteSource& operator=(ByteSource&&) = default;
};

// Refers to the bytes.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  std::string_view bytes_;
};

// Little-endian, from the first bytes of `from`, which must hold as many.
[[nodiscard]] std::uint64_t little_endian(std::span<const std::byte> from, std::size_t byte_count);

}  // namespace yolod::model
