// The doorbell is an eventfd by which a worker tells the front-end that it has published completions.
//
// The front-end never blocks on it. O_NONBLOCK belongs to the open file, which both processes share, so a compromised
// worker could clear it and make a plain read in the front-end block. silence_doorbell() therefore passes RWF_NOWAIT,
// which belongs to the call. A write has no such flag, so the front-end wakes a worker by a message with MSG_DONTWAIT
// (ipc/control.hpp) instead of an eventfd.
#pragma once

#include <cstdint>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

[[nodiscard]] common::Outcome<common::UniqueFd> make_doorbell();

// The worker calls it. Several rings before the front-end reads the doorbell count as one wake-up.
void ring_doorbell(int descriptor);

// The front-end calls it before it checks the lane; a later ring is a new wake-up. Never waits. Returns how often the
// worker has rung since the last call; a compromised worker can make this any number.
std::uint64_t silence_doorbell(int descriptor);

}  // namespace yolod::ipc
