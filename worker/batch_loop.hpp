// The worker's loop: take a batch from the lane, run it, answer, until told to stop.
#pragma once

#include <cstdint>

#include "common/system/cpu_count.hpp"
#include "ipc/input_arena.hpp"
#include "ipc/lane.hpp"
#include "model/model.hpp"

namespace yolod::worker {

struct Channels {
  int control;   // ipc/control.hpp
  int doorbell;  // ipc/doorbell.hpp
};

enum class LoopEnd {
  kStopped,        // asked to, or the front-end is gone
  kBrokenRequest,  // the front-end published what it never would: not a front-end of ours
};

// Whether the next batch may be decoded while one is computed, which asks for a core beside those that compute.
enum class Decoding {
  kInTurn,
  // By two threads that take turns, so that a batch that finds nothing to do goes through one of them without a
  // hand-over.
  kAhead,
  // By a thread that does nothing else: the calling one computes every batch. For a device that keeps something for
  // each thread that uses it, as a GPU's libraries do.
  kAheadApart,
};

// Serves on the calling thread, and where batches are decoded ahead on one more. Every request that is taken gets one
// completion, also when the model throws. `cores` are those that this process may use: a sealed one cannot ask any
// more.
[[nodiscard]] LoopEnd serve(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena,
                            const Channels& channels, Decoding decoding = Decoding::kInTurn,
                            std::uint32_t cores = common::usable_cpu_count());

}  // namespace yolod::worker
