// A lane is the shared memory between the front-end and one worker process. It has a ring in each direction, a
// RUNNING mark and a result slot for each request in flight, and the description of the worker's model.
// ipc/layout.hpp defines the bytes.
//
// A lane's size is sealed, but a compromised worker can still punch a hole into it (FALLOC_FL_PUNCH_HOLE). The kernel
// then allocates zeroed pages at the next access. The front-end checks these zeroes like all other bytes of a worker.
//
// The front-end makes a lane for each worker process that it starts, and discards the lane when that process dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/outcome.hpp"
#include "ipc/layout.hpp"
#include "ipc/memfd_region.hpp"
#include "ipc/spsc_ring.hpp"

namespace yolod::ipc {

// Every lane has this much room for the model's description. The labels of the largest common label set (21,841
// classes) need 0.4 MiB.
inline constexpr std::uint32_t kDescriptionBytes = 1U << 20U;

// Returns a geometry with room for `max_batch` running requests, as many waiting requests, and answers of
// `result_bytes` each.
[[nodiscard]] LaneGeometry make_lane_geometry(std::uint32_t max_batch, std::uint64_t result_bytes);

// Returns the size of a lane with that geometry.
[[nodiscard]] std::uint64_t lane_bytes(const LaneGeometry& geometry);

// The front-end's side of a lane, for the front-end's only thread. It trusts nothing that it reads from the lane: a
// value that a correct worker cannot have written yields kCorrupt or nullopt, and the caller then replaces the
// worker.
class LaneOwner {
 public:
  [[nodiscard]] static common::Outcome<LaneOwner> create(const LaneGeometry& geometry, std::uint64_t launch_id,
                                                         std::uint32_t seat = 0);

  // The worker sees the request only after publish_requests().
  [[nodiscard]] PushResult push_request(const RequestCell& cell) { return requests_.push(cell); }
  void publish_requests() { requests_.publish(); }

  // Call it after publish_requests(). Returns whether the worker waits for a wake-up or is about to wait.
  [[nodiscard]] bool worker_sleeps() const;

  [[nodiscard]] bool has_completions() const { return !completions_.empty(); }
  [[nodiscard]] PopResult pop_completion(CompletionCell& out) { return completions_.pop(out); }

  // Returns a copy of the first `bytes` of a result slot, valid until the next call; nullopt if the slot or the size
  // is out of range.
  [[nodiscard]] std::optional<std::span<const std::byte>> copy_result(std::uint32_t slot, std::uint64_t bytes);
  // Appends a copy of `bytes` of a result slot from `offset` on. Returns false if the slot or the place is out of
  // range.
  [[nodiscard]] bool append_result(std::uint32_t slot, std::uint64_t offset, std::uint64_t bytes,
                                   std::vector<std::byte>& to) const;

  // The last mark of the worker in `slot`. It is meaningful only after the worker has been reaped.
  struct Mark {
    std::uint64_t id{0};
    WorkPhase phase{WorkPhase::kTaken};
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  [[nodiscard]] Mark running_mark(std::uint32_t slot) const;

  // Returns a copy of the first `bytes` of the description area, or nullopt if the area is smaller.
  [[nodiscard]] std::optional<std::vector<std::byte>> copy_description(std::uint64_t bytes) const;

  [[nodiscard]] const LaneGeometry& geometry() const { return geometry_; }
  [[nodiscard]] int descriptor() const { return region_.descriptor(); }
  void close_descriptor() { region_.close_descriptor(); }

 private:
  LaneOwner(MemfdRegion region, const LaneGeometry& geometry);

  MemfdRegion region_;
  LaneGeometry geometry_;  // the front-end's own copy; it is never read back from the lane
  std::vector<std::byte> result_;
  RingProducer<RequestCell> requests_;
  RingConsumer<CompletionCell> completions_;
};

// The worker's side of a lane, for the worker's serving threads, one at a time for each ring.
class LaneUser {
 public:
  // Maps the lane and closes the descriptor.
  [[nodiscard]] static common::Outcome<LaneUser> open(common::UniqueFd descriptor);

  [[nodiscard]] PopResult pop_request(RequestCell& out) { return requests_.pop(out); }
  [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
  // Call it before the worker waits for a wake-up. Returns false if a request has arrived meanwhile; the worker then
  // must not wait.
  [[nodiscard]] bool fall_asleep();
  void wake_up();
  [[nodiscard]] PushResult push_completion(const CompletionCell& cell) { return completions_.push(cell); }
  void publish_completions() { completions_.publish(); }

  // Any thread may call it, but for each slot only one thread at a time.
  void mark_running(std::uint32_t slot, std::uint64_t id, WorkPhase phase) const;
  [[nodiscard]] std::span<std::byte> result_slot(std::uint32_t slot) const;
  [[nodiscard]] std::span<std::byte> description() const;
  [[nodiscard]] const LaneGeometry& geometry() const { return geometry_; }
  [[nodiscard]] std::uint64_t launch_id() const { return launch_id_; }
  // Returns this worker's index among the model's workers, from 0.
  [[nodiscard]] std::uint32_t seat() const { return seat_; }
  // The whole region; only the test fault FAULT:scribble uses it.
  [[nodiscard]] std::span<std::byte> all_bytes() const { return region_.bytes(); }

 private:
  LaneUser(MemfdRegion region, const LaneHeader& header);

  MemfdRegion region_;
  LaneGeometry geometry_;
  std::uint64_t launch_id_;
  std::uint32_t seat_;
  RingConsumer<RequestCell> requests_;
  RingProducer<CompletionCell> completions_;
};

}  // namespace yolod::ipc
