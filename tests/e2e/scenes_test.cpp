#include <algorithm>
#include <catch2/catch.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "model/eval/yolo_labels.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/scenes/scene_files.hpp"

using yolod::tests::exited;
using yolod::tests::run_program;
using yolod::tests::TemporaryDirectory;

TEST_CASE("yolod-scenes: writes pictures and labels by number, the names, and what shares there are", "[train][unit]") {
  const TemporaryDirectory folder;
  const auto output = (folder.path() / "new").string();
  const auto run = run_program({"yolod-scenes", "--seed", "1000003", "--first", "9998", "--count", "3", "--output",
                                output, "--width", "256", "--height", "192"});
  CHECK(run.exit == exited(0));
  CHECK(run.output.find(" in 3 scenes") != std::string::npos);
  CHECK(run.output.find("red-arrow") != std::string::npos);
  for (const std::string name : {"9998", "9999", "10000"}) {
    INFO(name);
    CHECK(cv::imread(output + "/" + name + ".jpg").size() == cv::Size(256, 192));
    const auto scene = yolod::train::draw_scene(1'000'003, std::stoull(name), {256, 192});
    CHECK(yolod::tests::read_file(output + "/" + name + ".txt") == yolod::train::label_text(scene));
  }
  CHECK(yolod::tests::read_file(output + "/demo.names").starts_with("red\n"));
}

TEST_CASE("yolod-scenes: a command line that says too little or too much is exit code 2", "[train][unit]") {
  const TemporaryDirectory folder;
  const auto output = folder.path().string();
  CHECK(run_program({"yolod-scenes", "--count", "1"}).exit == exited(2));
  CHECK(run_program({"yolod-scenes", "--output", output}).exit == exited(2));
  CHECK(run_program({"yolod-scenes", "--demo", "--count", "1", "--output", output}).exit == exited(2));
  CHECK(run_program({"yolod-scenes", "--count", "1", "--width", "3", "--output", output}).exit == exited(2));
  CHECK(folder.names().empty());
}

TEST_CASE("yolod-scenes: a folder that cannot be made is exit code 1 and one line", "[train][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("file", "");
  const auto run = run_program({"yolod-scenes", "--count", "1", "--output", (file / "below").string()});
  CHECK(run.exit == exited(1));
  CHECK(std::count(run.errors.begin(), run.errors.end(), '\n') == 1);
}
