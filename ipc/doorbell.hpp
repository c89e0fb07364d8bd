// How a worker tells the front-end that completions were published: an eventfd.
//
// The front-end never blocks on it. An eventfd's O_NONBLOCK belongs to the open file that both processes share, so a
// worker gone mad could clear it and make a plain read here wait for ever; silence_doorbell() passes RWF_NOWAIT, which
// belongs to the call. A write has no such flag, so the other direction is no eventfd but a message with MSG_DONTWAIT
// (ipc/control.hpp).
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

[[nodiscard]] common::Outcome<common::UniqueFd> make_doorbell();

// Worker's side. Many rings before the front-end looks are one.
void ring_doorbell(int descriptor);

// Front-end's side, before it looks into the lane: from here on another ring is a new one. Never waits. Returns how
// often the worker has rung since; a worker gone mad can have it be any number.
std::uint64_t silence_doorbell(int descriptor);

}  // namespace yolod::ipc
