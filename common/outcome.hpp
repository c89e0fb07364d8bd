// A value or an Error: what a function returns when failing is part of its job.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "common/error.hpp"

namespace yolod::common {

// Converts from T and from Error, so that `return value;` and `return Error{...};` both read as what they are.
// value() of a failure, or error() of a success, is a broken invariant and aborts (std::get with no handler).
// Any thread may own one; it has no shared state.
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

// Done, or an Error.
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
