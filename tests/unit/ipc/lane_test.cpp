#include "ipc/lane.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <utility>

#include "tests/support/duplicate.hpp"

namespace yolod::ipc {
namespace {

using common::ErrorCode;
using common::UniqueFd;
using tests::duplicate;

constexpr std::uint64_t kLaneLaunchId = 9;
constexpr std::uint32_t kSeat = 3;

LaneOwner make_owner(const LaneGeometry& geometry) {
  auto owner = LaneOwner::create(geometry, kLaneLaunchId, kSeat);
  REQUIRE(owner);
  return std::move(owner).value();
}

LaneUser open_user(const LaneOwner& owner) {
  auto user = LaneUser::open(duplicate(owner.descriptor()));
  REQUIRE(user);
  return std::move(user).value();
}

struct Lane {
  explicit Lane(std::uint32_t max_batch = 2, std::uint64_t result_bytes = 1000)
      : owner(make_owner(make_lane_geometry(max_batch, result_bytes))), user(open_user(owner)) {}
  LaneOwner owner;
  LaneUser user;
};

RequestCell request(std::uint64_t id, std::uint32_t slot = 0) {
  RequestCell cell{};
  cell.id = id;
  cell.content_offset = id * 100;
  cell.content_bytes = id * 10;
  cell.slot = slot;
  cell.options_bytes = 3;
  cell.options = {std::byte{1}, std::byte{2}, std::byte{3}};
  return cell;
}

CompletionCell completion(std::uint64_t id, std::uint32_t slot = 0) {
  CompletionCell cell{};
  cell.id = id;
  cell.slot = slot;
  cell.result_bytes = 3;
  cell.decode_us = 1;
  cell.infer_us = 2;
  cell.post_us = 3;
  return cell;
}

template <typename Cell>
bool same_bytes(const Cell& a, const Cell& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

void fill(std::span<std::byte> bytes, int value) {
  std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(value));
}

bool all_are(std::span<const std::byte> bytes, int value) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [value](std::byte byte) { return byte == static_cast<std::byte>(value); });
}

// ---- geometry ----

TEST_CASE("Lane: a geometry has room for one batch running and one waiting", "[ipc][unit]") {
  for (std::uint32_t max_batch = 0; max_batch <= 256; ++max_batch) {
    const auto geometry = make_lane_geometry(max_batch, 1000);
    REQUIRE(std::has_single_bit(geometry.slot_count));
    REQUIRE(geometry.slot_count >= 2 * std::max(max_batch, 1U));
    REQUIRE(geometry.slot_count < 4 * std::max(max_batch, 1U));
  }
}

TEST_CASE("Lane: a result slot has the requested bytes, rounded up to a cache line", "[ipc][unit]") {
  CHECK(make_lane_geometry(1, 0).result_slot_bytes == 0);
  CHECK(make_lane_geometry(1, 1).result_slot_bytes == 64);
  CHECK(make_lane_geometry(1, 64).result_slot_bytes == 64);
  CHECK(make_lane_geometry(1, 65).result_slot_bytes == 128);
}

TEST_CASE("Lane: a lane has whole pages and room for every slot and the description", "[ipc][unit]") {
  const std::uint32_t max_batch = GENERATE(as<std::uint32_t>{}, 1, 3, 8, 256);
  const std::uint64_t result_bytes = GENERATE(as<std::uint64_t>{}, 1, 1024, 7216, 720'016);
  const auto geometry = make_lane_geometry(max_batch, result_bytes);
  const auto bytes = lane_bytes(geometry);
  CHECK(bytes % 4096 == 0);
  CHECK(bytes > geometry.description_bytes + geometry.slot_count * (geometry.result_slot_bytes + sizeof(RequestCell) +
                                                                    sizeof(CompletionCell) + sizeof(RunningMark)));
}

TEST_CASE("Lane: no two parts of a lane overlap", "[ipc][unit]") {
  Lane lane(3, 100);
  const auto slots = lane.user.geometry().slot_count;
  fill(lane.user.description(), 0xD0);
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    fill(lane.user.result_slot(slot), 1 + static_cast<int>(slot));
    lane.user.mark_running(slot, 100 + slot, WorkPhase::kComputing);
    REQUIRE(lane.owner.push_request(request(slot)) == PushResult::kPushed);
    REQUIRE(lane.user.push_completion(completion(slot)) == PushResult::kPushed);
  }
  lane.owner.publish_requests();
  lane.user.publish_completions();
  CHECK(all_are(lane.user.description(), 0xD0));
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    CHECK(all_are(lane.user.result_slot(slot), 1 + static_cast<int>(slot)));
    CHECK(lane.owner.running_mark(slot) == LaneOwner::Mark{100 + slot, WorkPhase::kComputing});
    RequestCell taken{};
    REQUIRE(lane.user.pop_request(taken) == PopResult::kPopped);
    CHECK(same_bytes(taken, request(slot)));
    CompletionCell done{};
    REQUIRE(lane.owner.pop_completion(done) == PopResult::kPopped);
    CHECK(same_bytes(done, completion(slot)));
  }
}

