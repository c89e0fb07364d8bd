// An answer's text is assembled in a TextBuffer, which keeps its memory for the next answer. The memory is fmt's.
// fmt writes whole numbers too. This class writes numbers with decimals itself, because fmt takes three times as long
// (docs/decisions.md).
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace yolod::app::http {

class TextBuffer {
 public:
  TextBuffer() = default;
  // Moving leaves an empty text. A moved fmt buffer may keep its bytes.
  TextBuffer(TextBuffer&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
    return *this;
  }
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;
  ~TextBuffer() = default;

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }
  void clear() { bytes_.clear(); }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

  TextBuffer& operator+=(std::string_view piece) {
    if (!piece.empty()) std::memcpy(add_room(piece.size()), piece.data(), piece.size());
    return *this;
  }
  // Most pieces of an answer are literals. Inlined, the copy of one is a few stores.
  template <std::size_t kSize>
  [[gnu::always_inline]] TextBuffer& operator+=(const char (&literal)[kSize]) {
    if constexpr (kSize > 1) std::memcpy(add_room(kSize - 1), literal, kSize - 1);
    return *this;
  }
  TextBuffer& operator+=(char c) {
    *add_room(1) = c;
    return *this;
  }
  void add_whole(std::uint64_t value);
  // Appends the last `digits` hexadecimal digits of `value`, in lower case.
  void add_hex(std::uint64_t value, int digits);
  // Appends a duration in milliseconds, such as 20.001.
  void add_ms(std::uint32_t us);
  // Appends `value` with 0 to 6 decimals, rounded as printf rounds.
  void add_fixed(float value, int decimals);
  // Appends a JSON string with its quotes.
  void add_json(std::string_view text);

 private:
  // Extends the text by `bytes` that are not initialized, and returns them.
  [[nodiscard, gnu::always_inline]] char* add_room(std::size_t bytes) {
    const std::size_t size = bytes_.size();
    bytes_.resize(size + bytes);
    return bytes_.data() + size;
  }
  fmt::memory_buffer bytes_;
};

}  // namespace yolod::app::http
