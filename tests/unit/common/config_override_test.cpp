// --set KEY=VALUE: the tree that it changes, and how its problems read.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/config_overrides.hpp"
#include "common/config_schema.hpp"

namespace yolod::common {
namespace {

constexpr const char* kTwoModels =
    "models:\n- {name: a, identity: {}}\n- {name: a.b, identity: {}}\nserver: {max_connections: 5}\n";

ConfigOutcome parsed(const std::vector<std::string>& overrides, const std::string& text = kTwoModels) {
  return parse_config(text, "system.yaml", "/d", overrides);
}

Config config_of(const std::vector<std::string>& overrides, const std::string& text = kTwoModels) {
  const ConfigOutcome outcome = parsed(overrides, text);
  for (const ConfigProblem& problem : outcome.problems) UNSCOPED_INFO(to_string(problem));
  REQUIRE(outcome.config.has_value());
  return *outcome.config;
}

std::string problem_of(const std::vector<std::string>& overrides, const std::string& text = kTwoModels) {
  const ConfigOutcome outcome = parsed(overrides, text);
  for (const ConfigProblem& problem : outcome.problems) UNSCOPED_INFO(to_string(problem));
  REQUIRE(outcome.problems.size() == 1);
  return to_string(outcome.problems.front());
}

TEST_CASE("Config override: a key of the file is replaced", "[common][unit]") {
  CHECK(config_of({"server.max_connections=7"}).server.max_connections == 7);
}

TEST_CASE("Config override: maps that are not in the file are made", "[common][unit]") {
  CHECK(config_of({"logging.level=debug"}).logging.level == LogLevel::kDebug);
  CHECK(config_of({"server.tls.certificate=c", "server.tls.key=k"}).server.tls.key == "/d/k");
}

TEST_CASE("Config override: a value is YAML, with lists and its own = signs", "[common][unit]") {
  CHECK(config_of({"server.listen=[127.0.0.1:1, \"[::1]:2\"]"}).server.listen ==
        std::vector<std::string>{"127.0.0.1:1", "[::1]:2"});
  CHECK(config_of({"logging={level: error, file: a=b}"}).logging.file == "/d/a=b");
  CHECK(config_of({"logging.file=\"\""}).logging.file.empty());
}

TEST_CASE("Config override: a model is named by its index or by its name", "[common][unit]") {
  CHECK(config_of({"models[1].workers=9"}).models[1].workers == 9);
  CHECK(config_of({"models.a.workers=9"}).models[0].workers == 9);
  CHECK(config_of({"models.a.identity.delay=5ms"}).models[0].source ==
        ModelSource{IdentitySource{milliseconds(5), false, milliseconds(0), IdentityLoadFault::kNone}});
  CHECK(config_of({"server.listen[0]=127.0.0.1:9"}).server.listen == std::vector<std::string>{"127.0.0.1:9"});
}

TEST_CASE("Config override: of names with dots the longest that fits is meant", "[common][unit]") {
  const Config config = config_of({"models.a.b.workers=9", "models.a.batch.max_size=3"});
  CHECK(config.models[0].workers == 1);
  CHECK(config.models[0].batch.max_size == 3);
  CHECK(config.models[1].workers == 9);
}

TEST_CASE("Config override: the index behind the last item adds one", "[common][unit]") {
  const Config config = config_of({"models[2].name=c", "models[2].identity={}"});
  REQUIRE(config.models.size() == 3);
  CHECK(config.models[2].name == "c");
  CHECK(config_of({"models[0]={name: x, identity: {}}"}, "").models[0].name == "x");
}

TEST_CASE("Config override: they apply in order, the last wins", "[common][unit]") {
  CHECK(config_of({"server.max_connections=7", "server.max_connections=8"}).server.max_connections == 8);
}

TEST_CASE("Config override: a problem with its value names the override instead of a line", "[common][unit]") {
  CHECK(problem_of({"server.max_connections=0"}) ==
        "--set server.max_connections=0: server.max_connections: \"0\" is out of range, allowed: 1 to 1000000");
  CHECK(
      problem_of({"server.listen=[127.0.0.1:1, x]"}).find("--set server.listen=[127.0.0.1:1, x]: server.listen[1]:") ==
      0);
  CHECK(problem_of({"models.a.wrokers=1"})
            .find("--set models.a.wrokers=1: models[0].wrokers: unknown key, did you mean "
                  "\"workers\"?") == 0);
  CHECK(problem_of({"logging.file="}).find("--set logging.file=: logging.file: nothing, a path") == 0);
}

TEST_CASE("Config override: problems of the file come before those of overrides", "[common][unit]") {
  const ConfigOutcome outcome = parsed({"server.max_connections=0"}, std::string(kTwoModels) + "zzz: 1\n");
  REQUIRE(outcome.problems.size() == 2);
  CHECK(outcome.problems[0].where == "system.yaml:5:1");
  CHECK(outcome.problems[1].where == "--set server.max_connections=0");
}

TEST_CASE("Config override: a key that leads nowhere is a problem", "[common][unit]") {
  for (const char* text : {"server", "=1", ".=1", "server.=1", ".server=1", "server..listen=1", "models[9].workers=1",
                           "models[x].workers=1", "models[0=1", "models[-1]=1", "models[].workers=1",
                           "models.nobody.workers=1", "server.max_connections.x=1", "server[0]=1",
                           "server.max_connections[0]=1", "models[0].=1", "models[0]workers..=1"}) {
    INFO(text);
    const std::string problem = problem_of({text});
    CHECK(problem.find(std::string("--set ") + text + ": ") == 0);
  }
}

TEST_CASE("Config override: a model that is not there names those that are", "[common][unit]") {
  const std::string problem = problem_of({"models.nobody.workers=1"});
  CHECK(problem.find("\"a\", \"a.b\"") != std::string::npos);
}

TEST_CASE("Config override: a value that is not YAML is a problem", "[common][unit]") {
  CHECK(problem_of({"server.listen=[127.0.0.1:1"}).find("the value is not YAML") != std::string::npos);
  problem_of({"server.listen=" + std::string(5000, '[')});
}

TEST_CASE("Config override: a key as deep as a stack is refused", "[common][unit]") {
  std::string key = "server";
  for (int i = 0; i < 100'000; ++i) key += ".x";
  CHECK(problem_of({key + "=1"}).find("too many names") != std::string::npos);
}

TEST_CASE("Config override: a database's password is not repeated", "[common][unit]") {
  const ConfigOutcome outcome = parsed({"postgres.password=[hunter2"});
  REQUIRE(outcome.problems.size() == 1);
  CHECK(to_string(outcome.problems[0]).find("hunter2") == std::string::npos);
}

TEST_CASE("Config override: the short form can be changed as well", "[common][unit]") {
  const std::string text = "workers: {model_path: {names: n, weights: w, cfg: c}}\n";
  CHECK(config_of({"workers.max_workers=4"}, text).models[0].workers == 4);
}

TEST_CASE("Config override: the tree under an alias changes in one place", "[common][unit]") {
  const std::string text =
      "models:\n- {name: a, identity: {}, batch: &b {max_size: 2}}\n- {name: c, identity: {}, batch: *b}\n";
  const Config config = config_of({"models.c.batch.max_size=3"}, text);
  CHECK(config.models[0].batch.max_size == 2);
  CHECK(config.models[1].batch.max_size == 3);
}

}  // namespace
}  // namespace yolod::common
