// Every byte that front-end and worker share, and nothing else: no logic. Both sides are built from this file;
// kLayoutVersion changes whenever anything here does, and a worker built for another version refuses to start.
//
//   input arena   written by the front-end, mapped read-only by every worker
//     ArenaHeader | allocator's own bytes and the bodies
//   lane          one per worker process, mapped read-write by both, thrown away whole when the worker dies
//     LaneHeader | worker's SleepMark | request ring | completion ring | RUNNING marks | description | result slots
//
// Whoever reads a field that the other side may write treats it as hostile: copy, check, then use.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace yolod::ipc {

inline constexpr std::uint64_t kMagic = 0x31646f6c6f79ULL;  // "yolod1", little endian
inline constexpr std::uint32_t kLayoutVersion = 8;
inline constexpr std::size_t kCacheLine = 64;

enum class RegionKind : std::uint32_t { kInputArena = 1, kLane = 2 };

// At offset 0 of each region. Written once by the front-end before the worker is forked.
struct RegionHeader {
  std::uint64_t magic;
  std::uint32_t version;
  RegionKind kind;
  std::uint64_t total_bytes;
  std::uint64_t launch_id;  // which start of a process a lane belongs to; 0 in the arena
};
static_assert(sizeof(RegionHeader) == 32);

// What sizes a lane: both sides derive every offset from it (ipc/lane.hpp), so no offset is ever read from a lane.
struct LaneGeometry {
  std::uint32_t slot_count;  // requests that the worker may hold at once; a power of two; also each ring's capacity
  std::uint32_t description_bytes;  // room for what the worker says of its model
  std::uint64_t result_slot_bytes;  // room for one answer; a multiple of kCacheLine
};
static_assert(sizeof(LaneGeometry) == 16);

struct LaneHeader {
  RegionHeader region;
  LaneGeometry geometry;
  std::uint32_t seat;  // which of the model's workers it is, counted from 0: by this they are dealt to devices
  std::uint32_t reserved;
};
static_assert(sizeof(LaneHeader) == 56);

// A side that finds nothing to do says so here before it waits for a wake-up, and then looks once more: so a peer that
// reads 0 after it has published need not wake it, and no wake-up is lost. Written by that side alone; a lie costs
// whoever tells it. The worker's lies in its lane, the front-end's, one for all workers, in the arena.
struct SleepMark {
  alignas(kCacheLine) std::atomic<std::uint32_t> sleeps;
};
static_assert(sizeof(SleepMark) == kCacheLine);

struct ArenaHeader {
  RegionHeader region;
  SleepMark front_end;
};

// Cursors count up for ever and are masked only to index. Each is written by one side alone.
struct RingCursors {
  alignas(kCacheLine) std::atomic<std::uint64_t> published;  // by the producer: cells [consumed, published) hold data
  alignas(kCacheLine) std::atomic<std::uint64_t> consumed;   // by the consumer
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock would be one shared with a worker");
static_assert(sizeof(RingCursors) == 2 * kCacheLine);

// Room for a request's options, encoded (ipc/options_codec.hpp).
inline constexpr std::size_t kMaxOptionsBytes = 32;

// Front-end to worker: answer this content, which lies in the arena, in that slot. A cell knows no task: the options
// are bytes that the model's side decodes.
struct RequestCell {
  std::uint64_t id;
  std::uint64_t content_offset;  // from the arena's first byte
  std::uint64_t content_bytes;
  std::uint32_t slot;
  std::uint32_t batch_remaining;  // how many cells of the same batch follow this one
  std::uint32_t content_kind;     // common::ContentKind
  std::uint32_t options_bytes;
  std::array<std::byte, kMaxOptionsBytes> options;
};
static_assert(sizeof(RequestCell) == 72 && std::is_trivially_copyable_v<RequestCell>);

// Worker to front-end: the answer lies in that slot.
struct CompletionCell {
  std::uint64_t id;
  std::uint64_t result_bytes;
  std::uint32_t slot;
  std::uint32_t
      error_code;  // 0: the slot holds a prediction (ipc/prediction_codec.hpp); else common::ErrorCode, and text
  std::uint32_t decode_us;
  std::uint32_t infer_us;
  std::uint32_t post_us;
  std::uint32_t reserved;
};
static_assert(sizeof(CompletionCell) == 40 && std::is_trivially_copyable_v<CompletionCell>);

// How far a worker is with a request that it has taken:
//
//   taken -> own work -> waiting -> computing
//     \____________________________/^
//
// "Own work" is what the worker does for this request alone (it decodes the picture); "computing" is what it does for
// the requests of a batch together. A request that was refused by its own work stays at "waiting".
enum class WorkPhase : std::uint64_t { kTaken = 0, kOwnWork = 1, kWaiting = 2, kComputing = 3 };

// The request in a slot that the worker took last, and how far the worker is with it: id * 4 + phase, 0 before the
// first. The worker writes it, in one store, and never takes it back. The front-end reads it once the worker is dead. A
// request is known not to have been begun only if its slot's mark still has the previous occupant's id; any other id, a
// lie included, means that it may have been. The phase says which of the requests in a worker to suspect first
// (app/schedule/blame.hpp); a lie about it delays the right conclusion by a replay or two.
struct RunningMark {
  std::atomic<std::uint64_t> id_and_phase;
};
static_assert(sizeof(RunningMark) == 8);
inline constexpr std::uint64_t kWorkPhases = 4;

// Descriptors that a worker finds open after exec, and no others beside 0, 1 and 2; a loader, which is started with
// this argument, all but lane and doorbell.
inline constexpr std::string_view kLoaderArgument = "loader";
// And after that, for one that gives way to workers that serve.
inline constexpr std::string_view kBackgroundArgument = "background";
inline constexpr int kControlDescriptor = 3;  // SOCK_SEQPACKET, ipc/control.hpp
inline constexpr int kLaneDescriptor = 4;
inline constexpr int kArenaDescriptor = 5;
inline constexpr int kDoorbellDescriptor = 6;  // eventfd: completions were published
inline constexpr int kConfigDescriptor = 7;    // memfd: the model's settings as YAML
inline constexpr int kFirstUnusedDescriptor = 8;

// A loader's milestones are of this launch: it has no lane that would tell it another.
inline constexpr std::uint64_t kLoaderLaunchId = 0;

// A worker's exit codes. Anything else is an unexpected exit.
inline constexpr int kExitStopped = 0;       // asked to, or the front-end is gone
inline constexpr int kExitInterrupted = 90;  // SIGINT arrived while it loaded; the load was finished and freed
inline constexpr int kExitBadModel = 91;     // the files cannot be served; the control channel said why
inline constexpr int kExitBadStart = 92;     // started by hand, or by a front-end of another version
inline constexpr int kExitDeviceLost = 93;   // its device computes no more; the log says why

}  // namespace yolod::ipc