// ---- a round trip ----

TEST_CASE("Lane: the worker learns geometry, seat and launch from its descriptor alone", "[ipc][unit]") {
  const Lane lane(5, 999);
  CHECK(lane.user.launch_id() == kLaneLaunchId);
  CHECK(lane.user.seat() == kSeat);
  CHECK(lane.user.geometry().slot_count == lane.owner.geometry().slot_count);
  CHECK(lane.user.geometry().result_slot_bytes == lane.owner.geometry().result_slot_bytes);
  CHECK(lane.user.geometry().description_bytes == lane.owner.geometry().description_bytes);
  CHECK(lane.user.all_bytes().size() == lane_bytes(lane.owner.geometry()));
}

TEST_CASE("Lane: a new lane holds no requests, completions or marks", "[ipc][unit]") {
  Lane lane;
  RequestCell taken{};
  CompletionCell done{};
  CHECK(lane.user.pop_request(taken) == PopResult::kEmpty);
  CHECK(lane.owner.pop_completion(done) == PopResult::kEmpty);
  for (std::uint32_t slot = 0; slot < lane.owner.geometry().slot_count; ++slot) {
    CHECK(lane.owner.running_mark(slot) == LaneOwner::Mark{});
  }
}

TEST_CASE("Lane: a request reaches the worker after publish, whole", "[ipc][unit]") {
  Lane lane;
  REQUIRE(lane.owner.push_request(request(5, 1)) == PushResult::kPushed);
  RequestCell taken{};
  CHECK(lane.user.pop_request(taken) == PopResult::kEmpty);
  lane.owner.publish_requests();
  REQUIRE(lane.user.pop_request(taken) == PopResult::kPopped);
  CHECK(same_bytes(taken, request(5, 1)));
}

TEST_CASE("Lane: an answer comes back with its bytes", "[ipc][unit]") {
  Lane lane;
  std::memcpy(lane.user.result_slot(1).data(), "abc", 3);
  REQUIRE(lane.user.push_completion(completion(5, 1)) == PushResult::kPushed);
  lane.user.publish_completions();
  CompletionCell done{};
  REQUIRE(lane.owner.pop_completion(done) == PopResult::kPopped);
  CHECK(same_bytes(done, completion(5, 1)));
  const auto bytes = lane.owner.copy_result(done.slot, done.result_bytes);
  REQUIRE(bytes);
  CHECK(std::memcmp(bytes->data(), "abc", 3) == 0);
  CHECK(bytes->size() == 3);
}

TEST_CASE("Lane: each ring has as many cells as there are slots", "[ipc][unit]") {
  Lane lane;
  const auto slots = lane.owner.geometry().slot_count;
  for (std::uint32_t i = 0; i < slots; ++i) {
    REQUIRE(lane.owner.push_request(request(i)) == PushResult::kPushed);
    REQUIRE(lane.user.push_completion(completion(i)) == PushResult::kPushed);
  }
  CHECK(lane.owner.push_request(request(99)) == PushResult::kFull);
  CHECK(lane.user.push_completion(completion(99)) == PushResult::kFull);
}

TEST_CASE("Lane: a lane works after its owner closed the descriptor and was moved", "[ipc][unit]") {
  LaneOwner first = make_owner(make_lane_geometry(1, 100));
  LaneUser user = open_user(first);
  first.close_descriptor();
  LaneOwner owner = std::move(first);
  REQUIRE(owner.push_request(request(1)) == PushResult::kPushed);
  owner.publish_requests();
  RequestCell taken{};
  CHECK(user.pop_request(taken) == PopResult::kPopped);
}

// ---- reads of the owner ----

TEST_CASE("Lane: a worker cannot change a copied result", "[ipc][unit]") {
  Lane lane;
  fill(lane.user.result_slot(0), 1);
  const auto copy = lane.owner.copy_result(0, 10);
  fill(lane.user.result_slot(0), 2);
  REQUIRE(copy);
  CHECK(all_are(*copy, 1));
}

