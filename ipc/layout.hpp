// This file defines every byte that the front-end and the workers share. It contains no logic. Both programs are
// built from it: kLayoutVersion changes with every change here, and a worker that was built for another version
// refuses to start.
//
//   input arena   the front-end writes it; every worker maps it read-only
//     ArenaHeader | the allocator's bookkeeping and the bodies
//   lane          one per worker process; both processes map it read-write; it is discarded when the worker dies
//     LaneHeader | worker's SleepMark | request ring | completion ring | RUNNING marks | description | result slots
//
// A process that reads a field which the other side may write treats it as hostile: it copies the value, checks the
// copy and uses only the copy.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace yolod::ipc {

inline constexpr std::uint64_t kMagic = 0x31646f6c6f79ULL;  // "yolod1", little endian
inline constexpr std::uint32_t kLayoutVersion = 11;
inline constexpr std::size_t kCacheLine = 64;

enum class RegionKind : std::uint32_t { kInputArena = 1, kLane = 2 };

// Lies at offset 0 of each region. The front-end writes it once, before it forks the worker.
struct RegionHeader {
  std::uint64_t magic;
  std::uint32_t version;
  RegionKind kind;
  std::uint64_t total_bytes;
  std::uint64_t launch_id;  // identifies one start of a worker process; 0 in the arena
};
static_assert(sizeof(RegionHeader) == 32);

// Determines the size of a lane. Both sides compute every offset from it (ipc/lane.hpp), so no offset is ever read
// from a lane.
struct LaneGeometry {
  std::uint32_t slot_count;  // requests that the worker may hold at once, and each ring's capacity; a power of two
  std::uint32_t description_bytes;  // room for the model's description
  std::uint64_t result_slot_bytes;  // room for one answer; a multiple of kCacheLine
};
static_assert(sizeof(LaneGeometry) == 16);

struct LaneHeader {
  RegionHeader region;
  LaneGeometry geometry;
  std::uint32_t seat;  // this worker's index among the model's workers, from 0; it selects the worker's device
  std::uint32_t reserved;
};
static_assert(sizeof(LaneHeader) == 56);

// A side that finds no work sets its mark before it waits for a wake-up, and then checks for work once more. A peer
// that has published and reads 0 therefore need not send a wake-up, and no wake-up is lost. Only the side that sleeps
// writes its mark, and a false value harms only that side. The worker's mark lies in its lane. The front-end's mark
// lies in the arena, one for all workers.
struct SleepMark {
  alignas(kCacheLine) std::atomic<std::uint32_t> sleeps;
};
static_assert(sizeof(SleepMark) == kCacheLine);

struct ArenaHeader {
  RegionHeader region;
  SleepMark front_end;
};

// Cursors only increase; a ring masks them to index its cells. Each cursor is written by one side.
struct RingCursors {
  // written by the producer: cells [consumed, published) hold data
  alignas(kCacheLine) std::atomic<std::uint64_t> published;
  alignas(kCacheLine) std::atomic<std::uint64_t> consumed;  // written by the consumer
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock would be one shared with a worker");
static_assert(sizeof(RingCursors) == 2 * kCacheLine);

// Room for a request's options, encoded (ipc/options_codec.hpp).
inline constexpr std::size_t kMaxOptionsBytes = 30;

// The front-end sends it to the worker: the content in the arena, and the slot for the answer. A cell knows no task:
// the options are bytes that the model decodes. It fills one cache line, so that only one line moves from the
// front-end's processor to the worker's.
struct alignas(kCacheLine) RequestCell {
  std::uint64_t id;
  std::uint64_t content_offset;  // from the arena's first byte
  std::uint64_t content_bytes;
  std::uint32_t slot;
  std::uint32_t batch_remaining;  // how many later cells belong to the same batch
  std::uint8_t content_kind;      // common::ContentKind
  std::uint8_t options_bytes;
  std::array<std::byte, kMaxOptionsBytes> options;
};
static_assert(sizeof(RequestCell) == kCacheLine && std::is_trivially_copyable_v<RequestCell>);

// The worker sends it to the front-end when the answer lies in the slot.
struct CompletionCell {
  std::uint64_t id;
  std::uint64_t result_bytes;
  std::uint32_t slot;
  std::uint32_t error_code;  // 0: the slot holds a prediction (ipc/prediction_codec.hpp); else common::ErrorCode
  std::uint32_t decode_us;
  std::uint32_t infer_us;
  std::uint32_t post_us;
  std::uint32_t reserved;
};
static_assert(sizeof(CompletionCell) == 40 && std::is_trivially_copyable_v<CompletionCell>);

// The phases of a request that the worker has taken:
//
//   taken -> own work -> waiting -> computing
//     \____________________________/^
//
// During "own work" the worker processes this request only (it decodes the picture). During "computing" it processes
// all requests of the batch together. A request that failed during its own work stays at "waiting".
enum class WorkPhase : std::uint64_t { kTaken = 0, kOwnWork = 1, kWaiting = 2, kComputing = 3 };

// Identifies the request that the worker last took into a slot, and that request's phase: id * 4 + phase, and 0
// before the first request. The worker writes it with one store and never resets it. The front-end reads it after the
// worker's death.
//
// The front-end treats a request as not begun only if the mark still has the id of the slot's previous request. Any
// other id, also a false one, means that the worker may have begun the request. The phase decides which of a dead
// worker's requests the front-end suspects first (app/schedule/blame.hpp); a false phase delays the right conclusion
// by a replay or two.
struct RunningMark {
  std::atomic<std::uint64_t> id_and_phase;
};
static_assert(sizeof(RunningMark) == 8);
inline constexpr std::uint64_t kWorkPhases = 4;

// After exec a worker has these descriptors and 0, 1 and 2, and no others. A loader is started with this argument and
// has no lane and no doorbell.
inline constexpr std::string_view kLoaderArgument = "loader";
// The second argument of a loader that runs at low priority, because other workers serve meanwhile.
inline constexpr std::string_view kBackgroundArgument = "background";
inline constexpr int kControlDescriptor = 3;  // SOCK_SEQPACKET, ipc/control.hpp
inline constexpr int kLaneDescriptor = 4;
inline constexpr int kArenaDescriptor = 5;
inline constexpr int kDoorbellDescriptor = 6;  // eventfd: the worker has published completions
inline constexpr int kConfigDescriptor = 7;    // memfd: the model's settings as YAML
inline constexpr int kFirstUnusedDescriptor = 8;

// Every loader uses this launch id, because it has no lane that could give it another.
inline constexpr std::uint64_t kLoaderLaunchId = 0;

// The exit codes of a worker. The front-end treats any other code as an unexpected exit.
inline constexpr int kExitStopped = 0;  // the front-end sent kStop or is gone
// SIGINT arrived during the load; the worker finished the load and freed the model
inline constexpr int kExitInterrupted = 90;
// the model's files cannot be served; the worker has sent the reason on the control channel
inline constexpr int kExitBadModel = 91;
inline constexpr int kExitBadStart = 92;    // a person started the program, or a front-end of another version did
inline constexpr int kExitDeviceLost = 93;  // the device no longer computes; the log has the reason

}  // namespace yolod::ipc
