#include "app/reload.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

common::ModelConfig model(const std::string& name) {
  common::ModelConfig config;
  config.name = name;
  return config;
}

// Fakes the models, served and loading. A test decides how each load ends.
struct FakeModels final : Reload::Models {
  [[nodiscard]] bool serve(std::string_view name) const override {
    return std::find(served.begin(), served.end(), name) != served.end();
  }
  [[nodiscard]] Outcome<void> have_room_for(const std::vector<common::ModelConfig>&) const override { return room; }
  void load(const common::ModelConfig& config, Loaded done) override {
    REQUIRE(loading.emplace(config.name, std::move(done)).second);
  }
  void serve_only(const std::vector<common::ModelConfig>& models, std::string name) override {
    served.clear();
    for (const auto& one : models) served.push_back(one.name);
    default_model = std::move(name);
  }
  void end(const std::string& name, const Outcome<void>& result = {}) {
    auto node = loading.extract(name);
    REQUIRE_FALSE(node.empty());
    node.mapped()(result);
  }

  std::vector<std::string> served{"a", "b"};
  std::string default_model{"a"};
  std::map<std::string, Loaded> loading;
  Outcome<void> room{};
};

struct ReloadBench {
  ReloadBench() {
    config.models = {model("a"), model("c")};
    config.default_model = "c";
  }
  // Records the result that a reload request receives: nothing yet, success or an error.
  struct Told {
    int times{0};
    Outcome<void> result{};
  };
  void ask(std::string_view name, Told& told) {
    reload.ask(name, [&told](const Outcome<void>& result) {
      ++told.times;
      told.result = result;
    });
  }
  void turn() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io;
  common::Config config;
  bool readable{true};
  bool serves{true};
  bool prepares_later{false};
  std::function<void()> prepared;  // ends the preparation
  int reads{0};
  int begun{0};
  int taken_over{0};
  int over{0};
  std::vector<bool> signal_results;
  FakeModels models;
  Reload reload{io,
                models,
                [this] {
                  ++reads;
                  return readable ? std::optional(config) : std::nullopt;
                },
                {[this] { return serves; }, [this] { ++begun; }, [this](const common::Config&) { ++taken_over; },
                 [this] { ++over; }, [this](const Outcome<void>& result) { signal_results.push_back(result.ok()); },
                 [this](std::function<void()> then) {
                   if (!prepares_later) return then();
                   prepared = std::move(then);
                 }}};
};

TEST_CASE("Reload: all models of the config are loaded first, and then only they are served", "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told told;
  bench.ask("", told);
  CHECK(bench.reload.running());
  CHECK(bench.taken_over == 1);
  CHECK(bench.models.loading.size() == 2);
  bench.models.end("c");
  bench.turn();
  CHECK(bench.reload.running());
  CHECK(told.times == 0);
  CHECK(bench.models.served == std::vector<std::string>{"a", "b"});  // until all models are loaded
  bench.models.end("a");
  CHECK_FALSE(bench.reload.running());
  CHECK(told.times == 0);  // later, not inside the call
  bench.turn();
  CHECK(told.times == 1);
  CHECK(told.result.ok());
  CHECK(bench.models.served == std::vector<std::string>{"a", "c"});
  CHECK(bench.models.default_model == "c");
  CHECK(bench.begun == 1);
  CHECK(bench.over == 1);
}

TEST_CASE("Reload: the config is read when it is prepared, and no other reload begins meanwhile", "[app][unit]") {
  ReloadBench bench;
  bench.prepares_later = true;
  ReloadBench::Told told;
  ReloadBench::Told other;
  bench.ask("", told);
  CHECK(bench.reload.running());
  CHECK(bench.reads == 0);
  bench.ask("a", other);
  bench.reload.ask();  // SIGHUP
  bench.turn();
  CHECK(told.times == 0);
  REQUIRE(other.times == 1);
  CHECK(other.result.error().code == ErrorCode::kNotReady);
  const auto prepared = std::move(bench.prepared);
  SECTION("then it goes on") {
    prepared();
    CHECK(bench.reads == 1);
    CHECK(bench.models.loading.size() == 2);
  }
  SECTION("and a config that cannot be read ends it, so that the reload of SIGHUP follows") {
    bench.readable = false;
    bench.prepares_later = false;
    prepared();
    bench.turn();
    CHECK(told.times == 1);
    CHECK(told.result.error().code == ErrorCode::kBadConfig);
    CHECK(bench.reads == 2);
    CHECK_FALSE(bench.reload.running());
  }
  SECTION("and a stop ends it") {
    bench.serves = false;
    prepared();
    bench.turn();
    CHECK(told.result.error().code == ErrorCode::kShuttingDown);
    CHECK(bench.reads == 0);
  }
}

