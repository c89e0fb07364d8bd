// The shared memory between the front-end and one worker process: a ring each way, a RUNNING mark and a result slot
// for each request in flight, and what the worker says of its model. ipc/layout.hpp has the bytes.
//
// A lane's size is sealed, but nothing keeps a worker gone mad from punching a hole into it (FALLOC_FL_PUNCH_HOLE): its
// pages are then allocated again, zeroed, as they are touched. Zeroes are bytes that lie like any others.
//
// The front-end makes a lane for each worker process that it starts and throws it away whole when that process dies.
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

// Room in every lane for what a worker says of its model: the labels of the largest label set in use (21,841) are
// 0.4 MiB.
inline constexpr std::uint32_t kDescriptionBytes = 1U << 20U;

// A geometry with room for `max_batch` requests running and as many waiting, and answers of `result_bytes` each.
[[nodiscard]] LaneGeometry make_lane_geometry(std::uint32_t max_batch, std::uint64_t result_bytes);

// Bytes of a lane with that geometry.
[[nodiscard]] std::uint64_t lane_bytes(const LaneGeometry& geometry);

// The front-end's side: its one thread. Nothing that is read from the lane is trusted; whatever could not have been
// written by a sane worker comes back as kCorrupt or as nothing, and the caller then replaces the worker.
class LaneOwner {
 public:
  [[nodiscard]] static common::Outcome<LaneOwner> create(const LaneGeometry& geometry, std::uint64_t launch_id,
                                                         std::uint32_t seat = 0);

  // Places a request; the worker sees it after publish_requests().
  [[nodiscard]] PushResult push_request(const RequestCell& cell) { return requests_.push(cell); }
  void publish_requests() { requests_.publish(); }

  // After publish_requests(): whether the worker waits for a wake-up, or is about to.
  [[nodiscard]] bool worker_sleeps() const;

  [[nodiscard]] bool has_completions() const { return !completions_.empty(); }
  [[nodiscard]] PopResult pop_completion(CompletionCell& out) { return completions_.pop(out); }

  // A copy of the first `bytes` of a result slot, valid until the next one; nothing if slot or size cannot be.
  [[nodiscard]] std::optional<std::span<const std::byte>> copy_result(std::uint32_t slot, std::uint64_t bytes);

  // What the worker marked last in `slot` (RunningMark). Meaningful once the worker is reaped.
  struct Mark {
    std::uint64_t id{0};
    WorkPhase phase{WorkPhase::kTaken};
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  [[nodiscard]] Mark running_mark(std::uint32_t slot) const;

  // A copy of the first `bytes` of the description area, or nothing if it has fewer.
  [[nodiscard]] std::optional<std::vector<std::byte>> copy_description(std::uint64_t bytes) const;

  [[nodiscard]] const LaneGeometry& geometry() const { return geometry_; }
  [[nodiscard]] int descriptor() const { return region_.descriptor(); }
  void close_descriptor() { region_.close_descriptor(); }

 private:
  LaneOwner(MemfdRegion region, const LaneGeometry& geometry);

  MemfdRegion region_;
  LaneGeometry geometry_;  // ours: never read back from the lane
  std::vector<std::byte> result_;
  RingProducer<RequestCell> requests_;
  RingConsumer<CompletionCell> completions_;
};

// The worker's side: its serving thread.
class LaneUser {
 public:
  // Maps it and closes the descriptor.
  [[nodiscard]] static common::Outcome<LaneUser> open(common::UniqueFd descriptor);

  [[nodiscard]] PopResult pop_request(RequestCell& out) { return requests_.pop(out); }
  [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
  // Before it waits for a wake-up. False if there is a request after all: then it does not sleep.
  [[nodiscard]] bool fall_asleep();
  void wake_up();
  [[nodiscard]] PushResult push_completion(const CompletionCell& cell) { return completions_.push(cell); }
  void publish_completions() { completions_.publish(); }

  // On any thread, as long as one thread at a time marks a slot.
  void mark_running(std::uint32_t slot, std::uint64_t id, WorkPhase phase) const;
  [[nodiscard]] std::span<std::byte> result_slot(std::uint32_t slot) const;
  [[nodiscard]] std::span<std::byte> description() const;
  [[nodiscard]] const LaneGeometry& geometry() const { return geometry_; }
  [[nodiscard]] std::uint64_t launch_id() const { return launch_id_; }
  // Which of the model's workers this one is, counted from 0.
  [[nodiscard]] std::uint32_t seat() const { return seat_; }
  // The whole region, for the fault FAULT:scribble.
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