TEST_CASE("Lane: results are copied out within their slot only", "[ipc][unit]") {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  Lane lane;
  const auto& geometry = lane.owner.geometry();
  CHECK(lane.owner.copy_result(0, 0).value().empty());
  CHECK(lane.owner.copy_result(geometry.slot_count - 1, geometry.result_slot_bytes).value().size() ==
        geometry.result_slot_bytes);
  CHECK_FALSE(lane.owner.copy_result(0, geometry.result_slot_bytes + 1));
  CHECK_FALSE(lane.owner.copy_result(0, kMost));
  CHECK_FALSE(lane.owner.copy_result(geometry.slot_count, 0));
  CHECK_FALSE(lane.owner.copy_result(UINT32_MAX, 1));
}

TEST_CASE("Lane: the description is copied out within its area only", "[ipc][unit]") {
  Lane lane;
  std::memcpy(lane.user.description().data(), "model", 5);
  const auto copy = lane.owner.copy_description(5);
  REQUIRE(copy);
  CHECK(std::memcmp(copy->data(), "model", 5) == 0);
  const std::uint64_t room = lane.owner.geometry().description_bytes;
  CHECK(lane.user.description().size() == room);
  CHECK(lane.owner.copy_description(0).value().empty());
  CHECK(lane.owner.copy_description(room).value().size() == room);
  CHECK_FALSE(lane.owner.copy_description(room + 1));
  CHECK_FALSE(lane.owner.copy_description(std::numeric_limits<std::uint64_t>::max()));
}

TEST_CASE("Lane: a RUNNING mark stays until the slot is taken again", "[ipc][unit]") {
  Lane lane;
  lane.user.mark_running(1, 77, WorkPhase::kWaiting);
  CHECK(lane.owner.running_mark(1) == LaneOwner::Mark{77, WorkPhase::kWaiting});
  CHECK(lane.owner.running_mark(0) == LaneOwner::Mark{});
  lane.user.mark_running(1, 78, WorkPhase::kTaken);
  CHECK(lane.owner.running_mark(1) == LaneOwner::Mark{78, WorkPhase::kTaken});
}

TEST_CASE("Lane: a RUNNING mark tells each phase of the largest id", "[ipc][unit]") {
  constexpr std::uint64_t kLargestId = UINT64_MAX / kWorkPhases;
  const auto phase = GENERATE(WorkPhase::kTaken, WorkPhase::kOwnWork, WorkPhase::kWaiting, WorkPhase::kComputing);
  Lane lane;
  lane.user.mark_running(2, kLargestId, phase);
  CHECK(lane.owner.running_mark(2) == LaneOwner::Mark{kLargestId, phase});
}

TEST_CASE("Lane: slots that do not exist have no marks and no results", "[ipc][unit]") {
  Lane lane;
  const auto slots = lane.owner.geometry().slot_count;
  lane.user.mark_running(slots, 5, WorkPhase::kTaken);
  lane.user.mark_running(UINT32_MAX, 5, WorkPhase::kTaken);
  CHECK(lane.owner.running_mark(slots) == LaneOwner::Mark{});
  CHECK(lane.owner.running_mark(UINT32_MAX) == LaneOwner::Mark{});
  CHECK(lane.user.result_slot(slots).empty());
  CHECK(lane.user.result_slot(UINT32_MAX).empty());
}

TEST_CASE("Lane: a worker that overwrites the whole lane is detected and does no harm", "[ipc][unit]") {
  const int value = GENERATE(0x7F, 0x80, 0x01);
  Lane lane;
  fill(lane.user.all_bytes(), value);
  CompletionCell done{};
  CHECK(lane.owner.pop_completion(done) == PopResult::kCorrupt);
  CHECK(lane.owner.push_request(request(1)) == PushResult::kCorrupt);
  // The front-end uses its own sizes, not the sizes that the header now has.
  CHECK(lane.owner.copy_result(0, lane.owner.geometry().result_slot_bytes));
  CHECK_FALSE(lane.owner.copy_result(0, lane.owner.geometry().result_slot_bytes + 1));
}

