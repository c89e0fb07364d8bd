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

// A registry with one model, whose loader is there and has forked nobody: so none of its lanes take memory.
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
  // With `large`, lanes that no machine has room for.
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

TEST_CASE("MemoryCheck: at the start arena and lanes must fit", "[app][unit]") {
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

TEST_CASE("MemoryCheck: a model that is loaded in place gives back its lanes, one that is loaded beside does not",
          "[app][unit]") {
  MemoryBench bench(true);
  auto next = bench.model("m", true);
  next.reload = GENERATE(ReloadMode::kInPlace, ReloadMode::kBeside);
  CHECK(check_shared_memory(0, {next}, &bench.registry).ok() == (next.reload == ReloadMode::kInPlace));
  // Neither does a model of another name, or one that does not serve any more.
  next.name = "n";
  CHECK_FALSE(check_shared_memory(0, {next}, &bench.registry));
  next.name = "m";
  bench.registry.retire_all_but({});
  CHECK_FALSE(check_shared_memory(0, {next}, &bench.registry));
}

TEST_CASE("MemoryCheck: what is loaded beside a model must fit beside what that takes", "[app][unit]") {
  MemoryBench bench(false);
  REQUIRE(bench.registry.find_pool("m")->memory_bytes() > 0);
  CHECK(check_room_beside({bench.model("m", false)}, bench.registry));
  auto next = bench.model("m", true);
  const auto room = check_room_beside({next}, bench.registry);
  REQUIRE_FALSE(room);
  CHECK(room.error().code == ErrorCode::kBadConfig);
  CHECK_THAT(room.error().message, Catch::Contains("reload: in_place"));
  SECTION("in place it needs no room beside") { next.reload = ReloadMode::kInPlace; }
  SECTION("a new model is beside nothing") { next.name = "n"; }
  SECTION("nor is one beside a model that does not serve any more") { bench.registry.retire_all_but({}); }
  CHECK(check_room_beside({next}, bench.registry));
}

}  // namespace
}  // namespace yolod::app::serving
