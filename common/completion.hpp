// A function that is called at most once, when the result of an operation has arrived. Unlike std::function it need
// not be copyable. (Asio's any_completion_handler offers the same, but in Boost 1.81 moving it into a posted handler
// recurses without end.)
//
// One thread uses it. Its memory is kept for the next object of the same type (common/recycled).
#pragma once

#include <memory>
#include <utility>

#include "common/recycled.hpp"

namespace yolod::common {

template <typename... Arguments>
class Completion {
 public:
  Completion() = default;
  // Calls `handler` as `handler(Arguments...)`.
  template <typename Handler>
  [[nodiscard]] static Completion from(Handler handler) {
    Completion made;
    made.waiting_ = std::make_unique<Waiting<Handler>>(std::move(handler));
    return made;
  }
  explicit operator bool() const { return waiting_ != nullptr; }
  // REQUIRES: there is a handler. The call removes it. The handler gets references to the arguments themselves, so they
  // must live until it returns or moves them.
  void operator()(Arguments&&... arguments) { std::exchange(waiting_, nullptr)->call(std::move(arguments)...); }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual void call(Arguments&&... arguments) = 0;
  };
  template <typename Handler>
  struct Waiting final : Callable, Recycled<Waiting<Handler>> {
    explicit Waiting(Handler given) : handler(std::move(given)) {}
    void call(Arguments&&... arguments) override { std::move(handler)(std::move(arguments)...); }
    Handler handler;
  };
  std::unique_ptr<Callable> waiting_;
};

}  // namespace yolod::common
