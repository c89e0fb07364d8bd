// Secret holds bytes that must not stay in memory: passwords, tokens, keys and the messages that carry them.
#pragma once

#include <sodium.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace yolod::app::accounts::protocol {

// The destructor overwrites the bytes. A Secret moves without a copy and never grows, so no other place in memory has
// had the bytes. It has a single owner.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text.empty() ? nullptr : new char[text.size()]), size_(text.size()) {
    if (size_ != 0) text.copy(bytes_.get(), size_);
  }
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  [[nodiscard]] Secret clone() const { return Secret(view()); }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // This is for tests. The time of the comparison depends on the bytes.
  friend bool operator==(const Secret& a, const Secret& b) { return a.view() == b.view(); }

 private:
  void wipe() {
    if (size_ != 0) sodium_memzero(bytes_.get(), size_);
    bytes_.reset();
    size_ = 0;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_{0};
};

}  // namespace yolod::app::accounts::protocol
