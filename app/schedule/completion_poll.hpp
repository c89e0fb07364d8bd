// Whether workers need ring for what they have completed. Under load they need not: between its events the front-end
// looks at the lanes by itself, and neither side makes a system call for it. Only before it has nothing to do for a
// whole turn of the event loop does it say that it sleeps (ipc::SleepMark); a little later where a core is to spare and
// something is likely to come soon (common::BriefSpin).
//
// Front-end only, its one thread.
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
  // All outlive this object.
  CompletionPoll(boost::asio::io_context& io, ipc::InputArena& arena, Lanes lanes);

  // Work was handed to a worker: from now on the lanes are looked at.
  void stir(common::Clock::time_point now);
  // A worker rang: it has completed something.
  void rung() { spin_.end(common::Clock::now()); }

 private:
  void look();
  void look_again();

  boost::asio::io_context& io_;
  ipc::InputArena& arena_;
  Lanes lanes_;
  common::BriefSpin spin_;
  bool awake_{false};
  bool stirred_{false};  // since the last look
};

}  // namespace yolod::app::schedule
