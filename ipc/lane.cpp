#include "ipc/lane.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "common/fault_point.hpp"

namespace yolod::ipc {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint32_t kMaxSlotCount = 1U << 16U;
constexpr std::uint64_t kMaxResultSlotBytes = 1ULL << 32U;

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

struct Offsets {
  std::uint64_t sleep_mark;
  std::uint64_t request_cursors;
  std::uint64_t request_cells;
  std::uint64_t completion_cursors;
  std::uint64_t completion_cells;
  std::uint64_t marks;
  std::uint64_t description;
  std::uint64_t results;
  std::uint64_t total;
};

Offsets offsets_of(const LaneGeometry& geometry) {
  const std::uint64_t slots = geometry.slot_count;
  Offsets at{};
  at.sleep_mark = round_up(sizeof(LaneHeader), kCacheLine);
  at.request_cursors = at.sleep_mark + sizeof(SleepMark);
  at.request_cells = at.request_cursors + sizeof(RingCursors);
  at.completion_cursors = round_up(at.request_cells + slots * sizeof(RequestCell), kCacheLine);
  at.completion_cells = at.completion_cursors + sizeof(RingCursors);
  at.marks = round_up(at.completion_cells + slots * sizeof(CompletionCell), kCacheLine);
  at.description = round_up(at.marks + slots * sizeof(RunningMark), kPage);
  at.results = round_up(at.description + geometry.description_bytes, kPage);
  at.total = round_up(at.results + slots * geometry.result_slot_bytes, kPage);
  return at;
}

bool plausible(const LaneGeometry& geometry) {
  return std::has_single_bit(geometry.slot_count) && geometry.slot_count <= kMaxSlotCount &&
         geometry.result_slot_bytes % kCacheLine == 0 && geometry.result_slot_bytes <= kMaxResultSlotBytes;
}

// A memfd is zeroed, and an all-zero atomic integer is a valid object with value 0. Therefore the objects need no
// construction; this only gives the compiler their type.
template <typename T>
T* at(const MemfdRegion& region, std::uint64_t offset) {
  return reinterpret_cast<T*>(region.bytes().data() + offset);
}

std::optional<std::vector<std::byte>> copy_out(const std::byte* from, std::uint64_t bytes) {
  std::vector<std::byte> copy(bytes);
  if (bytes != 0) std::memcpy(copy.data(), from, bytes);
  return copy;
}

}  // namespace

LaneGeometry make_lane_geometry(std::uint32_t max_batch, std::uint64_t result_bytes) {
  return {std::bit_ceil(std::max(max_batch, 1U) * 2), kDescriptionBytes, round_up(result_bytes, kCacheLine)};
}

std::uint64_t lane_bytes(const LaneGeometry& geometry) { return offsets_of(geometry).total; }

LaneOwner::LaneOwner(MemfdRegion region, const LaneGeometry& geometry)
    : region_(std::move(region)),
      geometry_(geometry),
      requests_(*at<RingCursors>(region_, offsets_of(geometry).request_cursors),
                at<RequestCell>(region_, offsets_of(geometry).request_cells), geometry.slot_count),
      completions_(*at<RingCursors>(region_, offsets_of(geometry).completion_cursors),
                   at<const CompletionCell>(region_, offsets_of(geometry).completion_cells), geometry.slot_count) {}

common::Outcome<LaneOwner> LaneOwner::create(const LaneGeometry& geometry, std::uint64_t launch_id,
                                             std::uint32_t seat) {
  const std::uint64_t total = lane_bytes(geometry);
  auto region = MemfdRegion::create("yolod-lane", total);
  if (!region) return region.error();
  const LaneHeader header{{kMagic, kLayoutVersion, RegionKind::kLane, total, launch_id}, geometry, seat, 0};
  std::memcpy(region->bytes().data(), &header, sizeof header);
  // the worker counts as asleep until it clears the mark
  at<SleepMark>(*region, offsets_of(geometry).sleep_mark)->sleeps.store(1);
  if (auto sealed = region->seal_against_seals(); !sealed) return sealed.error();
  common::reach(common::FaultPoint::kFrontEndMadeLane);
  return LaneOwner(std::move(region).value(), geometry);
}

std::optional<std::span<const std::byte>> LaneOwner::copy_result(std::uint32_t slot, std::uint64_t bytes) {
  if (slot >= geometry_.slot_count || bytes > geometry_.result_slot_bytes) return std::nullopt;
  const std::byte* const from =
      region_.bytes().data() + offsets_of(geometry_).results + slot * geometry_.result_slot_bytes;
  result_.assign(from, from + bytes);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the caller checks and uses the copy only
  return std::span<const std::byte>(result_);
}

