// An answer on its way to whoever waits for it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "common/domain/description.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"
#include "common/outcome.hpp"
#include "common/recycled.hpp"

namespace yolod::app {

// What the client gets.
struct Answer {
  common::Outcome<common::Prediction> prediction{common::Error{}};
  common::WorkTimes times;
  std::uint32_t queue_us{0};  // from admission to the dispatch that was answered
  // Of the model as the worker that answered had loaded it; null with an Error.
  std::shared_ptr<const common::ModelDescription> model;
};

// Whoever waits for an answer, called at most once: a std::function that need not be copyable. (Asio's
// any_completion_handler is that too, but in Boost 1.81 moving one into a posted handler recurses without end.)
class AnswerHandler {
 public:
  AnswerHandler() = default;
  template <typename Handler>
  static AnswerHandler from(Handler handler) {
    AnswerHandler made;
    made.waiting_ = std::make_unique<Waiting<Handler>>(std::move(handler));
    return made;
  }
  explicit operator bool() const { return waiting_ != nullptr; }
  void operator()(Answer answer) { std::exchange(waiting_, nullptr)->call(std::move(answer)); }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual void call(Answer answer) = 0;
  };
  template <typename Handler>
  struct Waiting final : Callable, common::Recycled<Waiting<Handler>> {
    explicit Waiting(Handler given) : handler(std::move(given)) {}
    void call(Answer answer) override { std::move(handler)(std::move(answer)); }
    Handler handler;
  };
  std::unique_ptr<Callable> waiting_;
};

}  // namespace yolod::app
