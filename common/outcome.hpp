// A value or an Error, for functions that may fail in normal operation.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "common/error.hpp"

namespace yolod::common {

// Converts from T and from Error, so a function can `return value;` or `return Error{...};`. Calling value() of a
// failure or error() of a success aborts the process. It has no shared state, so any thread may own one.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  static_assert(!std::is_same_v<std::remove_cvref_t<T>, Error>, "an Outcome<Error> could not tell its two sides apart");

  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Outcome(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & noexcept { return std::get<0>(state_); }
  const T& value() const& noexcept { return std::get<0>(state_); }
  T&& value() && noexcept { return std::get<0>(std::move(state_)); }
  const Error& error() const& noexcept { return std::get<1>(state_); }
  Error&& error() && noexcept { return std::get<1>(std::move(state_)); }

  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T&& operator*() && noexcept { return std::move(*this).value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }

 private:
  std::variant<T, Error> state_;
};

// A success without a value, or an Error.
template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  Outcome(Error error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return error_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  const Error& error() const& noexcept { return std::get<1>(error_); }
  Error&& error() && noexcept { return std::get<1>(std::move(error_)); }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace yolod::common
