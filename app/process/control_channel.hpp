// The front-end's end of a control channel, in the event loop: what a worker or a loader says arrives as events, one at
// a time; what it is told is sent at once or not at all.
//
// Owned by whoever stands for the process. Front-end only, its one thread.
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
    // False for one that no sane process sends at this point of its life. `sender` is the kernel's word.
    std::function<bool(const ipc::MilestoneMessage& message, pid_t sender)> milestone;
    // It said what a sane process does not; nothing more is read.
    std::function<void(std::string_view why)> broken;
    // Nobody holds the other end any more. The channel may be destroyed inside.
    std::function<void()> closed;
  };

  ControlChannel(boost::asio::io_context& io, common::UniqueFd descriptor, std::uint64_t launch_id, Events events);
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;
  ~ControlChannel() = default;

  // Begins to read. Not before the owner is complete.
  void listen();
  // Takes what has been said and not been read yet, as milestones alone: of a process that is dead, or that nobody
  // knows by its pid yet.
  void read_now();
  void send(ipc::Command command);
  // False where the loader cannot take it.
  [[nodiscard]] bool send_fork(const ipc::LentDescriptors& descriptors, ipc::Command fork);

 private:
  void read_one();

  boost::asio::posix::stream_descriptor descriptor_;
  std::uint64_t launch_id_;
  Events events_;
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