bool LaneOwner::append_result(std::uint32_t slot, std::uint64_t offset, std::uint64_t bytes,
                              std::vector<std::byte>& to) const {
  const std::uint64_t size = geometry_.result_slot_bytes;
  if (slot >= geometry_.slot_count || offset > size || bytes > size - offset) return false;
  const std::byte* const from = region_.bytes().data() + offsets_of(geometry_).results + slot * size + offset;
  to.insert(to.end(), from, from + bytes);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the caller checks and uses the copy only
  return true;
}

bool LaneOwner::worker_sleeps() const {
  // Without this fence the worker could miss the published request while this side misses the worker's sleep mark.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return at<SleepMark>(region_, offsets_of(geometry_).sleep_mark)->sleeps.load(std::memory_order_relaxed) != 0;
}

LaneOwner::Mark LaneOwner::running_mark(std::uint32_t slot) const {
  if (slot >= geometry_.slot_count) return {};
  const auto value =
      at<RunningMark>(region_, offsets_of(geometry_).marks)[slot].id_and_phase.load(std::memory_order_acquire);
  return {value / kWorkPhases, static_cast<WorkPhase>(value % kWorkPhases)};
}

std::optional<std::vector<std::byte>> LaneOwner::copy_description(std::uint64_t bytes) const {
  if (bytes > geometry_.description_bytes) return std::nullopt;
  return copy_out(region_.bytes().data() + offsets_of(geometry_).description, bytes);
}

LaneUser::LaneUser(MemfdRegion region, const LaneHeader& header)
    : region_(std::move(region)),
      geometry_(header.geometry),
      launch_id_(header.region.launch_id),
      seat_(header.seat),
      requests_(*at<RingCursors>(region_, offsets_of(geometry_).request_cursors),
                at<const RequestCell>(region_, offsets_of(geometry_).request_cells), geometry_.slot_count),
      completions_(*at<RingCursors>(region_, offsets_of(geometry_).completion_cursors),
                   at<CompletionCell>(region_, offsets_of(geometry_).completion_cells), geometry_.slot_count) {}

common::Outcome<LaneUser> LaneUser::open(common::UniqueFd descriptor) {
  auto region = MemfdRegion::open(std::move(descriptor), MemfdRegion::Access::kReadWrite);
  if (!region) return region.error();
  LaneHeader header{};
  if (region->bytes().size() < sizeof header) return common::Error{common::ErrorCode::kSystem, "the lane is too small"};
  std::memcpy(&header, region->bytes().data(), sizeof header);
  if (header.region.magic != kMagic || header.region.version != kLayoutVersion ||
      header.region.kind != RegionKind::kLane) {
    return common::Error{common::ErrorCode::kSystem, "the lane was made by another version of yolod"};
  }
  if (!plausible(header.geometry) || lane_bytes(header.geometry) != region->bytes().size()) {
    return common::Error{common::ErrorCode::kSystem, "the lane's size does not match its geometry"};
  }
  region->close_descriptor();
  common::reach(common::FaultPoint::kLaneOpened);
  return LaneUser(std::move(region).value(), header);
}

bool LaneUser::fall_asleep() {
  at<SleepMark>(region_, offsets_of(geometry_).sleep_mark)->sleeps.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!has_requests()) return true;
  wake_up();
  return false;
}

void LaneUser::wake_up() {
  at<SleepMark>(region_, offsets_of(geometry_).sleep_mark)->sleeps.store(0, std::memory_order_relaxed);
}

void LaneUser::mark_running(std::uint32_t slot, std::uint64_t id, WorkPhase phase) const {
  if (slot >= geometry_.slot_count) return;
  at<RunningMark>(region_, offsets_of(geometry_).marks)[slot].id_and_phase.store(
      id * kWorkPhases + static_cast<std::uint64_t>(phase), std::memory_order_release);
}

std::span<std::byte> LaneUser::result_slot(std::uint32_t slot) const {
  if (slot >= geometry_.slot_count) return {};
  return region_.bytes().subspan(offsets_of(geometry_).results + slot * geometry_.result_slot_bytes,
                                 geometry_.result_slot_bytes);
}

std::span<std::byte> LaneUser::description() const {
  return region_.bytes().subspan(offsets_of(geometry_).description, geometry_.description_bytes);
}

}  // namespace yolod::ipc
