// These tests run yolod --init, which turns a folder of files into a config that yolod reads.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

constexpr const char* kScript = "PK\x03\x04 net/data.pkl net/constants.pkl";

// Copies the demo network's files under that name.
void add_network(const TemporaryDirectory& folder, const std::string& name) {
  for (const auto* const extension : {".cfg", ".weights", ".names"}) {
    std::filesystem::copy_file(source_directory() / ("model/data/demo" + std::string(extension)),
                               folder.path() / (name + extension));
  }
}

ProgramResult init(const std::filesystem::path& folder) { return run_program({"yolod", "--init", folder.string()}); }

std::string config_in(const TemporaryDirectory& folder) { return read_file(folder.path() / "system.yaml"); }

// Lets yolod read the config and print it.
std::string printed_config(const TemporaryDirectory& folder) {
  const auto printed = run_program({"yolod", "--config", (folder.path() / "system.yaml").string(), "--print-config"});
  CAPTURE(printed.errors);
  CHECK(printed.exit == exited(0));
  return printed.output;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("FirstRun: one network becomes a config that serves it, and the output names the next command", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  const auto result = init(folder.path());
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.errors.empty());
  const auto file = (folder.path() / "system.yaml").string();
  CHECK_THAT(result.output, Catch::Contains("wrote " + file) &&
                                Catch::Contains("lights: lights.cfg, lights.weights, lights.names") &&
                                Catch::Contains("yolod --config " + file + " --check") && !Catch::Contains("left out"));
  const auto config = printed_config(folder);
  CHECK_THAT(config, Catch::Contains("name: \"lights\"") &&
                         Catch::Contains("weights: \"" + (folder.path() / "lights.weights").string() + "\""));
}

TEST_CASE("FirstRun: without a folder argument yolod looks in the current folder", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  const auto yolod = (binary_directory() / "yolod").string();
  const auto result = run_program(
      {"/bin/sh", "-c", "cd " + folder.path().string() + " && " + yolod + " --init && " + yolod + " --print-config"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK_THAT(result.output, Catch::Contains("  yolod --check ") && Catch::Contains("name: \"lights\""));
}

TEST_CASE("FirstRun: two networks become two models, and yolod names the file that belongs to neither", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  add_network(folder, "signs");
  folder.write("old.cfg", "[net]\n[yolo]\nclasses=6\n");
  const auto result = init(folder.path());
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK_THAT(result.output, Catch::Contains("left out:\n  old.cfg "));
  CHECK_THAT(config_in(folder), Catch::Contains("# - old.cfg "));
  const auto config = printed_config(folder);
  CHECK(count_of(config, "  - name: ") == 2);
  CHECK_THAT(config, Catch::Contains("lights.names\"") && Catch::Contains("signs.names\""));
}

TEST_CASE("FirstRun: a TorchScript file becomes a model", "[process]") {
  const TemporaryDirectory folder;
  folder.write("net.pt", kScript);
  const auto result = init(folder.path());
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK_THAT(printed_config(folder), Catch::Contains("file: \"" + (folder.path() / "net.pt").string() + "\""));
}

TEST_CASE("FirstRun: without a network yolod writes nothing and gives the reason", "[process]") {
  const TemporaryDirectory folder;
  const auto empty = init(folder.path());
  CHECK(empty.exit == exited(1));
  CHECK(empty.output.empty());
  CHECK_THAT(empty.errors, Catch::Contains(folder.path().string() + " has no network"));

  add_network(folder, "lights");
  std::filesystem::remove(folder.path() / "lights.cfg");
  const auto alone = init(folder.path());
  CHECK(alone.exit == exited(1));
  CHECK_THAT(alone.errors, Catch::Contains("lights.weights ") && Catch::Contains("no cfg"));
  CHECK(folder.names() == std::vector<std::string>{"lights.names", "lights.weights"});
}

TEST_CASE("FirstRun: yolod never replaces a config", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  folder.write("system.yaml", "mine");
  const auto result = init(folder.path());
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors, Catch::Contains("is there already"));
  CHECK(config_in(folder) == "mine");
  // A link to a file that does not exist counts as a file too.
  std::filesystem::remove(folder.path() / "system.yaml");
  std::filesystem::create_symlink("elsewhere.yaml", folder.path() / "system.yaml");
  CHECK(init(folder.path()).exit == exited(1));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "elsewhere.yaml"));
}

TEST_CASE("FirstRun: yolod removes a config that it could not write completely", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  // The limit acts like a full disk, also for root.
  const auto yolod = (binary_directory() / "yolod").string();
  const auto result =
      run_program({"/bin/sh", "-c",
                   "(trap '' XFSZ; ulimit -f 0; exec " + yolod + " --init " + folder.path().string() + " 2>&1) | cat"});
  CAPTURE(result.output, result.errors);
  CHECK_THAT(result.output, Catch::Contains("system.yaml cannot be written: "));
  CHECK(folder.names() == std::vector<std::string>{"lights.cfg", "lights.names", "lights.weights"});
}

TEST_CASE("FirstRun: yolod names a folder that it may not write to", "[process]") {
  const TemporaryDirectory folder;
  add_network(folder, "lights");
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  std::vector<std::string> command{(binary_directory() / "yolod").string(), "--init", folder.path().string()};
  // Root may write to every folder, so the test runs yolod as the user "nobody".
  if (::geteuid() == 0) {
    const std::vector<std::string> as_nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    command.insert(command.begin(), as_nobody.begin(), as_nobody.end());
  }
  command.insert(command.begin(), {"/usr/bin/env", "--"});
  const auto result = run_program(command);
  CHECK(::chmod(folder.path().c_str(), 0755) == 0);
  CAPTURE(result.output, result.errors);
  if (result.exit == exited(126) || result.exit == exited(127)) {
    WARN("SKIPPED: nobody cannot run the build's programs: " << result.errors);
    return;
  }
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors, Catch::Contains("system.yaml cannot be written: Permission denied"));
}

TEST_CASE("FirstRun: mistakes of the command line exit 2", "[process]") {
  const TemporaryDirectory folder;
  CHECK(init(folder.path() / "absent").exit == exited(2));
  CHECK(init(folder.write("file", "")).exit == exited(2));
  CHECK(run_program({"yolod", "--init", folder.path().string(), "--check"}).exit == exited(2));
}

TEST_CASE("FirstRun: yolod escapes names that YAML or a terminal cannot hold, and does not wait for a pipe",
          "[process]") {
  const TemporaryDirectory folder;
  folder.write("a\x1B[31m.pt", kScript);
  folder.write("caf\xE9.pt", kScript);
  folder.write("it's a net.pt", kScript);
  REQUIRE(::mkfifo((folder.path() / "pipe.cfg").c_str(), 0600) == 0);
  const auto result = init(folder.path());
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.output.find('\x1B') == std::string::npos);
  CHECK_THAT(result.output, Catch::Contains("caf\\xe9.pt has a name") && Catch::Contains("it-s-a-net: "));
  CHECK(count_of(printed_config(folder), "  - name: ") == 1);
}

}  // namespace yolod::tests
