#include "app/serving/model_registry.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/app/serving/pool_bench.hpp"

namespace yolod::app::serving {
namespace {

using namespace std::chrono_literals;
using common::ErrorCode;
using State = UnloadedModel::State;

TEST_CASE("ModelRegistry: models are found by their names, and no name means the default", "[app][unit]") {
  PoolBench bench;
  ModelRegistry registry(bench.context, bench.events());
  registry.add({bench.config("a"), bench.config("b")});
  registry.set_default("b");
  CHECK(registry.find("a") == nullptr);  // a new model is retired until it is started
  registry.start(process::Start::kServing);
  REQUIRE(registry.find("a") != nullptr);
  CHECK(registry.find("a")->config->name == "a");
  CHECK(registry.find("")->config->name == "b");
  CHECK(registry.find("c") == nullptr);
  CHECK(registry.status().size() == 2);
  REQUIRE(bench.until([&] { return registry.status()[0].ready && registry.status()[1].ready; }));
  CHECK(registry.any_was_ready());
  CHECK(registry.pools().size() == 2);
  for (const auto& pool : registry.pools()) pool->update_metrics();
  for (const auto& pool : registry.pools()) pool->add_worker();
  REQUIRE(bench.until([&] { return registry.status()[0].workers_ready == 3; }));
  for (const auto& pool : registry.pools()) pool->remove_worker();
  REQUIRE(bench.until([&] { return registry.status()[0].workers.size() == 2; }));
  bench.stop(registry);
}

TEST_CASE("ModelRegistry: a removed model is freed, and its numbers go on when it comes back", "[app][unit]") {
  PoolBench bench;
  ModelRegistry registry(bench.context, bench.events());
  registry.add({bench.config("a"), bench.config("b")});
  registry.set_default("a");
  registry.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return registry.status()[0].ready && registry.status()[1].ready; }));
  const auto held = registry.find("b");
  registry.retire_all_but({bench.config("a")});
  CHECK(registry.find("b") == nullptr);
  CHECK(registry.find_pool("b") != nullptr);
  REQUIRE(bench.until([&] {
    registry.tick();
    return registry.find_pool("b") == nullptr;
  }));
  CHECK(held->dispatcher.closed());  // a request that still uses the model must not use freed memory
  bool done = false;
  registry.reload(bench.config("b"), [&](const common::Outcome<void>& result) { done = result.ok(); });
  REQUIRE(bench.until([&] { return done; }));
  REQUIRE(registry.find_pool("b") != nullptr);
  CHECK(registry.find_pool("b")->status().generation == 2);
  bench.stop(registry);
}

TEST_CASE("ModelRegistry: completions without a ring are found and taken", "[app][unit]") {
  PoolBench bench;
  ModelRegistry registry(bench.context, bench.events());
  registry.add({bench.config("a")});
  registry.set_default("a");
  registry.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return registry.status()[0].ready; }));
  const auto asked = bench.ask(*registry.find_pool("a"));
  REQUIRE(bench.until([&] {
    if (registry.have_completions()) registry.find_pool("a")->dispatcher().take_completions();
    return bench.is_answered(asked);
  }));
  CHECK(bench.is_predicted(asked));
  bench.stop(registry);
}

// ---- unload ----

// A registry that serves the models "a" and "b", and the results that it has told.
struct UnloadBench : PoolBench {
  UnloadBench() : registry(context, events()) {
    auto models = std::vector{config("a"), config("b")};
    for (auto& model : models) model.workers = 1;
    registry.add(models);
    registry.set_default("a");
    registry.start(process::Start::kServing);
    REQUIRE(until([&] { return registry.status()[0].ready && registry.status()[1].ready; }));
  }
  ~UnloadBench() { stop(registry); }

