#include "app/process/control_channel.hpp"

#include <utility>

namespace yolod::app::process {

ControlChannel::ControlChannel(boost::asio::io_context& io, common::UniqueFd descriptor, std::uint64_t launch_id,
                               Events events)
    : descriptor_(io, descriptor.release()), launch_id_(launch_id), events_(std::move(events)) {}

void ControlChannel::listen() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         lifeline_.guard([this](boost::system::error_code failure) {
                           if (!failure) read_one();
                         }));
}

// Reads one message for each turn of the event loop: a worker that sends messages without end cannot block the loop.
void ControlChannel::read_one() {
  ipc::MilestoneMessage message{};
  pid_t sender = 0;
  switch (ipc::receive_milestone(descriptor_.native_handle(), launch_id_, message, sender)) {
    case ipc::ReceiveResult::kNothingYet: break;
    case ipc::ReceiveResult::kClosed: {
      const auto closed = events_.closed;  // the callback may destroy events_
      closed();
      return;
    }
    case ipc::ReceiveResult::kMalformed: events_.broken("a malformed message on its control channel"); return;
    case ipc::ReceiveResult::kReceived:
      if (!events_.milestone(message, sender)) {
        events_.broken("an unexpected message on its control channel");
        return;
      }
      break;
  }
  listen();
}

void ControlChannel::read_now() {
  ipc::MilestoneMessage message{};
  pid_t sender = 0;
  constexpr int kMost = 5;  // a hello, then ready or a failed load, and two denied calls
  for (int i = 0; i < kMost; ++i) {
    const auto received = ipc::receive_milestone(descriptor_.native_handle(), launch_id_, message, sender);
    if (received != ipc::ReceiveResult::kReceived || !events_.milestone(message, sender)) return;
  }
}

void ControlChannel::send(ipc::Command command) { ipc::send_command(descriptor_.native_handle(), command); }

bool ControlChannel::send_fork(const ipc::LentDescriptors& descriptors, ipc::Command fork) {
  return ipc::send_fork(descriptor_.native_handle(), descriptors, fork);
}

}  // namespace yolod::app::process
