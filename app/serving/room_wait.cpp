#include "app/serving/room_wait.hpp"

#include <boost/asio/post.hpp>

#include "common/await.hpp"
#include "common/awake_clock.hpp"

namespace yolod::app::serving {

namespace asio = boost::asio;
using common::AwakeClock;

RoomWait::RoomWait(asio::io_context& io, std::chrono::milliseconds patience, const void* who, std::uint64_t given_bytes)
    : since_(AwakeClock::now()),
      until_(since_ + patience),
      timer_(io, patience),
      who_(who),
      given_before_(given_bytes) {}

asio::awaitable<void> RoomWait::until_served() {
  // If this process did not run for a while, the timer expires too early, and is set again.
  for (;;) {
    co_await timer_.async_wait(common::kAwait);
    if (!is_waiting() || AwakeClock::now() >= until_) co_return;
    timer_.expires_at(AwakeClock::real_time(until_));
  }
}

void RoomWait::give() {
  has_room_ = true;
  timer_.cancel();
}

void RoomWait::end() {
  ended_ = true;
  timer_.cancel();
}

void LaterTurn::request() {
  if (requested_) return;
  requested_ = true;
  asio::post(io_, [this] {
    requested_ = false;
    work_();
  });
}

}  // namespace yolod::app::serving
