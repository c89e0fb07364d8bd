#include "app/schedule/completion_poll.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/system/cpu_count.hpp"

namespace yolod::app::schedule {

CompletionPoll::CompletionPoll(boost::asio::io_context& io, ipc::InputArena& arena, Lanes lanes)
    : io_(io), arena_(arena), lanes_(std::move(lanes)), spin_(common::usable_cpu_count()) {}

void CompletionPoll::work_dispatched(common::Clock::time_point now) {
  active_ = true;
  spin_.end(now);
  spin_.begin(now);
  if (std::exchange(awake_, true)) return;
  arena_.wake_up();
  look_again();
}

void CompletionPoll::completions_left() {
  active_ = true;
  if (std::exchange(awake_, true)) return;
  arena_.wake_up();
  look_again();
}

// The check runs after the other ready handlers. Between two checks the event loop asks the kernel for events and
// does not wait.
void CompletionPoll::look_again() {
  boost::asio::post(io_, [this] { look(); });
}

void CompletionPoll::look() {
  if (lanes_.have_completions()) {
    const auto now = common::Clock::now();
    spin_.end(now);
    spin_.begin(now);
    lanes_.take_completions();
    active_ = true;
  }
  if (std::exchange(active_, false) || spin_.look_again()) return look_again();
  arena_.fall_asleep();
  if (lanes_.have_completions()) {  // published before the worker saw the mark, so it does not ring
    arena_.wake_up();
    return look_again();
  }
  awake_ = false;
}

}  // namespace yolod::app::schedule
