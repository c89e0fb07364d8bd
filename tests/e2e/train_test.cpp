// The trainer, from its command line.
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

struct CurvePoint {
  double minutes{0};
  double step{0};
  double loss{0};
  double ap50{0};
  double ap50_95{0};
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

std::vector<std::string> training(const std::filesystem::path& folder, const std::vector<std::string>& more) {
  std::vector<std::string> command{
      "yolod-train", "run", "--cfg", (source_directory() / "model/data/demo.cfg").string(), "--out", folder.string()};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

TEST_CASE("Train: what is written after a few steps can be gone on from, and is served", "[e2e][torch]") {
  const TemporaryDirectory folder;
  const std::vector<std::string> small{"--batch",       "2", "--validation-scenes", "2",
                                       "--validations", "1", "--threads",           "1"};
  auto first = small;
  first.insert(first.end(), {"--steps", "2"});
  const auto begun = run_program(training(folder.path(), first), milliseconds(120'000));
  CAPTURE(begun.errors);
  REQUIRE(begun.exit == exited(0));
  CHECK(folder.names() == std::vector<std::string>{"demo.checkpoint", "demo.curve.tsv", "demo.weights"});

  auto second = small;
  second.insert(second.end(), {"--steps", "3", "--resume"});
  const auto resumed = run_program(training(folder.path(), second), milliseconds(120'000));
  CAPTURE(resumed.errors);
  REQUIRE(resumed.exit == exited(0));
  const auto curve = curve_in(folder.path() / "demo.curve.tsv");
  REQUIRE(curve.size() == 2);
  CHECK(curve[0].step == 2);
  CHECK(curve[1].step == 3);
  const auto info = run_program({"yolodctl", "info", "--cfg", (source_directory() / "model/data/demo.cfg").string(),
                                 "--weights", (folder.path() / "demo.weights").string()});
  CAPTURE(info.errors);
  CHECK(info.exit == exited(0));
}

TEST_CASE("Train: without a length, or with two, it says so", "[e2e][torch]") {
  const TemporaryDirectory folder;
  CHECK(run_program(training(folder.path(), {})).exit == exited(2));
  CHECK(run_program(training(folder.path(), {"--steps", "2", "--minutes", "1"})).exit == exited(2));
  CHECK(folder.names().empty());
}

// Not run unless it is asked for: e2e_tests "[slow]". Two cores that nobody else uses are what it is meant for.
TEST_CASE("Train: five minutes from scratch find a third of the lights", "[.][slow]") {
  const TemporaryDirectory folder;
  const auto result = run_program(training(folder.path(), {"--minutes", "5"}), milliseconds(600'000));
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  const auto curve = curve_in(folder.path() / "demo.curve.tsv");
  REQUIRE(curve.size() > 2);
  CHECK(curve.back().loss < 0.7 * curve.front().loss);
  CHECK(curve.back().ap50 > 0.3);
}

}  // namespace yolod::tests
