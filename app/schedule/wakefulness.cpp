#include "app/schedule/wakefulness.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace yolod::app {

Wakefulness::Wakefulness(boost::asio::io_context& io, ipc::InputArena& arena, Lanes lanes)
    : io_(io), arena_(arena), lanes_(std::move(lanes)) {}

void Wakefulness::stir() {
  stirred_ = true;
  if (std::exchange(awake_, true)) return;
  arena_.wake_up();
  look_again();
}

// Behind whatever else is ready: the event loop asks the kernel for events in between, without waiting for any.
void Wakefulness::look_again() {
  boost::asio::post(io_, [this] { look(); });
}

void Wakefulness::look() {
  if (lanes_.have_completions()) {
    lanes_.take_completions();
    stirred_ = true;
  }
  if (std::exchange(stirred_, false)) return look_again();
  arena_.fall_asleep();
  if (lanes_.have_completions()) {  // published before the mark was seen: nobody rings for these
    arena_.wake_up();
    return look_again();
  }
  awake_ = false;
}

}  // namespace yolod::app
