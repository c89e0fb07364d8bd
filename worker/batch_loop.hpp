// The worker's loop: it takes a batch from the lane, runs it and answers it, until the front-end sends kStop.
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
  kStopped,        // the front-end sent kStop or is gone
  kBrokenRequest,  // the front-end published an invalid request
};

// The choice whether the worker decodes the next batch while it computes one. That needs a core in addition to the
// cores that compute.
enum class Decoding {
  kInTurn,
  // Two threads take turns with whole batches, so that a batch that finds the worker idle needs no hand-over between
  // threads.
  kAhead,
  // A second thread only decodes, and the calling thread computes every batch. This is for a device whose libraries
  // keep data for each thread that uses it, such as a GPU.
  kAheadApart,
};

// Serves on the calling thread, and on one more thread if batches are decoded ahead. Every request that is taken gets
// one completion, also if the model throws. `cores` is the number of cores that this process may use; the caller
// passes it because a sealed process cannot query it.
[[nodiscard]] LoopEnd serve(model::Model& model, ipc::LaneUser& lane, const ipc::InputArenaView& arena,
                            const Channels& channels, Decoding decoding = Decoding::kInTurn,
                            std::uint32_t cores = common::usable_cpu_count());

}  // namespace yolod::worker
