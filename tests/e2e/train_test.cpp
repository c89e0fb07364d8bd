// The trainer, from its command line.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

using Catch::Matchers::Contains;

// So small that a step takes milliseconds.
constexpr const char* kTinyCfg = R"([net]
width=96
height=96
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=4
pad=1
activation=leaky

[convolutional]
batch_normalize=1
filters=16
size=3
stride=2
pad=1
activation=leaky

[convolutional]
filters=22
size=1
activation=linear

[yolo]
mask=0,1
anchors=6,12, 12,24
classes=6
num=2
scale_x_y=1.5
)";

struct CurvePoint {
  double minutes{0};
  double step{0};
  double loss{0};
  std::string ap50;
  std::string ap50_95;
};

std::vector<CurvePoint> curve_in(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  std::string heading;
  std::getline(lines, heading);
  std::vector<CurvePoint> points;
  CurvePoint point;
  while (lines >> point.minutes >> point.step >> point.loss >> point.ap50 >> point.ap50_95) points.push_back(point);
  return points;
}

// A folder with tiny.cfg; what is written goes to its `out`.
struct TinyRun {
  TemporaryDirectory folder;
  std::filesystem::path cfg = folder.write("tiny.cfg", kTinyCfg);
  std::filesystem::path output = folder.path() / "out";

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return output / name; }

  // With `more` options, none of those that are here.
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"yolod-train",
                                   "run",
                                   "--cfg",
                                   cfg.string(),
                                   "--output",
                                   output.string(),
                                   "--fresh",
                                   "0.02",
                                   "--batch",
                                   "4",
                                   "--threads",
                                   "2",
                                   "--seed",
                                   "3",
                                   "--validation-scenes",
                                   "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& more) const {
    return run_program(command(more), milliseconds(120'000));
  }
};

