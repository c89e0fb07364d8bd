#include "app/serving/memory_check.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "app/process/supervisor.hpp"
#include "tests/unit/app/serving/pool_bench.hpp"

namespace yolod::app::serving {
namespace {

using common::ErrorCode;
using common::ReloadMode;

// A registry with one model. Its loader runs and has forked no worker, so none of its lanes take memory.
class MemoryBench {
 public:
  explicit MemoryBench(bool large) {
    bench.puppets.by_hand = true;
    registry.add({model("m", large)});
    registry.start(process::Start::kServing);
    (void)bench.puppets.next_loader();
  }
  ~MemoryBench() {
    registry.shut_down();
    for (const auto& pool : registry.pools()) pool->signal_all(SIGKILL);
    CHECK(bench.until([this] { return !registry.any_alive(); }));
  }
  // With `large`, the lanes exceed the memory of any machine.
  [[nodiscard]] common::ModelConfig model(const std::string& name, bool large) const {
    auto config = bench.config(name);
    if (!large) return config;
    config.task = common::Task::kTensor;
    config.workers = common::kMostWorkers;
    config.limits.max_result_bytes = 1ULL << 30U;
    config.batch.max_size = common::kMostInBatch;
    return config;
  }

  PoolBench bench;
  ModelRegistry registry{bench.context, bench.events()};
};

TEST_CASE("MemoryCheck: at the start the arena and the lanes must fit", "[app][unit]") {
  MemoryBench bench(false);
  const auto small = bench.model("n", false);
  CHECK(check_shared_memory(1U << 20U, {small}, nullptr));
  CHECK(check_shared_memory(0, {}, nullptr));
  const auto large_arena = check_shared_memory(1ULL << 50U, {small}, nullptr);
  REQUIRE_FALSE(large_arena);
  CHECK(large_arena.error().code == ErrorCode::kSystem);
  CHECK_FALSE(check_shared_memory(1U << 20U, {small, bench.model("l", true)}, nullptr));
}

TEST_CASE("MemoryCheck: the largest of the regions must fit into one file", "[app][unit]") {
  MemoryBench bench(false);
  const auto small = bench.model("n", false);
  const auto lane_bytes = process::Supervisor::lane_bytes_of(small);
  rlimit whole{};
  getrlimit(RLIMIT_FSIZE, &whole);
  const auto check_with = [&](std::uint64_t file_bytes, std::uint64_t arena_bytes) {
    const rlimit limit{file_bytes, whole.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto fits = check_shared_memory(arena_bytes, {small}, nullptr);
    setrlimit(RLIMIT_FSIZE, &whole);
    return fits;
  };
  CHECK(check_with(lane_bytes, lane_bytes));
  CHECK_FALSE(check_with(lane_bytes - 1, 0));
  CHECK_FALSE(check_with(lane_bytes, lane_bytes + 1));
}

TEST_CASE("MemoryCheck: a model that is reloaded in place frees its lanes, a model that is loaded beside does not",
          "[app][unit]") {
  MemoryBench bench(true);
  auto next = bench.model("m", true);
  next.reload = GENERATE(ReloadMode::kInPlace, ReloadMode::kBeside);
  CHECK(check_shared_memory(0, {next}, &bench.registry).ok() == (next.reload == ReloadMode::kInPlace));
  // A model with another name does not free them, and neither does a model that no longer serves.
  next.name = "n";
  CHECK_FALSE(check_shared_memory(0, {next}, &bench.registry));
  next.name = "m";
  bench.registry.retire_all_but({});
  CHECK_FALSE(check_shared_memory(0, {next}, &bench.registry));
}

TEST_CASE("MemoryCheck: a model that is loaded beside another must fit beside the other's memory", "[app][unit]") {
  MemoryBench bench(false);
  REQUIRE(bench.registry.find_pool("m")->memory_bytes() > 0);
  CHECK(check_room_beside({bench.model("m", false)}, bench.registry));
  auto next = bench.model("m", true);
  const auto room = check_room_beside({next}, bench.registry);
  REQUIRE_FALSE(room);
  CHECK(room.error().code == ErrorCode::kBadConfig);
  CHECK_THAT(room.error().message, Catch::Contains("reload: in_place"));
  SECTION("a reload in place needs no further memory") { next.reload = ReloadMode::kInPlace; }
  SECTION("a new model has no earlier generation") { next.name = "n"; }
  SECTION("a model that no longer serves has no earlier generation") { bench.registry.retire_all_but({}); }
  CHECK(check_room_beside({next}, bench.registry));
}

}  // namespace
}  // namespace yolod::app::serving