  // Counts the results that a caller receives, and has the code of the last error.
  struct Told {
    int times{0};
    std::optional<ErrorCode> error{};
    [[nodiscard]] bool ok() const { return times == 1 && !error; }
  };
  static ModelPool::Reloaded into(Told& told) {
    return [&told](const common::Outcome<void>& result) {
      ++told.times;
      if (!result) told.error = result.error().code;
    };
  }
  // Ticks the registry until `done` returns true.
  [[nodiscard]] bool ticks_until(const std::function<bool()>& done) {
    return until([&] {
      registry.tick();
      return done();
    });
  }
  [[nodiscard]] std::optional<State> state_of(const std::string& model) const {
    for (const auto& one : registry.unloaded()) {
      if (one.name == model) return one.state;
    }
    return std::nullopt;
  }
  void unload_whole(const std::string& model) {
    Told told;
    registry.unload(model, into(told));
    REQUIRE(ticks_until([&] { return told.ok(); }));
  }
  // Lets the next load of a model fail.
  void fail_next_load() {
    puppets.by_hand = true;
    auto& loader = puppets.next_loader();
    puppets.tell(loader, "hello");
    puppets.tell(loader, "fail no such file");
    puppets.tell(loader, "exit 91");
    puppets.by_hand = false;
  }

  ModelRegistry registry;
};

TEST_CASE("ModelRegistry: a model that is unloaded is found by no new request, and its processes end", "[app][unit]") {
  UnloadBench bench;
  UnloadBench::Told first;
  UnloadBench::Told second;
  bench.registry.unload("b", UnloadBench::into(first));
  CHECK(bench.registry.find("b") == nullptr);
  CHECK(bench.registry.is_unloaded("b"));
  CHECK(bench.state_of("b") == State::kUnloading);
  CHECK(bench.registry.status().size() == 1);
  bench.registry.unload("b", UnloadBench::into(second));
  CHECK(first.times == 0);
  REQUIRE(bench.ticks_until([&] { return first.ok() && second.ok(); }));
  CHECK(bench.registry.find_pool("b") == nullptr);
  CHECK(bench.state_of("b") == State::kUnloaded);
  CHECK(bench.registry.unloaded()[0].generation == 1);
  SECTION("and an unload of an unloaded model succeeds at once") {
    UnloadBench::Told again;
    bench.registry.unload("b", UnloadBench::into(again));
    CHECK(again.times == 0);  // later, not inside the call
    bench.turn();
    CHECK(again.ok());
  }
  SECTION("and it is forgotten when there is no such model any more") {
    bench.registry.forget_unloaded("b");
    CHECK_FALSE(bench.registry.is_unloaded("b"));
    bench.registry.forget_unloaded("b");
  }
  SECTION("and a load serves it again, with the next generation") {
    UnloadBench::Told loaded;
    bench.registry.reload(bench.config("b"), UnloadBench::into(loaded));
    CHECK(bench.state_of("b") == State::kLoading);
    REQUIRE(bench.ticks_until([&] { return loaded.ok(); }));
    CHECK_FALSE(bench.registry.is_unloaded("b"));
    REQUIRE(bench.registry.find("b") != nullptr);
    CHECK(bench.registry.find("b")->generation == 2);
  }
  SECTION("and a load that fails leaves it unloaded") {
    UnloadBench::Told loaded;
    bench.registry.reload(bench.config("b"), UnloadBench::into(loaded));
    bench.fail_next_load();
    REQUIRE(bench.ticks_until([&] { return loaded.times == 1; }));
    CHECK(loaded.error == ErrorCode::kBadModel);
    CHECK(bench.state_of("b") == State::kFailed);
    CHECK(bench.registry.find("b") == nullptr);
  }
}

TEST_CASE("ModelRegistry: there is nothing to unload under an unknown name", "[app][unit]") {
  UnloadBench bench;
  UnloadBench::Told told;
  SECTION("of no model") { bench.registry.unload("c", UnloadBench::into(told)); }
  SECTION("of a model that is retired") {
    bench.registry.retire_all_but({bench.config("a")});
    bench.registry.unload("b", UnloadBench::into(told));
  }
  bench.turn();
  CHECK(told.error == ErrorCode::kUnknownModel);
  CHECK_FALSE(bench.registry.is_unloaded("b"));
  CHECK_FALSE(bench.registry.is_unloaded("c"));
}