bool has_begun(const Program& program) { return program.errors().find("  step 1 of ") != std::string::npos; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("Train: a run that SIGTERM stopped, gone on with, gives the weights of one that was not", "[e2e][torch]") {
  const std::vector<std::string> length{"--steps", "200", "--validations", "2"};
  const TinyRun whole;
  const auto done = whole.run(length);
  CAPTURE(done.errors);
  REQUIRE(done.exit == exited(0));
  CHECK_THAT(done.output, Catch::StartsWith("done after 200 steps, 800 images"));

  const TinyRun halves;
  {
    Program first(halves.command(length));
    REQUIRE(wait_until([&] { return has_begun(first); }, milliseconds(120'000)));
    REQUIRE(::kill(first.pid(), SIGTERM) == 0);
    CHECK(first.wait() == exited(0));
    CAPTURE(first.errors());
    CHECK_THAT(first.output(), Catch::StartsWith("stopped after "));
  }
  CHECK(std::filesystem::exists(halves.file("tiny.checkpoint")));
  auto more = length;
  more.emplace_back("--resume");
  const auto second = halves.run(more);
  CAPTURE(second.errors);
  REQUIRE(second.exit == exited(0));
  CHECK_THAT(second.errors, Contains("resumed at step "));
  const auto weights = read_file(whole.file("tiny.weights"));
  CHECK(weights.size() > 1'000);
  CHECK(read_file(halves.file("tiny.weights")) == weights);
  const auto curve = curve_in(halves.file("tiny.curve.tsv"));
  REQUIRE(curve.size() == 2);
  CHECK(curve[0].step == 100);
  CHECK(curve[1].step == 200);
}

TEST_CASE("Train: it says what it trains, how far it is, and leaves three files that yolodctl reads", "[e2e][torch]") {
  const TinyRun tiny;
  const auto run = tiny.run({"--steps", "2", "--validations", "1"});
  CAPTURE(run.errors);
  REQUIRE(run.exit == exited(0));
  CHECK_THAT(run.errors, Contains("tiny: ") && Contains(" BFLOPs; ") && Contains("2 threads, seed 3; from scratch\n"));
  CHECK_THAT(run.errors, Contains("  step 1 of 2  ") && Contains("  AP50 -  AP50:95 -  "));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(tiny.output)) names.push_back(entry.path().filename());
  CHECK_THAT(names,
             Catch::UnorderedEquals(std::vector<std::string>{"tiny.checkpoint", "tiny.curve.tsv", "tiny.weights"}));
  const auto picture = source_directory() / "model/data/demo.jpg";
  const auto predicted =
      run_program({"yolodctl", "predict", "--cfg", tiny.cfg.string(), "--weights", tiny.file("tiny.weights").string(),
                   "--names", (source_directory() / "model/data/demo.names").string(), picture.string()});
  CAPTURE(predicted.errors);
  CHECK(predicted.exit == exited(0));
}

TEST_CASE("Train: a command line that says too little or too much is exit code 2", "[e2e][torch]") {
  const TinyRun tiny;
  const auto endless = tiny.run({});
  CHECK(endless.exit == exited(2));
  CHECK_THAT(endless.errors, Contains("--minutes or --steps is required"));
  CHECK(tiny.run({"--steps", "2", "--minutes", "1"}).exit == exited(2));
  CHECK_FALSE(std::filesystem::exists(tiny.output));
}

TEST_CASE("Train: a run is begun once, and gone on with by the options that it began with", "[e2e][torch]") {
  const TinyRun tiny;
  const auto nothing_there = tiny.run({"--steps", "2", "--resume"});
  CHECK(nothing_there.exit == exited(2));
  CHECK_THAT(nothing_there.errors, Contains("tiny.checkpoint: no checkpoint there; run without --resume"));

  REQUIRE(tiny.run({"--steps", "2"}).exit == exited(0));
  const auto checkpoint = read_file(tiny.file("tiny.checkpoint"));
  const auto anew = tiny.run({"--steps", "2"});
  CHECK(anew.exit == exited(2));
  CHECK_THAT(anew.errors, Contains("tiny.checkpoint exists: --resume goes on with it"));

  const auto longer = tiny.run({"--steps", "3", "--resume"});
  CHECK(longer.exit == exited(2));
  CHECK_THAT(longer.errors, Contains("the run was begun with --steps 2, not with --steps 3"));
  const auto faster = tiny.run({"--steps", "2", "--resume", "--rate", "0.01"});
  CHECK(faster.exit == exited(2));
  CHECK_THAT(faster.errors, Contains("begun with --rate 0.002, not with --rate 0.01"));

  std::string other_anchors = kTinyCfg;
  other_anchors.replace(other_anchors.find("12,24"), 5, "14,28");
  (void)tiny.folder.write("tiny.cfg", other_anchors);
  const auto other = tiny.run({"--steps", "2", "--resume"});
  CHECK(other.exit == exited(2));
  CHECK_THAT(other.errors, Contains("begun with another --cfg"));
  CHECK(read_file(tiny.file("tiny.checkpoint")) == checkpoint);
}

TEST_CASE("Train: an output that cannot be written to fails at once", "[e2e][torch]") {
  const TinyRun tiny;
  SECTION("a file") { (void)tiny.folder.write("out", ""); }
  SECTION("a folder in the place of a file") { std::filesystem::create_directories(tiny.file("tiny.curve.tsv")); }
  const auto run = tiny.run({"--steps", "100000000"});
  CHECK(run.exit == exited(1));
  CHECK(count_of(run.errors, "\n") == 1);
}

TEST_CASE("Train: weights that cannot be written end no run, but are its exit code", "[e2e][torch]") {
  const TinyRun tiny;
  std::filesystem::create_directories(tiny.file("tiny.weights"));
  const auto run = tiny.run({"--steps", "6", "--validations", "2"});
  CAPTURE(run.errors);
  CHECK(run.exit == exited(1));
  CHECK_THAT(run.output, Catch::StartsWith("done after 6 steps"));
  // Before each validation, and at the end.
  CHECK(count_of(run.errors, "tiny.weights: ") == 3);
  CHECK(std::filesystem::is_regular_file(tiny.file("tiny.checkpoint")));
  CHECK(curve_in(tiny.file("tiny.curve.tsv")).size() == 2);
}

TEST_CASE("Train: what could not be written at first is written later", "[e2e][torch]") {
  const TinyRun tiny;
  std::filesystem::create_directories(tiny.file("tiny.weights"));
  Program program(tiny.command({"--steps", "60", "--validations", "30"}));
  REQUIRE(
      wait_until([&] { return program.errors().find("tiny.weights: ") != std::string::npos; }, milliseconds(120'000)));
  std::filesystem::remove(tiny.file("tiny.weights"));
  CHECK(program.wait(milliseconds(240'000)) == exited(0));
  CAPTURE(program.errors());
  CHECK(std::filesystem::is_regular_file(tiny.file("tiny.weights")));
}

// Not run unless it is asked for: e2e_tests "[slow]". Two cores that nobody else uses are what it is meant for.
TEST_CASE("Train: five minutes from scratch find a third of the lights", "[.][slow]") {
  const TemporaryDirectory folder;
  const auto result = run_program({"yolod-train", "run", "--cfg", (source_directory() / "model/data/demo.cfg").string(),
                                   "--output", folder.path().string(), "--minutes", "5"},
                                  milliseconds(600'000));
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  const auto curve = curve_in(folder.path() / "demo.curve.tsv");
  REQUIRE(curve.size() > 2);
  CHECK(curve.back().loss < 0.7 * curve.front().loss);
  CHECK(std::stod(curve.back().ap50) > 0.3);
}

}  // namespace yolod::tests
