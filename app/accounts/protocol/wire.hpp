// Writer and Reader write and read the values of a message in sequence. A Reader does not trust the writer. Only the
// codecs use them. Numbers are little-endian.
//
// `fields(archive, value)` lists the fields of a message for both directions: `archive` is a Writer or a Reader, and
// the type of `value` is Archive::Ref<T>.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "app/accounts/protocol/messages.hpp"
#include "app/accounts/protocol/secret.hpp"
#include "common/text.hpp"

namespace yolod::app::accounts::protocol {

// Writes into its own buffer, which the destructor overwrites.
class Writer {
 public:
  template <typename T>
  using Ref = const T&;

  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { sodium_memzero(bytes_.data(), used_); }

  template <typename T>
  void number(const T& value) {
    static_assert(std::is_integral_v<T>);
    auto rest = static_cast<std::uint64_t>(value);
    std::array<char, sizeof(T)> bytes{};
    for (char& byte : bytes) {
      byte = static_cast<char>(rest & 0xFFU);
      rest >>= 8U;
    }
    raw({bytes.data(), bytes.size()});
  }
  template <typename T>
  void enumeration(const T& value, T /*last*/) {
    number(static_cast<std::uint8_t>(value));
  }
  void flag(const bool& value) { number(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void text(const std::string& value, std::size_t most) { sized(value, most); }
  void secret(const Secret& value, std::size_t most) { sized(value.view(), most); }
  void digest(const Digest& value) { raw({reinterpret_cast<const char*>(value.data()), value.size()}); }
  template <typename T, typename Each>
  void list(const std::vector<T>& values, std::size_t most, Each&& each) {
    if (values.size() > most) fits_ = false;
    number(static_cast<std::uint16_t>(values.size()));
    for (const T& value : values) each(*this, value);
  }
  template <typename... T>
  void choice(const std::variant<T...>& value) {
    number(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& chosen) { fields(*this, chosen); }, value);
  }

  // The result is empty if a value did not fit.
  [[nodiscard]] Secret take() const { return fits_ ? Secret({bytes_.data(), used_}) : Secret(); }

 private:
  void sized(std::string_view value, std::size_t most) {
    if (value.size() > most) fits_ = false;
    number(static_cast<std::uint16_t>(value.size()));
    raw(value);
  }
  void raw(std::string_view value) {
    if (!fits_ || value.size() > bytes_.size() - used_) {
      fits_ = false;
      return;
    }
    value.copy(bytes_.data() + used_, value.size());
    used_ += value.size();
  }

  std::array<char, kMaxMessageBytes> bytes_{};
  std::size_t used_{0};
  bool fits_{true};
};

// After the first invalid value every further read gives zeros, and complete() returns false.
class Reader {
 public:
  template <typename T>
  using Ref = T&;

  explicit Reader(std::string_view in) : in_(in) {}

  template <typename T>
  void number(T& value) {
    static_assert(std::is_integral_v<T>);
    const auto bytes = raw(sizeof(T));
    std::uint64_t read = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) read = read << 8U | static_cast<std::uint8_t>(bytes[i - 1]);
    value = static_cast<T>(read);
  }
  template <typename T>
  void enumeration(T& value, T last) {
    std::uint8_t read = 0;
    number(read);
    if (read > static_cast<std::uint8_t>(last)) return fail();
    value = static_cast<T>(read);
  }
  void flag(bool& value) {
    std::uint8_t read = 0;
    number(read);
    if (read > 1) return fail();
    value = read == 1;
  }
  void text(std::string& value, std::size_t most) {
    const auto read = sized(most);
    if (!common::is_utf8(read)) return fail();
    value.assign(read);
  }
  void secret(Secret& value, std::size_t most) { value = Secret(sized(most)); }
  void digest(Digest& value) {
    const auto read = raw(value.size());
    read.copy(reinterpret_cast<char*>(value.data()), value.size());
  }
  template <typename T, typename Each>
  void list(std::vector<T>& values, std::size_t most, Each&& each) {
    std::uint16_t count = 0;
    number(count);
    if (count > most) return fail();
    for (std::uint16_t i = 0; i < count && good_; ++i) each(*this, values.emplace_back());
  }
  template <typename... T>
  void choice(std::variant<T...>& value) {
    std::uint8_t index = 0;
    number(index);
    if (index >= sizeof...(T)) return fail();
    choose(value, index, std::index_sequence_for<T...>{});
  }

  void fail() {
    good_ = false;
    in_ = {};
  }
  [[nodiscard]] bool complete() const { return good_ && in_.empty(); }

 private:
  template <typename Variant, std::size_t... kIndex>
  void choose(Variant& value, std::size_t index, std::index_sequence<kIndex...> /*all*/) {
    (void)((index == kIndex && (fields(*this, value.template emplace<kIndex>()), true)) || ...);
  }
  std::string_view sized(std::size_t most) {
    std::uint16_t size = 0;
    number(size);
    if (size > most) fail();
    return raw(size);
  }
  std::string_view raw(std::size_t size) {
    if (!good_ || size > in_.size()) {
      fail();
      return {};
    }
    const auto read = in_.substr(0, size);
    in_.remove_prefix(size);
    return read;
  }

  std::string_view in_;
  bool good_{true};
};

// The type of a value that an archive writes or reads.
template <typename A, typename T>
using Ref = typename A::template Ref<T>;

}  // namespace yolod::app::accounts::protocol
