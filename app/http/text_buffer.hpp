// A text that an answer is put together in: it grows at its end, and keeps its room for the next one. As a std::string,
// but that a piece costs little more than its bytes, and that numbers are pieces; no format string is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace yolod::app::http {

class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept { swap(other); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;
  ~TextBuffer() = default;

  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  void clear() { size_ = 0; }
  void reserve(std::size_t bytes) {
    if (capacity_ < bytes) grow(bytes - size_);
  }

  TextBuffer& operator+=(std::string_view piece) {
    if (piece.empty()) return *this;
    std::memcpy(room_for(piece.size()), piece.data(), piece.size());
    size_ += piece.size();
    return *this;
  }
  template <std::size_t kSize>
  TextBuffer& operator+=(const char (&literal)[kSize]) {
    return *this += std::string_view(literal, kSize - 1);
  }
  TextBuffer& operator+=(char c) {
    *room_for(1) = c;
    ++size_;
    return *this;
  }
  void add_whole(std::uint64_t value);
  // `digits` lower case hexadecimal digits, the last ones of `value`.
  void add_hex(std::uint64_t value, int digits);
  // Microseconds as milliseconds: 20001 as 20.001.
  void add_ms(std::uint32_t us);
  // With that many decimals, 0 to 6, rounded as printf does.
  void add_fixed(float value, int decimals);
  // A JSON string with its quotes.
  void add_json(std::string_view text);

 private:
  void swap(TextBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  // Where the next `bytes` go.
  [[nodiscard]] char* room_for(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  void grow(std::size_t bytes);
  void add_padded(std::uint64_t value, int digits);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_{0};
  std::size_t capacity_{0};
};

}  // namespace yolod::app::http
