// How a worker tells the front-end that completions were published: an eventfd.
//
// The front-end never reads it, and never blocks on it: an eventfd's O_NONBLOCK belongs to the open file that both
// processes share, so a worker gone mad could clear it and make a read here wait for ever. Every write raises a new
// edge for an edge-triggered epoll, read or not; that is all the front-end listens to. For the same reason the other
// direction is no eventfd but a message with MSG_DONTWAIT (ipc/control.hpp), whose flag belongs to the call.
#pragma once

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

[[nodiscard]] common::Outcome<common::UniqueFd> make_doorbell();

// Worker's side. Many rings before the front-end looks are one.
void ring_doorbell(int descriptor);

}  // namespace yolod::ipc
