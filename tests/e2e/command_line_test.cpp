// These tests check yolod's command line: --check, --print-config, --version, and the errors of a config.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

ProgramResult run_yolod(const std::string& config, const std::vector<std::string>& more = {}) {
  const TemporaryDirectory folder;
  std::vector<std::string> arguments{"yolod", "--config", folder.write("system.yaml", config).string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("CommandLine: --version names the program and its version", "[e2e]") {
  const auto result = run_program({"yolod", "--version"});
  CHECK(result.exit == exited(0));
  CHECK(std::regex_search(result.output, std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
}

TEST_CASE("CommandLine: --check loads every model, prints the result and exits 0", "[e2e]") {
  const auto result =
      run_yolod(identity_config({{.name = "one", .workers = 1}, {.name = "two", .workers = 2}}), {"--check"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  const auto text = result.output + result.errors;
  CHECK_THAT(text, Catch::Contains("one"));
  CHECK_THAT(text, Catch::Contains("two"));
  CHECK_THAT(text, !Catch::Contains("listening on"));
}

TEST_CASE("CommandLine: --check of a model that cannot load exits 1", "[e2e]") {
  const std::string fault = GENERATE("exit", "crash");
  const auto result = run_yolod(identity_config({{.name = "broken", .workers = 1, .load_fault = fault}}), {"--check"});
  CAPTURE(fault, result.output, result.errors);
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.output + result.errors, Catch::Contains("broken"));
}

TEST_CASE("CommandLine: all config errors are printed at once, one line each, with their places", "[e2e]") {
  const auto result = run_yolod(
      "server:\n"
      "  listne: [127.0.0.1:0]\n"
      "models:\n"
      "  - name: echo\n"
      "    workers: many\n"
      "    identity: {delay: 5}\n");
  CAPTURE(result.errors);
  CHECK(result.exit == exited(2));
  const std::regex shape(R"(^.*system\.yaml:[0-9]+:[0-9]+: .+: .+)");
  std::vector<std::string> problems;
  for (const auto& line : lines_of(result.errors)) {
    if (std::regex_search(line, shape)) problems.push_back(line);
  }
  REQUIRE(problems.size() == 3);
  CHECK_THAT(problems[0], Catch::Contains("system.yaml:2:") && Catch::Contains("listne") && Catch::Contains("listen"));
  CHECK_THAT(problems[1], Catch::Contains("system.yaml:5:") && Catch::Contains("workers"));
  CHECK_THAT(problems[2], Catch::Contains("system.yaml:6:") && Catch::Contains("delay"));
}

TEST_CASE("CommandLine: YAML that does not parse exits 2 and names the place", "[e2e]") {
  const auto result = run_yolod("server: {listen: [\n");
  CAPTURE(result.errors);
  CHECK(result.exit == exited(2));
  CHECK_THAT(result.errors, Catch::Contains("system.yaml:"));
}

TEST_CASE("CommandLine: without a config yolod names both places where it looked", "[e2e]") {
  if (std::filesystem::exists("/etc/yolod/system.yaml")) {
    WARN("SKIPPED: this machine has /etc/yolod/system.yaml");
    return;
  }
  const TemporaryDirectory folder;
  const auto result = run_program(
      {"/bin/sh", "-c", "cd " + folder.path().string() + " && exec " + (binary_directory() / "yolod").string()});
  CHECK(result.exit == exited(2));
  CHECK(result.errors == "there is no config: neither " + (folder.path() / "system.yaml").string() +
                             " nor /etc/yolod/system.yaml exists; --config FILE names another\n");
}

TEST_CASE("CommandLine: yolod can read the output of --print-config, and prints it again", "[e2e]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("system.yaml",
                                 "postgres: {password: swordfish}\n"
                                 "workers: {model_path: {cfg: a.cfg, weights: w.weights, names: a.names}}\n");
  const auto first =
      run_program({"yolod", "--config", file.string(), "--print-config", "--set", "workers.max_workers=3", "--set",
                   "postgres.user=anna", "--set", "logging.level=error"});
  CAPTURE(first.output, first.errors);
  CHECK(first.exit == exited(0));
  CHECK(first.errors.empty());
  CHECK_THAT(first.output, Catch::Contains("workers: 3\n") && Catch::Contains("level: error\n") &&
                               Catch::Contains("names: \"" + (folder.path() / "a.names").string() + "\"\n") &&
                               Catch::Contains("# postgres.password is set, and is not shown\n") &&
                               Catch::Contains("user: \"anna\"\n") && !Catch::Contains("swordfish"));
  // yolod reads the output in another folder, since no path in it is relative.
  const TemporaryDirectory other;
  const auto again =
      run_program({"yolod", "--config", other.write("system.yaml", first.output).string(), "--print-config"});
  CAPTURE(again.output, again.errors);
  CHECK(again.exit == exited(0));
  CHECK(again.output == first.output.substr(first.output.find("server:")));
}

TEST_CASE("CommandLine: --print-config of a config with a mistake prints the mistake and exits 2", "[e2e]") {
  const auto result = run_yolod("models: [{name: a, identity: {}, workers: 0}]\n", {"--print-config"});
  CHECK(result.exit == exited(2));
  CHECK(result.output.empty());
  CHECK_THAT(result.errors, Catch::Contains("models[0].workers"));
}

TEST_CASE("CommandLine: --print-config names a path that YAML cannot hold, and exits 1", "[e2e]") {
  const TemporaryDirectory folder;
  const auto inner = folder.path() / "caf\xE9";  // Latin-1
  std::filesystem::create_directory(inner);
  std::filesystem::copy(folder.write("system.yaml", "models: [{name: a, torchscript: {file: a.pt}}]\n"), inner);
  const auto result = run_program({"yolod", "--config", (inner / "system.yaml").string(), "--print-config"});
  CHECK(result.exit == exited(1));
  CHECK(result.output.empty());
  CHECK_THAT(result.errors, Catch::Contains("YAML cannot hold"));
}

TEST_CASE("CommandLine: --help names every option that prints and exits", "[e2e]") {
  const auto result = run_program({"yolod", "--help"});
  CHECK(result.exit == exited(0));
  for (const auto* const option :
       {"--check", "--print-config", "--print-config-reference", "--print-metrics-reference", "--version"}) {
    CHECK_THAT(result.output, Catch::Contains(option));
  }
}

TEST_CASE("CommandLine: a wrong command line exits 2", "[e2e]") {
  CHECK(run_program({"yolod", "--config", "/nonexistent/system.yaml"}).exit == exited(2));
  CHECK(run_program({"yolod", "--no-such-option"}).exit == exited(2));
  CHECK(run_yolod(identity_config({{}}), {"--set", "server.listne=1"}).exit == exited(2));
  CHECK(run_yolod(identity_config({{}}), {"--set", "no-equals-sign"}).exit == exited(2));
}

}  // namespace yolod::tests
