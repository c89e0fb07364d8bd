// Decides whether workers must ring the completion doorbell. Under load they need not: the front-end checks the
// lanes between its events, so neither side makes a system call. When the event loop has had nothing to do for a
// whole turn, the front-end sets its sleep mark (ipc::SleepMark), and workers ring again. If a core is idle and a
// completion is likely, the front-end first spins for a short time (common::BriefSpin).
//
// The object is used on the front-end's only thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "common/brief_spin.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::schedule {

class CompletionPoll {
 public:
  struct Lanes {
    std::function<bool()> have_completions;
    std::function<void()> take_completions;
  };
  // All arguments outlive this object.
  CompletionPoll(boost::asio::io_context& io, ipc::InputArena& arena, Lanes lanes);

  // Call it when a worker has received requests. From then on the event loop checks the lanes.
  void work_dispatched(common::Clock::time_point now);
  // Call it when a lane holds completions that were not read to their end.
  void completions_left();
  // Call it when a worker has rung because of a completion.
  void doorbell_rang() { spin_.end(common::Clock::now()); }

 private:
  void look();
  void look_again();

  boost::asio::io_context& io_;
  ipc::InputArena& arena_;
  Lanes lanes_;
  common::BriefSpin spin_;
  bool awake_{false};
  bool active_{false};  // requests or completions since the last check
};

}  // namespace yolod::app::schedule
