// A Lifeline tells a callback whether its object still exists when the event loop runs the callback.
//
// A handler that is in the event loop's queue cannot be cancelled any more, also by the end of the object that it would
// work on. So an object that has handlers run later owns a Lifeline, and hands out its handlers guarded:
//
//   timer_.async_wait(lifeline_.guard([this](error_code failure) { ... }));
//
// A guarded handler that is called after the end of its object does nothing: it touches neither the object nor anything
// that it refers to. The object may end inside the handler.
//
// The thread of the event loop calls the handlers and ends the object. A Lifeline and its owner do not move.
#pragma once

#include <memory>
#include <utility>

namespace yolod::common {

class Lifeline {
 public:
  // Passes its arguments to `Then`, or does nothing. It may outlive the Lifeline.
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
