// The front-end's end of a control channel. Messages of a worker or a loader arrive as events in the event loop, one
// at a time. A command is sent at once; if the socket is full, it is lost.
//
// The object that represents the process owns the channel. Only the thread of the front-end may call it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <string_view>

#include "common/lifeline.hpp"
#include "common/unique_fd.hpp"
#include "ipc/control.hpp"
#include "ipc/fork_command.hpp"

namespace yolod::app::process {

class ControlChannel {
 public:
  struct Events {
    // Returns false for a message that a correct process does not send in its present state. The kernel supplies
    // `sender`.
    std::function<bool(const ipc::MilestoneMessage& message, pid_t sender)> milestone;
    // The process sent a malformed or unexpected message. The channel reads no more messages.
    std::function<void(std::string_view why)> broken;
    // No process holds the other end any more. The callback may destroy the channel.
    std::function<void()> closed;
  };

  ControlChannel(boost::asio::io_context& io, common::UniqueFd descriptor, std::uint64_t launch_id, Events events);
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;
  ~ControlChannel() = default;

  // Starts to read. REQUIRES: the owner is completely constructed.
  void listen();
  // Reads the messages that have arrived and were not read yet. It calls only `milestone`, neither `broken` nor
  // `closed`. Use it for a process that is dead, or whose pid is not known yet.
  void read_now();
  void send(ipc::Command command);
  // Returns false if the loader cannot take the command.
  [[nodiscard]] bool send_fork(const ipc::LentDescriptors& descriptors, ipc::Command fork);

 private:
  void read_one();

  boost::asio::posix::stream_descriptor descriptor_;
  std::uint64_t launch_id_;
  Events events_;
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
