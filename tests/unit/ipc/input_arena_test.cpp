#include "ipc/input_arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/duplicate.hpp"

namespace yolod::ipc {
namespace {

using common::ErrorCode;
using common::UniqueFd;
using tests::duplicate;

constexpr std::uint64_t kArenaBytes = 1U << 20U;

InputArena make_arena(std::uint64_t bytes = kArenaBytes) {
  auto arena = InputArena::create(bytes);
  REQUIRE(arena);
  return std::move(arena).value();
}

InputArenaView make_view(const InputArena& arena) {
  auto view = InputArenaView::open(duplicate(arena.descriptor()));
  REQUIRE(view);
  return std::move(view).value();
}

ArenaBlock allocate(InputArena& arena, std::uint64_t bytes) {
  auto block = arena.allocate(bytes);
  REQUIRE(block);
  return std::move(*block);
}

// Allocates completed bodies of `bytes` until there is no more room.
std::vector<ArenaBlock> fill(InputArena& arena, std::uint64_t bytes) {
  std::vector<ArenaBlock> blocks;
  while (auto block = arena.allocate(bytes)) {
    block->end_upload();
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

// ---- room ----

TEST_CASE("InputArena: a block has the requested size and lies at its offset", "[ipc][unit]") {
  InputArena arena = make_arena();
  const InputArenaView view = make_view(arena);
  const ArenaBlock block = allocate(arena, 1000);
  REQUIRE(block.bytes().size() == 1000);
  std::fill(block.bytes().begin(), block.bytes().end(), std::byte{0xAB});
  const auto seen = view.body(block.offset(), 1000);
  REQUIRE(seen);
  CHECK(std::equal(seen->begin(), seen->end(), block.bytes().begin()));
}

TEST_CASE("InputArena: blocks are aligned to a cache line", "[ipc][unit]") {
  InputArena arena = make_arena();
  std::vector<ArenaBlock> blocks;
  for (const std::uint64_t bytes : {1U, 63U, 64U, 65U, 1000U, 4097U}) {
    blocks.push_back(allocate(arena, bytes));
    CHECK(blocks.back().offset() % kCacheLine == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(blocks.back().bytes().data()) % kCacheLine == 0);
  }
}

TEST_CASE("InputArena: no two blocks overlap", "[ipc][unit]") {
  InputArena arena = make_arena();
  const auto blocks = fill(arena, 1000);
  REQUIRE(blocks.size() > 500);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::fill(blocks[i].bytes().begin(), blocks[i].bytes().end(), static_cast<std::byte>(i));
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    REQUIRE(std::all_of(blocks[i].bytes().begin(), blocks[i].bytes().end(),
                        [i](std::byte byte) { return byte == static_cast<std::byte>(i); }));
  }
}

TEST_CASE("InputArena: an empty body is a block too", "[ipc][unit]") {
  InputArena arena = make_arena();
  const ArenaBlock block = allocate(arena, 0);
  CHECK(block.bytes().empty());
  CHECK(block.offset() != 0);
  CHECK(arena.uploading_bytes() == 0);
}

TEST_CASE("InputArena: the largest body can be allocated in arenas of any size", "[ipc][unit]") {
  const std::uint64_t bytes =
      GENERATE(as<std::uint64_t>{}, 64 << 10U, 65'537, 100'000, 1 << 20U, (1 << 20U) + 4095, 16 << 20U);
  InputArena arena = make_arena(bytes);
  const ArenaBlock block = allocate(arena, arena.largest_body_bytes());
  CHECK(block.bytes().size() == arena.largest_body_bytes());
  std::fill(block.bytes().begin(), block.bytes().end(), std::byte{1});
}

TEST_CASE("InputArena: the second of two largest bodies fits after the upload of the first", "[ipc][unit]") {
  InputArena arena = make_arena();
  ArenaBlock first = allocate(arena, arena.largest_body_bytes());
  CHECK_FALSE(arena.allocate(arena.largest_body_bytes()));
  first.end_upload();
  CHECK(arena.allocate(arena.largest_body_bytes()));
}

TEST_CASE("InputArena: the largest body fits again after many smaller bodies", "[ipc][unit]") {
  InputArena arena = make_arena();
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    auto blocks = fill(arena, 1 + random() % 50'000);
    std::shuffle(blocks.begin(), blocks.end(), random);
  }
  CHECK(arena.allocate(arena.largest_body_bytes()));
}

TEST_CASE("InputArena: a body beyond half of the arena is refused at once", "[ipc][unit]") {
  InputArena arena = make_arena();
  const std::uint64_t bytes =
      GENERATE_REF(as<std::uint64_t>{}, arena.capacity_bytes() / 2 + 1, arena.capacity_bytes(), kArenaBytes * 2,
                   std::numeric_limits<std::uint64_t>::max() - 1, std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(arena.allocate(bytes));
  CHECK(arena.uploading_bytes() == 0);
}

TEST_CASE("InputArena: unfinished uploads take at most half of the arena", "[ipc][unit]") {
  InputArena arena = make_arena();
  const std::uint64_t half = arena.capacity_bytes() / 2;
  const ArenaBlock first = allocate(arena, half - 1000);
  CHECK(arena.uploading_bytes() == half - 1000);
  CHECK_FALSE(arena.allocate(1001));
  const ArenaBlock second = allocate(arena, 1000);
  CHECK(arena.uploading_bytes() == half);
  CHECK_FALSE(arena.allocate(1));
  CHECK_FALSE(arena.allocate(0));
}

TEST_CASE("InputArena: end_upload returns the upload's share once", "[ipc][unit]") {
  InputArena arena = make_arena();
  ArenaBlock block = allocate(arena, 10'000);
  const ArenaBlock other = allocate(arena, 5000);
  block.end_upload();
  CHECK(arena.uploading_bytes() == 5000);
  block.end_upload();
  CHECK(arena.uploading_bytes() == 5000);
}

TEST_CASE("InputArena: a block that is freed before the end of its upload returns its share", "[ipc][unit]") {
  InputArena arena = make_arena();
  { const ArenaBlock block = allocate(arena, 10'000); }
  CHECK(arena.uploading_bytes() == 0);
}

TEST_CASE("InputArena: a full arena refuses a body until a block is freed", "[ipc][unit]") {
  InputArena arena = make_arena();
  auto blocks = fill(arena, 50'000);
  REQUIRE(blocks.size() >= 2);
  CHECK_FALSE(arena.allocate(50'000));
  blocks.erase(blocks.begin() + 1);
  CHECK(arena.allocate(50'000));
}

TEST_CASE("InputArena: the used bytes return to their first value when every block is freed", "[ipc][unit]") {
  InputArena arena = make_arena();
  const auto before = arena.used_bytes();
  {
    const auto blocks = fill(arena, 777);
    CHECK(arena.used_bytes() > before + blocks.size() * 777);
    CHECK(arena.used_bytes() <= arena.capacity_bytes());
  }
  CHECK(arena.used_bytes() == before);
  CHECK(arena.uploading_bytes() == 0);
}

TEST_CASE("InputArena: an arena that is too small for any body is an error", "[ipc][unit]") {
  const std::uint64_t bytes = GENERATE(as<std::uint64_t>{}, 0, 1, 31, 32, 63, 64, 65, 128, 256, 512, 1000);
  const auto arena = InputArena::create(bytes);
  REQUIRE_FALSE(arena);
  CHECK(arena.error().code == ErrorCode::kSystem);
}

// ---- blocks ----

TEST_CASE("ArenaBlock: after a move only the new block owns the bytes", "[ipc][unit]") {
  InputArena arena = make_arena();
  ArenaBlock first = allocate(arena, 1000);
  const auto* const data = first.bytes().data();
  const auto offset = first.offset();
  {
    ArenaBlock second = std::move(first);
    CHECK(second.bytes().data() == data);
    CHECK(second.offset() == offset);
    CHECK(arena.uploading_bytes() == 1000);
    first.end_upload();  // NOLINT(bugprone-use-after-move): it must do nothing
    CHECK(arena.uploading_bytes() == 1000);
  }
  CHECK(arena.uploading_bytes() == 0);
}

TEST_CASE("ArenaBlock: assignment frees the previous bytes", "[ipc][unit]") {
  InputArena arena = make_arena();
  const auto empty = arena.used_bytes();
  ArenaBlock block = allocate(arena, 1000);
  const auto one = arena.used_bytes();
  block = allocate(arena, 1000);
  CHECK(arena.used_bytes() == one);
  block = ArenaBlock();
  CHECK(arena.used_bytes() == empty);
}

TEST_CASE("ArenaBlock: an empty block can be ended, moved and destroyed", "[ipc][unit]") {
  ArenaBlock block;
  block.end_upload();
  const ArenaBlock moved = std::move(block);
  CHECK(moved.bytes().empty());
}

TEST_CASE("ArenaBlock: a block stays valid when its arena is moved", "[ipc][unit]") {
  InputArena arena = make_arena();
  auto block = std::make_optional(allocate(arena, 1000));
  const InputArena moved = std::move(arena);
  CHECK(moved.uploading_bytes() == 1000);
  std::fill(block->bytes().begin(), block->bytes().end(), std::byte{2});
  block.reset();
  CHECK(moved.uploading_bytes() == 0);
}

// ---- on_room ----

TEST_CASE("InputArena: on_room is called when an upload ends and when a block is freed", "[ipc][unit]") {
  InputArena arena = make_arena();
  int calls = 0;
  arena.on_room([&calls] { ++calls; });
  auto block = std::make_optional(allocate(arena, 1000));
  CHECK(calls == 0);
  block->end_upload();
  CHECK(calls == 1);
  block.reset();
  CHECK(calls == 2);
}

TEST_CASE("InputArena: the room is free before on_room is called", "[ipc][unit]") {
  InputArena arena = make_arena();
  auto blocks = fill(arena, 50'000);
  bool fits = false;
  // The listener frees the probe's own block, which calls the listener again.
  arena.on_room([&, depth = 0]() mutable {
    if (depth++ == 0) fits = arena.allocate(50'000).has_value();
  });
  blocks.pop_back();
  CHECK(fits);
}

TEST_CASE("InputArena: on_room is called only if room becomes free", "[ipc][unit]") {
  InputArena arena = make_arena();
  int calls = 0;
  arena.on_room([&calls] { ++calls; });
  ArenaBlock block = allocate(arena, 1000);
  const ArenaBlock moved = std::move(block);
  CHECK_FALSE(arena.allocate(kArenaBytes));
  block = ArenaBlock();
  CHECK(calls == 0);
}

TEST_CASE("InputArena: a block can be freed without a listener, also after the listener was removed", "[ipc][unit]") {
  InputArena arena = make_arena();
  int calls = 0;
  { const ArenaBlock block = allocate(arena, 10); }
  arena.on_room([&calls] { ++calls; });
  arena.on_room({});
  { const ArenaBlock block = allocate(arena, 10); }
  CHECK(calls == 0);
}

// ---- the worker's side ----

TEST_CASE("InputArena: a new body reuses the place of a recent body of its size", "[ipc][unit]") {
  InputArena arena = make_arena();
  // Allocate more bodies of other sizes than the arena keeps places.
  std::vector<ArenaBlock> others;
  for (std::uint64_t i = 0; i < 20; ++i) others.push_back(allocate(arena, 100 + i));
  ArenaBlock last = allocate(arena, 5000);
  const ArenaBlock between = allocate(arena, 10);
  others.clear();
  const auto place = last.offset();
  last = {};
  CHECK(allocate(arena, 5000).offset() == place);
}

TEST_CASE("InputArenaView: a body that lies in the arena as a whole is accepted", "[ipc][unit]") {
  const InputArena arena = make_arena();
  const InputArenaView view = make_view(arena);
  CHECK(view.body(0, kArenaBytes));
  CHECK(view.body(kArenaBytes, 0));
  CHECK(view.body(kArenaBytes - 1, 1));
  CHECK(view.body(0, 0));
}

TEST_CASE("InputArenaView: a body that reaches beyond the arena is refused", "[ipc][unit]") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const InputArena arena = make_arena();
  const InputArenaView view = make_view(arena);
  CHECK_FALSE(view.body(0, kArenaBytes + 1));
  CHECK_FALSE(view.body(1, kArenaBytes));
  CHECK_FALSE(view.body(kArenaBytes, 1));
  CHECK_FALSE(view.body(kArenaBytes + 1, 0));
  CHECK_FALSE(view.body(kMost, 0));
  CHECK_FALSE(view.body(kMost, 1));
  CHECK_FALSE(view.body(kMost, kMost));
  CHECK_FALSE(view.body(1, kMost));
  CHECK_FALSE(view.body(kMost - 9, 10));
}

TEST_CASE("InputArenaView: a worker that holds the descriptor cannot write to the arena", "[ipc][unit]") {
  const InputArena arena = make_arena();
  CHECK(mmap(nullptr, kArenaBytes, PROT_READ | PROT_WRITE, MAP_SHARED, arena.descriptor(), 0) == MAP_FAILED);
  const InputArenaView view = make_view(arena);
  const auto all = view.body(0, kArenaBytes);
  REQUIRE(all);
  CHECK(mprotect(const_cast<std::byte*>(all->data()), kArenaBytes, PROT_READ | PROT_WRITE) != 0);
  CHECK(errno == EACCES);
}

TEST_CASE("InputArenaView: open refuses a region that no front-end of this version made", "[ipc][unit]") {
  RegionHeader header{kMagic, kLayoutVersion, RegionKind::kInputArena, 4096, 0};
  SECTION("wrong magic") { header.magic = 0; }
  SECTION("an older layout") { header.version = kLayoutVersion - 1; }
  SECTION("a newer layout") { header.version = kLayoutVersion + 1; }
  SECTION("a lane") { header.kind = RegionKind::kLane; }
  auto region = MemfdRegion::create("yolod-test", 4096);
  REQUIRE(region);
  std::memcpy(region->bytes().data(), &header, sizeof header);
  const auto view = InputArenaView::open(duplicate(region->descriptor()));
  REQUIRE_FALSE(view);
  CHECK(view.error().code == ErrorCode::kSystem);
}

TEST_CASE("InputArenaView: open refuses a region without room for a header, and no region", "[ipc][unit]") {
  auto region = MemfdRegion::create("yolod-test", 63);
  REQUIRE(region);
  CHECK_FALSE(InputArenaView::open(duplicate(region->descriptor())));
  CHECK_FALSE(InputArenaView::open(UniqueFd()));
}

}  // namespace
}  // namespace yolod::ipc
