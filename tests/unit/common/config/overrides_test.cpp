// Tests --set KEY=VALUE: the changed tree and the texts of problems.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/config/overrides.hpp"
#include "tests/unit/common/parsed_config.hpp"

namespace yolod::common {
namespace {

constexpr const char* kTwoModels =
    "models:\n- {name: a, identity: {}}\n- {name: a.b, identity: {}}\nserver: {max_connections: 5}\n";

Config overridden(const std::vector<std::string>& overrides, const std::string& text = kTwoModels) {
  return config_of(text, overrides);
}

std::string override_problem(const std::vector<std::string>& overrides, const std::string& text = kTwoModels) {
  return problem_of(text, overrides);
}

TEST_CASE("Config override: a key of the file is replaced", "[common][unit]") {
  CHECK(overridden({"server.max_connections=7"}).server.max_connections == 7);
}

TEST_CASE("Config override: maps that are not in the file are added", "[common][unit]") {
  CHECK(overridden({"logging.level=debug"}).logging.level == LogLevel::kDebug);
  CHECK(overridden({"server.tls.certificate=c", "server.tls.key=k"}).server.tls.key == "/etc/yolod/k");
}

TEST_CASE("Config override: a value is YAML, with lists and its own = signs", "[common][unit]") {
  CHECK(overridden({"server.listen=[127.0.0.1:1, \"[::1]:2\"]"}).server.listen ==
        std::vector<ListenAddress>{{"127.0.0.1:1"}, {"[::1]:2"}});
  CHECK(overridden({"logging={level: error, file: a=b}"}).logging.file == "/etc/yolod/a=b");
  CHECK(overridden({"logging.file=\"\""}).logging.file.empty());
}

TEST_CASE("Config override: a model is named by its index or by its name", "[common][unit]") {
  CHECK(overridden({"models[1].workers=9"}).models[1].workers == 9);
  CHECK(overridden({"models.a.workers=9"}).models[0].workers == 9);
  CHECK(overridden({"models.a.identity.delay=5ms"}).models[0].source ==
        ModelSource{IdentitySource{milliseconds(5), false, milliseconds(0), IdentityLoadFault::kNone}});
  CHECK(overridden({"server.listen[0]=127.0.0.1:9"}).server.listen == std::vector<ListenAddress>{{"127.0.0.1:9"}});
}

TEST_CASE("Config override: of names with dots, the longest matching name is used", "[common][unit]") {
  const Config config = overridden({"models.a.b.workers=9", "models.a.batch.max_size=3"});
  CHECK(config.models[0].workers == 1);
  CHECK(config.models[0].batch.max_size == 3);
  CHECK(config.models[1].workers == 9);
}

TEST_CASE("Config override: the index behind the last item adds an item", "[common][unit]") {
  const Config config = overridden({"models[2].name=c", "models[2].identity={}"});
  REQUIRE(config.models.size() == 3);
  CHECK(config.models[2].name == "c");
  CHECK(overridden({"models[0]={name: x, identity: {}}"}, "").models[0].name == "x");
}

TEST_CASE("Config override: overrides apply in order, and the last override counts", "[common][unit]") {
  CHECK(overridden({"server.max_connections=7", "server.max_connections=8"}).server.max_connections == 8);
}

TEST_CASE("Config override: a problem with its value names the override instead of a line", "[common][unit]") {
  CHECK(override_problem({"server.max_connections=0"}) ==
        "--set server.max_connections=0: server.max_connections: \"0\" is out of range, allowed: 1 to 1000000");
  CHECK(override_problem({"server.listen=[127.0.0.1:1, x]"})
            .find("--set server.listen=[127.0.0.1:1, x]: server.listen[1]:") == 0);
  CHECK(override_problem({"models.a.wrokers=1"})
            .find("--set models.a.wrokers=1: models[0].wrokers: unknown key, did you mean "
                  "\"workers\"?") == 0);
  CHECK(override_problem({"logging.file="}).find("--set logging.file=: logging.file: nothing, a path") == 0);
}

TEST_CASE("Config override: problems in the file come before problems in overrides", "[common][unit]") {
  const ConfigOutcome outcome = parsed(std::string(kTwoModels) + "zzz: 1\n", {"server.max_connections=0"});
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
    const std::string problem = override_problem({text});
    CHECK(problem.find(std::string("--set ") + text + ": ") == 0);
  }
}

TEST_CASE("Config override: an unknown model is an error that names the known models", "[common][unit]") {
  const std::string problem = override_problem({"models.nobody.workers=1"});
  CHECK(problem.find("\"a\", \"a.b\"") != std::string::npos);
}

TEST_CASE("Config override: a value that is not YAML is a problem", "[common][unit]") {
  CHECK(override_problem({"server.listen=[127.0.0.1:1"}).find("the value is not YAML") != std::string::npos);
  override_problem({"server.listen=" + std::string(5000, '[')});
}

TEST_CASE("Config override: a key as deep as a stack is refused", "[common][unit]") {
  std::string key = "server";
  for (int i = 0; i < 100'000; ++i) key += ".x";
  CHECK(override_problem({key + "=1"}).find("too many names") != std::string::npos);
}

TEST_CASE("Config override: a database's password is not repeated", "[common][unit]") {
  const ConfigOutcome outcome = parsed(kTwoModels, {"postgres.password=[hunter2"});
  REQUIRE(outcome.problems.size() == 1);
  CHECK(to_string(outcome.problems[0]).find("hunter2") == std::string::npos);
}

TEST_CASE("Config override: the short form can be changed as well", "[common][unit]") {
  const std::string text = "workers: {model_path: {names: n, weights: w, cfg: c}}\n";
  CHECK(overridden({"workers.max_workers=4"}, text).models[0].workers == 4);
}

TEST_CASE("Config override: the tree under an alias changes in one place", "[common][unit]") {
  const std::string text =
      "models:\n- {name: a, identity: {}, batch: &b {max_size: 2}}\n- {name: c, identity: {}, batch: *b}\n";
  const Config config = overridden({"models.c.batch.max_size=3"}, text);
  CHECK(config.models[0].batch.max_size == 2);
  CHECK(config.models[1].batch.max_size == 3);
}

}  // namespace
}  // namespace yolod::common
