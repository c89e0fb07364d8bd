// Writes and reads values in memory that two processes share. The reader does not trust the writer. Only the codecs
// of ipc/ use this file.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/domain/description.hpp"
#include "common/text.hpp"

namespace yolod::ipc {

inline constexpr std::size_t kMaxTextBytes = common::kMaxLabelBytes;

class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) {}
  template <typename T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(&value, sizeof value);
  }
  void text(std::string_view value) {
    if (value.size() > kMaxTextBytes || !common::is_utf8(value)) fits_ = false;
    number(static_cast<std::uint32_t>(value.size()));
    raw(value.data(), value.size());
  }
  void bytes(std::span<const std::byte> value) { raw(value.data(), value.size()); }
  [[nodiscard]] std::optional<std::uint64_t> written() const {
    return fits_ ? std::optional<std::uint64_t>(used_) : std::nullopt;
  }

 private:
  void raw(const void* from, std::size_t bytes) {
    if (!fits_ || bytes > out_.size() - used_) {
      fits_ = false;
      return;
    }
    if (bytes != 0) std::memcpy(out_.data() + used_, from, bytes);
    used_ += bytes;
  }

  std::span<std::byte> out_;
  std::size_t used_{0};
  bool fits_{true};
};

// After the first invalid value every further read returns zeros, and good() returns false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  template <typename T>
  T number() {
    T value{};
    raw(&value, sizeof value);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) good_ = false;
    }
    return value;
  }
  std::string text() {
    const auto bytes = number<std::uint32_t>();
    if (!good_ || bytes > kMaxTextBytes || bytes > in_.size()) {
      good_ = false;
      return {};
    }
    std::string value(bytes, '\0');
    raw(value.data(), bytes);
    if (!common::is_utf8(value)) good_ = false;
    return value;
  }
  std::vector<std::byte> bytes(std::size_t count) {
    if (!good_ || count > in_.size()) {
      good_ = false;
      return {};
    }
    std::vector<std::byte> value(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(count));
    in_ = in_.subspan(count);
    return value;
  }
  // Takes all bytes that are not yet read.
  std::vector<std::byte> rest() { return bytes(in_.size()); }
  void fail() { good_ = false; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::size_t left() const { return in_.size(); }
  [[nodiscard]] bool complete() const { return good_ && in_.empty(); }

 private:
  void raw(void* to, std::size_t bytes) {
    if (!good_ || bytes > in_.size()) {
      good_ = false;
      return;
    }
    if (bytes != 0) std::memcpy(to, in_.data(), bytes);
    in_ = in_.subspan(bytes);
  }

  std::span<const std::byte> in_;
  bool good_{true};
};

}  // namespace yolod::ipc
