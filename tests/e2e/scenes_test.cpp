// These tests run yolod-scenes from its command line.
#include "tools/scenes/scene.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/scenes/scene_files.hpp"

namespace yolod::tests {

TEST_CASE("Scenes: the program writes numbered pictures and labels, the names, and the share of each class",
          "[e2e][torch]") {
  const TemporaryDirectory folder;
  const auto output = folder.path() / "new";
  const auto run = run_program({"yolod-scenes", "--seed", "1000003", "--first", "9998", "--count", "3", "--output",
                                output.string(), "--width", "256", "--height", "192"});
  CAPTURE(run.errors);
  CHECK(run.exit == exited(0));
  CHECK(run.output.find(" in 3 scenes") != std::string::npos);
  CHECK(run.output.find("red-arrow") != std::string::npos);
  for (const std::string name : {"9998", "9999", "10000"}) {
    INFO(name);
    const auto scene = scenes::draw_scene(1'000'003, std::stoull(name), {256, 192});
    REQUIRE(scenes::write_scene(scene, folder.path(), name).ok());
    CHECK_FALSE(read_file(folder.path() / (name + ".jpg")).empty());
    CHECK(read_file(output / (name + ".jpg")) == read_file(folder.path() / (name + ".jpg")));
    CHECK(read_file(output / (name + ".txt")) == scenes::label_text(scene));
  }
  CHECK(read_file(output / "demo.names").starts_with("red\n"));
}

TEST_CASE("Scenes: a command line with too few or too many options is exit code 2", "[e2e][torch]") {
  const TemporaryDirectory folder;
  const auto output = folder.path().string();
  CHECK(run_program({"yolod-scenes", "--count", "1"}).exit == exited(2));
  CHECK(run_program({"yolod-scenes", "--output", output}).exit == exited(2));
  CHECK(run_program({"yolod-scenes", "--count", "1", "--width", "3", "--output", output}).exit == exited(2));
  // --demo would ignore these options.
  for (const std::string option : {"--count", "--seed", "--first", "--width", "--height"}) {
    INFO(option);
    CHECK(run_program({"yolod-scenes", "--demo", option, "100", "--output", output}).exit == exited(2));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("Scenes: a folder that cannot be created is exit code 1 and one line", "[e2e][torch]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("file", "");
  const auto run = run_program({"yolod-scenes", "--count", "1", "--output", (file / "below").string()});
  CHECK(run.exit == exited(1));
  CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
}

}  // namespace yolod::tests