TEST_CASE("Reload: if one model fails no other model is removed, and the first failure is reported", "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told told;
  bench.ask("", told);
  bench.models.end("a", Error{ErrorCode::kBadModel, "its weights end early"});
  bench.models.end("c", Error{ErrorCode::kBadModel, "another reason"});
  bench.turn();
  REQUIRE(told.times == 1);
  CHECK(told.result.error().message == "its weights end early");
  CHECK(bench.models.served == std::vector<std::string>{"a", "b"});
  CHECK(bench.models.default_model == "a");
  CHECK(bench.over == 1);
  SECTION("and the next reload starts anew") {
    bench.ask("", told);
    bench.models.end("a");
    bench.models.end("c");
    bench.turn();
    CHECK(told.times == 2);
    CHECK(told.result.ok());
  }
}

TEST_CASE("Reload: a reload of one model loads that model and leaves the others alone", "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told told;
  bench.ask("a", told);
  CHECK(bench.taken_over == 0);
  REQUIRE(bench.models.loading.size() == 1);
  bench.models.end("a");
  bench.turn();
  CHECK(told.result.ok());
  CHECK(told.times == 1);
  CHECK(bench.models.served == std::vector<std::string>{"a", "b"});
}

TEST_CASE("Reload: a reload that cannot begin is refused later, with its reason, and loads nothing", "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told told;
  std::string name;
  auto code = ErrorCode::kBadConfig;
  SECTION("the config cannot be read") { bench.readable = false; }
  SECTION("there is no memory") { bench.models.room = Error{ErrorCode::kSystem, "no room"}; }
  SECTION("the config has the model, but the server does not serve it") {
    name = "c";
    code = ErrorCode::kUnknownModel;
  }
  SECTION("the server serves the model, but the config does not have it") {
    name = "b";
    code = ErrorCode::kUnknownModel;
  }
  SECTION("the server stops") {
    bench.serves = false;
    code = ErrorCode::kShuttingDown;
  }
  bench.ask(name, told);
  CHECK(told.times == 0);
  bench.turn();
  REQUIRE(told.times == 1);
  CHECK(told.result.error().code == code);
  CHECK_FALSE(bench.reload.running());
  CHECK(bench.models.loading.empty());
  CHECK(bench.taken_over == 0);
  CHECK(bench.over == 1);
}

TEST_CASE("Reload: a second request is refused during a reload, and signals during it cause one more reload",
          "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told first;
  ReloadBench::Told second;
  bench.ask("", first);
  bench.ask("a", second);
  bench.reload.ask();
  bench.reload.ask();
  bench.turn();
  CHECK(second.times == 1);
  CHECK(second.result.error().code == ErrorCode::kNotReady);
  CHECK(bench.reads == 1);
  bench.models.end("a");
  bench.models.end("c");
  bench.turn();
  CHECK(first.result.ok());
  CHECK(bench.reads == 2);
  CHECK(bench.reload.running());
  bench.models.end("a");
  bench.models.end("c");
  bench.turn();
  CHECK_FALSE(bench.reload.running());
  CHECK(bench.reads == 2);
}

TEST_CASE("Reload: a stop answers the waiting request, and no signal starts another reload", "[app][unit]") {
  ReloadBench bench;
  ReloadBench::Told told;
  bench.ask("", told);
  bench.reload.ask();
  bench.serves = false;
  bench.reload.abandon({ErrorCode::kShuttingDown, kServerIsStopping});
  bench.turn();
  REQUIRE(told.times == 1);
  CHECK(told.result.error().code == ErrorCode::kShuttingDown);
  bench.models.end("a", Error{ErrorCode::kShuttingDown, kServerIsStopping});
  bench.models.end("c", Error{ErrorCode::kShuttingDown, kServerIsStopping});
  bench.reload.ask();
  bench.turn();
  CHECK(told.times == 1);
  CHECK(bench.reads == 1);
}

}  // namespace
}  // namespace yolod::app
