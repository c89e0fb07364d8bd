// The function that is called when something that was asked for has come: a std::function that is called at most once
// and need not be copyable. (Asio's any_completion_handler is that too, but in Boost 1.81 moving one into a posted
// handler recurses without end.)
//
// One thread. Its memory is kept for the next one of the same kind (common/recycled).
#pragma once

#include <memory>
#include <utility>

#include "common/recycled.hpp"

namespace yolod::common {

template <typename... Arguments>
class Completion {
 public:
  Completion() = default;
  // `handler` is called as `handler(Arguments...)`.
  template <typename Handler>
  [[nodiscard]] static Completion from(Handler handler) {
    Completion made;
    made.waiting_ = std::make_unique<Waiting<Handler>>(std::move(handler));
    return made;
  }
  explicit operator bool() const { return waiting_ != nullptr; }
  // REQUIRES: there is a handler. It is gone afterwards.
  void operator()(Arguments... arguments) { std::exchange(waiting_, nullptr)->call(std::move(arguments)...); }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual void call(Arguments... arguments) = 0;
  };
  template <typename Handler>
  struct Waiting final : Callable, Recycled<Waiting<Handler>> {
    explicit Waiting(Handler given) : handler(std::move(given)) {}
    void call(Arguments... arguments) override { std::move(handler)(std::move(arguments)...); }
    Handler handler;
  };
  std::unique_ptr<Callable> waiting_;
};

}  // namespace yolod::common
