#include "app/process/doorbell_listener.hpp"

#include <utility>

#include "ipc/doorbell.hpp"

namespace yolod::app::process {

using boost::system::error_code;

DoorbellListener::DoorbellListener(boost::asio::io_context& io, common::UniqueFd doorbell, Events events)
    : events_(std::move(events)), doorbell_(io, doorbell.release()), pause_(io) {}

void DoorbellListener::listen() {
  doorbell_.async_wait(boost::asio::posix::stream_descriptor::wait_read, lifeline_.guard([this](error_code failure) {
    if (!failure) take_ring();
  }));
}

void DoorbellListener::take_ring() {
  // The doorbell is silenced before the lane is read. Then a ring in between wakes the next wait.
  const auto rings = ipc::silence_doorbell(doorbell_.native_handle());
  const auto verdict = patience_.heard(rings, events_.rang());
  if (verdict.mad) events_.broken("it rings its doorbell without end");
  if (verdict.pause.count() == 0) {
    listen();
  } else {
    ignore_for(verdict.pause);
  }
}

// A descriptor in epoll wakes the event loop at each ring, even while no wait is pending. Therefore remove it from
// epoll.
void DoorbellListener::ignore_for(std::chrono::milliseconds pause) {
  ignored_.reset(doorbell_.release());
  pause_.expires_after(pause);
  pause_.async_wait(lifeline_.guard([this](error_code failure) {
    if (failure) return;
    error_code refused;
    doorbell_.assign(ignored_.get(), refused);
    if (refused) {
      events_.broken("the front-end cannot listen to its doorbell: " + refused.message());
      return;
    }
    (void)ignored_.release();  // doorbell_ owns it now
    listen();
  }));
}

}  // namespace yolod::app::process
