// A Lifeline tells a callback whether its object still exists when the event loop runs the callback.
//
// Nothing can cancel a handler that is already in the event loop's queue, not even the destruction of the object
// that the handler uses. So an object that gives handlers to the event loop owns a Lifeline, and guards each
// handler:
//
//   timer_.async_wait(lifeline_.guard([this](error_code failure) { ... }));
//
// If the event loop calls a guarded handler after the destruction of the object, the handler does nothing. It then
// touches neither the object nor anything that it refers to. The handler may destroy the object.
//
// The thread of the event loop calls the handlers and destroys the object. A Lifeline and its owner do not move.
#pragma once

#include <memory>
#include <utility>

namespace yolod::common {

class Lifeline {
 public:
  // Passes its arguments to `Then`, or does nothing after the destruction of the Lifeline. It may outlive the
  // Lifeline.
  template <typename Then>
  class Guarded {
   public:
    Guarded(std::weak_ptr<void> line, Then then) : line_(std::move(line)), then_(std::move(then)) {}
    template <typename... Arguments>
    void operator()(Arguments&&... arguments) {
      if (!line_.expired()) then_(std::forward<Arguments>(arguments)...);
    }

   private:
    std::weak_ptr<void> line_;
    Then then_;
  };

  Lifeline() = default;
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;
  ~Lifeline() = default;

  template <typename Then>
  [[nodiscard]] Guarded<Then> guard(Then then) const {
    return {line_, std::move(then)};
  }

 private:
  std::shared_ptr<void> line_{std::make_shared<char>()};
};

}  // namespace yolod::common
