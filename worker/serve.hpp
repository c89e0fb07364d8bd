// The worker's loop: take a batch from the lane, run it, answer, until told to stop.
#pragma once

#include "ipc/input_arena.hpp"
#include "ipc/lane.hpp"
#include "model/model.hpp"

namespace yolod::worker {

struct Channels {
  int control;   // ipc/control.hpp
  int doorbell;  // ipc/doorbell.hpp
};

enum class ServeEnd {
  kStopped,        // asked to, or the front-end is gone
  kBrokenRequest,  // the front-end published what it never would: not a front-end of ours
};

// Serves on the calling thread. Every request that is taken gets one completion, also when the model throws.
[[nodiscard]] ServeEnd serve(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena,
                             const Channels& channels);

}  // namespace yolod::worker