TEST_CASE("ModelRegistry: an unload waits for the requests that hold the model, until their deadline", "[app][unit]") {
  UnloadBench bench;
  auto held = bench.registry.find("b");
  UnloadBench::Told told;
  bench.registry.unload("b", UnloadBench::into(told));
  for (int i = 0; i < 3; ++i) bench.registry.tick();
  CHECK_FALSE(bench.registry.find_pool("b")->retired());
  held.reset();
  bench.registry.tick();
  CHECK((bench.registry.find_pool("b") == nullptr || bench.registry.find_pool("b")->retired()));
  REQUIRE(bench.ticks_until([&] { return told.ok(); }));
}

TEST_CASE("ModelRegistry: a request that holds its model longer than it may does not keep it loaded", "[app][unit]") {
  PoolBench bench;
  ModelRegistry registry(bench.context, bench.events());
  auto model = bench.config("a");
  model.request_timeout = 20ms;
  registry.add({model});
  registry.set_default("a");
  registry.start(process::Start::kServing);
  REQUIRE(bench.until([&] { return registry.status()[0].ready; }));
  const auto held = registry.find("a");
  bool done = false;
  registry.unload("a", [&](const common::Outcome<void>& result) { done = result.ok(); });
  REQUIRE(bench.until([&] {
    registry.tick();
    return done;
  }));
  CHECK(held->dispatcher.closed());
  bench.stop(registry);
}

TEST_CASE("ModelRegistry: a load during an unload keeps the model, and ends the unload with an error", "[app][unit]") {
  UnloadBench bench;
  const auto held = bench.registry.find("b");
  UnloadBench::Told unloaded;
  UnloadBench::Told loaded;
  bench.registry.unload("b", UnloadBench::into(unloaded));
  bench.registry.tick();
  SECTION("before its last request has ended it serves on") {
    bench.registry.reload(bench.config("b"), UnloadBench::into(loaded));
    CHECK(bench.registry.find("b") != nullptr);
    CHECK_FALSE(bench.registry.is_unloaded("b"));
  }
  SECTION("while its processes end it is loaded again") {
    bench.registry.find_pool("b")->retire();
    bench.registry.reload(bench.config("b"), UnloadBench::into(loaded));
    CHECK(bench.registry.find("b") == nullptr);
    CHECK(bench.state_of("b") == State::kLoading);
  }
  REQUIRE(bench.ticks_until([&] { return loaded.ok() && unloaded.times == 1; }));
  CHECK(unloaded.error == ErrorCode::kNotReady);
  CHECK(bench.registry.find("b") != nullptr);
  CHECK_FALSE(bench.registry.is_unloaded("b"));
}

TEST_CASE("ModelRegistry: the config decides which unloaded models are remembered", "[app][unit]") {
  UnloadBench bench;
  bench.unload_whole("b");
  SECTION("a model that it still has stays unloaded") {
    bench.registry.retire_all_but({bench.config("a"), bench.config("b")});
    CHECK(bench.state_of("b") == State::kUnloaded);
  }
  SECTION("a model that it no longer has is forgotten") {
    bench.registry.retire_all_but({bench.config("a")});
    CHECK_FALSE(bench.registry.is_unloaded("b"));
  }
}

TEST_CASE("ModelRegistry: if a model leaves the config during its unload, the unload succeeds", "[app][unit]") {
  UnloadBench bench;
  const auto held = bench.registry.find("b");
  UnloadBench::Told told;
  bench.registry.unload("b", UnloadBench::into(told));
  bench.registry.retire_all_but({bench.config("a")});
  bench.turn();
  CHECK(told.ok());
  CHECK(bench.registry.find_pool("b")->retired());
}

TEST_CASE("ModelRegistry: a stop ends the waiting for an unload", "[app][unit]") {
  UnloadBench bench;
  const auto held = bench.registry.find("b");
  UnloadBench::Told told;
  bench.registry.unload("b", UnloadBench::into(told));
  bench.registry.shut_down();
  bench.turn();
  CHECK(told.error == ErrorCode::kShuttingDown);
}

}  // namespace
}  // namespace yolod::app::serving