TEST_CASE("Lane: a consumed cursor just behind the start only costs room", "[ipc][unit]") {
  Lane lane;
  fill(lane.user.all_bytes(), 0xFF);  // as a signed number, -1: within what the ring's length allows
  const auto slots = lane.owner.geometry().slot_count;
  for (std::uint32_t i = 0; i + 1 < slots; ++i) CHECK(lane.owner.push_request(request(i)) == PushResult::kPushed);
  CHECK(lane.owner.push_request(request(slots)) == PushResult::kFull);
}

// ---- opening ----

// Returns a sealed region with this header, which a front-end of another version might make.
common::Outcome<LaneUser> open_with(const LaneHeader& header, std::uint64_t bytes) {
  auto region = MemfdRegion::create("yolod-test", bytes);
  REQUIRE(region);
  std::memcpy(region->bytes().data(), &header, std::min<std::uint64_t>(bytes, sizeof header));
  return LaneUser::open(duplicate(region->descriptor()));
}

LaneHeader good_header() {
  const auto geometry = make_lane_geometry(1, 64);
  return {{kMagic, kLayoutVersion, RegionKind::kLane, lane_bytes(geometry), kLaneLaunchId}, geometry, 0, 0};
}

TEST_CASE("Lane: open accepts a consistent header", "[ipc][unit]") {
  CHECK(open_with(good_header(), lane_bytes(good_header().geometry)));
}

TEST_CASE("Lane: open refuses a lane of another version", "[ipc][unit]") {
  auto header = good_header();
  SECTION("wrong magic") { header.region.magic += 1; }
  SECTION("an older layout") { header.region.version = kLayoutVersion - 1; }
  SECTION("a newer layout") { header.region.version = kLayoutVersion + 1; }
  SECTION("an input arena") { header.region.kind = RegionKind::kInputArena; }
  SECTION("no kind of region") { header.region.kind = RegionKind{77}; }
  const auto user = open_with(header, lane_bytes(good_header().geometry));
  REQUIRE_FALSE(user);
  CHECK(user.error().code == ErrorCode::kSystem);
}

TEST_CASE("Lane: open refuses a geometry that does not fit the region", "[ipc][unit]") {
  const auto bytes = lane_bytes(good_header().geometry);
  auto header = good_header();
  SECTION("no slots") { header.geometry.slot_count = 0; }
  SECTION("not a power of two") { header.geometry.slot_count = 3; }
  SECTION("more slots than there is room for") { header.geometry.slot_count = 65'536; }
  SECTION("slots beyond all measure") { header.geometry.slot_count = 1U << 31U; }
  SECTION("a description beyond the region") { header.geometry.description_bytes = UINT32_MAX; }
  SECTION("results that are not whole cache lines") { header.geometry.result_slot_bytes = 65; }
  SECTION("results beyond the region") { header.geometry.result_slot_bytes = std::uint64_t{1} << 20U; }
  SECTION("results whose sum wraps around") { header.geometry.result_slot_bytes = std::uint64_t{1} << 63U; }
  SECTION("results that wrap around to the right sum") {
    header.geometry.result_slot_bytes = (std::uint64_t{1} << 63U) + 64;
  }
  const auto user = open_with(header, bytes);
  REQUIRE_FALSE(user);
  CHECK(user.error().code == ErrorCode::kSystem);
}

TEST_CASE("Lane: open refuses a region of another size than its geometry says", "[ipc][unit]") {
  const auto bytes = lane_bytes(good_header().geometry);
  CHECK_FALSE(open_with(good_header(), bytes - 1));
  CHECK_FALSE(open_with(good_header(), bytes + 1));
  CHECK_FALSE(open_with(good_header(), 4096));
  CHECK_FALSE(open_with(good_header(), sizeof(LaneHeader)));
  CHECK_FALSE(open_with(good_header(), sizeof(LaneHeader) - 1));
  CHECK_FALSE(open_with(good_header(), 1));
}

TEST_CASE("Lane: open refuses an invalid descriptor", "[ipc][unit]") { CHECK_FALSE(LaneUser::open(UniqueFd())); }

TEST_CASE("Lane: a worker cannot add a seal", "[ipc][unit]") {
  const LaneOwner owner = make_owner(make_lane_geometry(1, 64));
  CHECK(fcntl(owner.descriptor(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0);
}

TEST_CASE("Lane: a lane that is larger than a file can be is an error", "[ipc][unit]") {
  const auto owner = LaneOwner::create({2, 4096, std::uint64_t{1} << 62U}, kLaneLaunchId);
  REQUIRE_FALSE(owner);
  CHECK(owner.error().code == ErrorCode::kSystem);
}

}  // namespace
}  // namespace yolod::ipc
