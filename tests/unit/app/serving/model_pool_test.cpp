#include "app/serving/model_pool.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/unit/app/serving/pool_bench.hpp"

namespace yolod::app::serving {
namespace {

using namespace std::chrono_literals;
using common::ErrorCode;

TEST_CASE("ModelPool: the pool serves once its first worker is ready, and finishes its requests when it retires",
          "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  CHECK(pool.retired());
  CHECK(pool.was_ready());
  pool.start(process::Start::kServing);
  CHECK_FALSE(pool.was_ready());
  REQUIRE(bench.until([&] { return pool.status().ready; }));
  CHECK(pool.was_ready());
  CHECK(pool.status().workers_wanted == 2);
  CHECK(pool.status().loader);
  CHECK(pool.status().generation == 1);
  CHECK(pool.memory_bytes() > 0);
  REQUIRE(bench.predict(pool));
  pool.retire();
  CHECK(pool.dispatcher().admit({}).error().code == ErrorCode::kUnknownModel);
  REQUIRE(bench.until([&] { return !pool.any_alive(); }));
  CHECK(pool.memory_bytes() == 0);
  pool.tick();
}

TEST_CASE("ModelPool: a reload swaps the generations, and requests are answered meanwhile", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  pool.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return pool.status().ready; }));
  auto next = bench.config("m");
  next.workers = 1;
  next.reload = GENERATE(common::ReloadMode::kBeside, common::ReloadMode::kInPlace);
  bool done = false;
  pool.reload(next, [&](const common::Outcome<void>& result) {
    CHECK(result.ok());
    done = true;
  });
  CHECK(pool.reloading());
  CHECK(pool.status().reloading);
  while (!done) REQUIRE(bench.predict(pool));
  CHECK_FALSE(pool.reloading());
  CHECK(pool.config().workers == 1);
  CHECK(pool.generation_count() == 2);
  CHECK(pool.status().generation == 2);
  CHECK(bench.gave_up.empty());
  REQUIRE(bench.until([&] {
    pool.tick();
    return pool.status().workers.size() == 1;
  }));
  bench.stop(pool);
}

TEST_CASE("ModelPool: a reload that fails keeps the earlier settings", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  pool.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return pool.status().workers_ready == 2; }));
  bench.puppets.by_hand = true;
  auto next = bench.config("m");
  next.reload = GENERATE(common::ReloadMode::kBeside, common::ReloadMode::kInPlace);
  std::string reason;
  pool.reload(next, [&](const common::Outcome<void>& result) {
    REQUIRE_FALSE(result.ok());
    reason = result.error().message;
  });
  auto& loader = bench.puppets.next_loader();
  bench.puppets.tell(loader, "hello");
  bench.puppets.tell(loader, "fail no such file");
  bench.puppets.tell(loader, "exit 91");
  bench.puppets.by_hand = false;
  REQUIRE(bench.until([&] { return !reason.empty(); }));
  CHECK(reason == "no such file");
  REQUIRE(bench.until([&] { return pool.status().ready; }));
  REQUIRE(bench.predict(pool));
  CHECK(bench.gave_up.empty());
  bench.stop(pool);
}

TEST_CASE("ModelPool: a reload waits until the generation before the last has ended", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  pool.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return pool.status().ready; }));
  for (int i = 0; i < 3; ++i) {
    bool done = false;
    pool.reload(bench.config("m"), [&](const common::Outcome<void>& result) { done = result.ok(); });
    REQUIRE(bench.until([&] { return done; }));
  }
  CHECK(pool.generation_count() == 4);
  bench.stop(pool);
}

TEST_CASE("ModelPool: a model that is retired during its reload ends the reload with an error", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  bench.puppets.by_hand = true;
  ErrorCode code{};
  pool.reload(bench.config("m"), [&](const common::Outcome<void>& result) { code = result.error().code; });
  pool.retire();
  REQUIRE(bench.until([&] { return code != ErrorCode{}; }));
  CHECK(code == ErrorCode::kUnknownModel);
  REQUIRE(bench.until([&] { return !pool.any_alive(); }));
}

TEST_CASE("ModelPool: a first generation that cannot be served is given up", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  bench.puppets.by_hand = true;
  pool.start(process::Start::kServing);
  auto& loader = bench.puppets.next_loader();
  bench.puppets.tell(loader, "hello");
  bench.puppets.tell(loader, "fail no labels");
  bench.puppets.tell(loader, "exit 91");
  REQUIRE(bench.until([&] { return !bench.gave_up.empty(); }));
  CHECK(bench.gave_up == std::vector<std::string>{"m: no labels"});
  bench.stop(pool);
}

TEST_CASE("ModelPool: workers are added and removed, but the last worker stays", "[app][unit]") {
  PoolBench bench;
  ModelPool pool(bench.context, bench.config("m"), bench.events());
  pool.add_worker();  // no worker serves yet, so nothing happens
  pool.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return pool.status().workers_ready == 2; }));
  pool.add_worker();
  REQUIRE(bench.until([&] { return pool.status().workers_ready == 3; }));
  for (int i = 0; i < 4; ++i) pool.remove_worker();
  REQUIRE(bench.until([&] { return pool.status().workers.size() == 1; }));
  REQUIRE(bench.predict(pool));
  pool.update_metrics();
  bench.stop(pool);
}

TEST_CASE("ModelPool: requests that a killed worker had are answered by another", "[app][unit]") {
  PoolBench bench;
  auto config = bench.config("m");
  config.workers = 1;
  ModelPool pool(bench.context, config, bench.events());
  pool.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return pool.status().ready; }));
  const pid_t worker = pool.status().workers[0].pid;
  kill(worker, SIGSTOP);
  const auto asked = bench.ask(pool);
  kill(worker, SIGKILL);
  REQUIRE(bench.until([&] { return bench.is_answered(asked); }));
  CHECK(bench.is_predicted(asked));
  bench.stop(pool);
}

}  // namespace
}  // namespace yolod::app::serving
