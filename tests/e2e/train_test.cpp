// These tests run the trainer from its command line.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/program.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

using Catch::Matchers::Contains;

// This network is so small that a step takes milliseconds.
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

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

struct CurvePoint {
  double step{0};
  std::string loss;
  std::string ap50;
};

std::vector<CurvePoint> curve_in(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  std::string heading;
  std::getline(lines, heading);
  std::vector<CurvePoint> points;
  CurvePoint point;
  double minutes = 0;
  std::string ap50_95;
  while (lines >> minutes >> point.step >> point.loss >> point.ap50 >> ap50_95) points.push_back(point);
  return points;
}

std::size_t validations_in(const std::filesystem::path& file) {
  const auto points = curve_in(file);
  return static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(), [](const CurvePoint& point) { return point.ap50 != "-"; }));
}

// A folder with tiny.cfg. The trainer writes to the folder's `out`.
struct TinyRun {
  TemporaryDirectory folder;
  std::filesystem::path cfg = folder.write("tiny.cfg", kTinyCfg);
  std::filesystem::path output = folder.path() / "out";

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return output / name; }

  // `more` must repeat none of the options below.
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"yolod-train", "--cfg", cfg.string(), "--output", output.string(),
                                   "--batch",     "4",     "--threads",  "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& more) const {
    return run_program(command(more), milliseconds(240'000));
  }
  // Trains on few drawn scenes.
  [[nodiscard]] static std::vector<std::string> on_scenes(const std::vector<std::string>& more) {
    std::vector<std::string> words{"--scenes", "--fresh", "0.02", "--validation-scenes", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

// Drawn pictures with labels in one folder, as a user has them.
struct Pictures {
  TemporaryDirectory folder;

  explicit Pictures(int count) {
    const auto drawn =
        run_program({"yolod-scenes", "--seed", "77", "--count", std::to_string(count), "--output", folder.path()});
    INFO(drawn.errors);
    REQUIRE(drawn.exit == exited(0));
  }
  // Returns the options that train on these pictures, and `more`. two_classes() prepares training with two names.
  [[nodiscard]] std::vector<std::string> options(const std::string& names, const std::vector<std::string>& more) const {
    std::vector<std::string> words{"--images", folder.path(), "--labels", folder.path(), "--names", names};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] std::string names() const { return folder.path() / "demo.names"; }
  // Rewrites the labels: lights that stop traffic become class 0, green lights class 1. Returns the file of the two
  // names.
  [[nodiscard]] std::string two_classes() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().extension() != ".txt") continue;
      std::istringstream lines(read_file(entry.path()));
      std::string text;
      for (std::string line; std::getline(lines, line);)
        text += (line.front() == '2' || line.front() == '4' ? "1" : "0") + line.substr(1) + "\n";
      (void)folder.write(entry.path().filename(), text);
    }
    return folder.write("two.names", "stop\ngo\n").string();
  }
};

// Checks that `yolod` accepts the config that the trainer wrote, and that the weights answer a picture.
void check_is_served(const std::filesystem::path& output, const std::string& name,
                     const std::filesystem::path& picture) {
  const auto checked = run_program({"yolod", "--check", "--config", (output / (name + ".yaml")).string()});
  INFO(checked.errors);
  CHECK(checked.exit == exited(0));
  const auto file = [&](const char* extension) { return (output / (name + extension)).string(); };
  use_networks();
  Server server(server_config("  - name: trained\n    workers: 1\n    darknet: {cfg: " + file(".cfg") +
                              ", weights: " + file(".weights") + ", names: " + file(".names") + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto answer = client.post("/predict", read_file(picture));
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  CHECK(answer.json().at("success") == true);
}

bool has_begun(const Program& program) { return program.errors().find("  step 1 of ") != std::string::npos; }

}  // namespace

TEST_CASE("Train: a run that SIGTERM stopped can be resumed to its end", "[e2e][torch]") {
  const TinyRun tiny;
  const auto options = TinyRun::on_scenes({"--steps", "200", "--validations", "2"});
  {
    Program first(tiny.command(options));
    REQUIRE(wait_until([&] { return has_begun(first); }, milliseconds(120'000)));
    REQUIRE(::kill(first.pid(), SIGTERM) == 0);
    CHECK(first.wait() == exited(0));
    CAPTURE(first.errors());
    CHECK_THAT(first.output(), Catch::StartsWith("stopped after "));
  }
  CHECK(std::filesystem::exists(tiny.file("tiny.checkpoint")));
  auto more = options;
  more.emplace_back("--resume");
  const auto second = tiny.run(more);
  CAPTURE(second.errors);
  REQUIRE(second.exit == exited(0));
  CHECK_THAT(second.errors, Contains("resumed at step "));
  CHECK_THAT(second.output, Catch::StartsWith("done after 200 steps, 800 images"));
  CHECK(read_file(tiny.file("tiny.weights")).size() > 1'000);
  CHECK(validations_in(tiny.file("tiny.curve.tsv")) == 2);
}

TEST_CASE("Train: training on the user's pictures writes weights that yolod serves, a report and a plot",
          "[e2e][torch]") {
  const Pictures pictures(12);
  const TinyRun tiny;
  const auto names = pictures.two_classes();
  const auto run = tiny.run(pictures.options(names, {"--steps", "20", "--validations", "2", "--held-out", "0.25"}));
  CAPTURE(run.errors);
  REQUIRE(run.exit == exited(0));
  CHECK_THAT(run.errors,
             Contains("tiny: ") && Contains(" BFLOPs; ") && Contains("2 threads, seed 1; from the start\n"));
  CHECK_THAT(run.errors, Contains("data: 9 pictures of ") && Contains("2 classes; 3 pictures with "));
  CHECK_THAT(run.errors, Contains("  step 1 of 20  ") && Contains("  AP50 -  AP50:95 -  "));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(tiny.output)) files.push_back(entry.path().filename());
  CHECK_THAT(files, Catch::UnorderedEquals(std::vector<std::string>{"tiny.cfg", "tiny.checkpoint", "tiny.curve.tsv",
                                                                    "tiny.held-out.txt", "tiny.names", "tiny.report.md",
                                                                    "tiny.svg", "tiny.weights", "tiny.yaml"}));
  CHECK(count_of(read_file(tiny.file("tiny.held-out.txt")), ".jpg\n") == 3);
  // The given cfg has six classes, and the trained cfg has two.
  CHECK_THAT(read_file(tiny.file("tiny.cfg")), Contains("classes=2\n") && Contains("filters=14\n"));
  CHECK_THAT(read_file(tiny.file("tiny.report.md")),
             Contains("| stop | ") && Contains("20 steps, 80 pictures") && Contains("tiny.yaml"));
  CHECK_THAT(read_file(tiny.file("tiny.svg")), Catch::StartsWith("<svg ") && Contains("<polyline"));
  check_is_served(tiny.output, "tiny", pictures.folder.path() / "0000.jpg");
}

TEST_CASE("Train: a run starts with weights of other classes, and names the fresh layers", "[e2e][torch]") {
  const Pictures pictures(12);
  const TinyRun six;
  REQUIRE(six.run(pictures.options(pictures.names(), {"--steps", "4"})).exit == exited(0));
  const TinyRun two;
  const auto names = pictures.two_classes();
  const auto run = two.run(pictures.options(names, {"--steps", "4", "--weights", six.file("tiny.weights").string()}));
  CAPTURE(run.errors);
  REQUIRE(run.exit == exited(0));
  CHECK_THAT(
      run.errors,
      Contains("2 layers take their weights from the file; 1 layer starts with new weights: layer 2 ([convolutional]"));
  // The trainer also measures the start.
  CHECK(curve_in(two.file("tiny.curve.tsv")).front().step == 0);
}

TEST_CASE("Train: start weights for every layer are fine-tuned with the objective of the cfg", "[e2e][torch]") {
  const Pictures pictures(6);
  const TinyRun first;
  REQUIRE(first.run(pictures.options(pictures.names(), {"--steps", "4"})).exit == exited(0));
  const TinyRun tuned;
  const auto options = pictures.options(pictures.names(), {"--steps", "4"});
  auto with_weights = options;
  with_weights.insert(with_weights.end(), {"--weights", first.file("tiny.weights").string()});

  (void)tuned.folder.write("tiny.cfg", std::string(kTinyCfg) + "iou_thresh=2\n");
  const auto refused = tuned.run(with_weights);
  CHECK(refused.exit == exited(1));
  CHECK_THAT(refused.errors, Contains("tiny.cfg:33: [yolo]: iou_thresh: 2 is out of range, 0 to 1 is allowed"));
  CHECK_FALSE(std::filesystem::exists(tuned.output));

  (void)tuned.folder.write("tiny.cfg", std::string(kTinyCfg) + "iou_thresh=0.2\n");
  const auto run = tuned.run(with_weights);
  CAPTURE(run.errors);
  REQUIRE(run.exit == exited(0));
  CHECK_THAT(run.errors, Contains("3 layers take their weights from the file; that is every layer, so the run "
                                  "fine-tunes with the objective of the cfg"));

  auto resumed = options;
  resumed.emplace_back("--resume");
  const auto without_weights = tuned.run(resumed);
  CHECK(without_weights.exit == exited(2));
  CHECK_THAT(without_weights.errors, Contains("begun with --weights for every layer, not with --weights for some"));
  with_weights.emplace_back("--resume");
  CHECK(tuned.run(with_weights).exit == exited(0));
}

TEST_CASE("Train: without a better AP50 the run ends early", "[e2e][torch]") {
  const Pictures pictures(4);
  const TinyRun tiny;
  // With this rate the network learns nothing, so no validation is better than the first.
  const auto run = tiny.run(pictures.options(pictures.names(), {"--steps", "1000", "--validations", "500", "--patience",
                                                                "3", "--rate", "0.000001", "--held-out", "0.5"}));
  CAPTURE(run.errors);
  REQUIRE(run.exit == exited(0));
  CHECK_THAT(run.output, Catch::StartsWith("ended, as nothing got better, after "));
  CHECK(validations_in(tiny.file("tiny.curve.tsv")) < 500);
  CHECK_THAT(read_file(tiny.file("tiny.report.md")), Contains("no better AP50 in 3 validations"));
}

TEST_CASE("Train: pictures, labels and names that do not match are exit code 2, with file and line", "[e2e][torch]") {
  const Pictures pictures(3);
  const TinyRun tiny;
  const auto names = pictures.folder.write("one.names", "light\n").string();
  (void)pictures.folder.write("0001.txt", "0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1\n");
  const auto beyond = tiny.run(pictures.options(names, {}));
  CHECK(beyond.exit == exited(2));
  CHECK_THAT(beyond.errors, Contains(".txt:") && Contains("there are 1, counted from 0") && Contains("label-check"));
  const auto other = tiny.run(pictures.options(pictures.names(), {"--classes", "4"}));
  CHECK(other.exit == exited(2));
  CHECK_THAT(other.errors, Contains("--classes 4, but there are 6 names"));
  // The trainer never replaces the user's own cfg by a cfg with other classes.
  (void)pictures.folder.write("0001.txt", "0 0.5 0.5 0.1 0.1\n");
  for (const auto* name : {"0000.txt", "0002.txt"}) (void)pictures.folder.write(name, "0 0.5 0.5 0.2 0.2\n");
  const auto replaced =
      run_program({"yolod-train", "--cfg", tiny.cfg.string(), "--images", pictures.folder.path(), "--labels",
                   pictures.folder.path(), "--names", names, "--output", tiny.folder.path(), "--steps", "2"});
  CHECK(replaced.exit == exited(2));
  CHECK_THAT(replaced.errors, Contains("tiny.cfg: the cfg with another number of classes would replace it"));
  CHECK(read_file(tiny.cfg) == kTinyCfg);
  CHECK_FALSE(std::filesystem::exists(tiny.output));
}

TEST_CASE("Train: a command line with too few or too many options is exit code 2", "[e2e][torch]") {
  const TinyRun tiny;
  CHECK_THAT(tiny.run({}).errors, Contains("--images (or --scenes) is required"));
  CHECK(tiny.run({}).exit == exited(2));
  const auto endless = tiny.run({"--scenes"});
  CHECK(endless.exit == exited(2));
  CHECK_THAT(endless.errors, Contains("--minutes or --steps"));
  CHECK(tiny.run({"--scenes", "--steps", "2", "--minutes", "1"}).exit == exited(2));
  CHECK(tiny.run({"--scenes", "--steps", "2", "--images", "x"}).exit == exited(2));
  CHECK_THAT(tiny.run({"--images", "x", "--labels", "x"}).errors, Contains("--names is required"));
  CHECK_FALSE(std::filesystem::exists(tiny.output));
}

TEST_CASE("Train: a run is started once, and resumed only with its own network and data", "[e2e][torch]") {
  const TinyRun tiny;
  const auto nothing_there = tiny.run(TinyRun::on_scenes({"--steps", "2", "--resume"}));
  CHECK(nothing_there.exit == exited(2));
  CHECK_THAT(nothing_there.errors, Contains("tiny.checkpoint: no checkpoint there; run without --resume"));

  REQUIRE(tiny.run(TinyRun::on_scenes({"--steps", "2"})).exit == exited(0));
  const auto checkpoint = read_file(tiny.file("tiny.checkpoint"));
  const auto anew = tiny.run(TinyRun::on_scenes({"--steps", "2"}));
  CHECK(anew.exit == exited(2));
  CHECK_THAT(anew.errors, Contains("tiny.checkpoint exists: --resume goes on with it"));

  std::string other_anchors = kTinyCfg;
  other_anchors.replace(other_anchors.find("12,24"), 5, "14,28");
  (void)tiny.folder.write("tiny.cfg", other_anchors);
  const auto other = tiny.run(TinyRun::on_scenes({"--steps", "2", "--resume"}));
  CHECK(other.exit == exited(2));
  CHECK_THAT(other.errors, Contains("begun with another --cfg"));
  CHECK(read_file(tiny.file("tiny.checkpoint")) == checkpoint);

  (void)tiny.folder.write("tiny.cfg", kTinyCfg);
  const auto longer = tiny.run(TinyRun::on_scenes({"--steps", "3", "--rate", "0.01", "--resume"}));
  CAPTURE(longer.errors);
  CHECK(longer.exit == exited(0));
  CHECK_THAT(longer.output, Catch::StartsWith("done after 3 steps"));
}

TEST_CASE("Train: an unwritable output fails at once", "[e2e][torch]") {
  const TinyRun tiny;
  SECTION("a file") { (void)tiny.folder.write("out", ""); }
  SECTION("a folder in the place of a file") { std::filesystem::create_directories(tiny.file("tiny.curve.tsv")); }
  const auto run = tiny.run(TinyRun::on_scenes({"--steps", "100000000"}));
  CHECK(run.exit == exited(1));
  CHECK(count_of(run.errors, "\n") == 1);
}

TEST_CASE("Train: weights that cannot be written do not end a run, but set its exit code", "[e2e][torch]") {
  const TinyRun tiny;
  std::filesystem::create_directories(tiny.file("tiny.weights"));
  const auto run = tiny.run(TinyRun::on_scenes({"--steps", "6", "--validations", "2"}));
  CAPTURE(run.errors);
  CHECK(run.exit == exited(1));
  CHECK_THAT(run.output, Catch::StartsWith("done after 6 steps"));
  // The trainer tries to write the file before and at each validation, and at the end.
  CHECK(count_of(run.errors, "tiny.weights: ") >= 3);
  CHECK(std::filesystem::is_regular_file(tiny.file("tiny.checkpoint")));
  CHECK(validations_in(tiny.file("tiny.curve.tsv")) == 2);
}

TEST_CASE("Train: a file that could not be written at first is written later", "[e2e][torch]") {
  const TinyRun tiny;
  std::filesystem::create_directories(tiny.file("tiny.weights"));
  Program program(tiny.command(TinyRun::on_scenes({"--steps", "60", "--validations", "30"})));
  REQUIRE(
      wait_until([&] { return program.errors().find("tiny.weights: ") != std::string::npos; }, milliseconds(120'000)));
  std::filesystem::remove(tiny.file("tiny.weights"));
  CHECK(program.wait(milliseconds(240'000)) == exited(0));
  CAPTURE(program.errors());
  CHECK(std::filesystem::is_regular_file(tiny.file("tiny.weights")));
}

// Reads AP50 before and after training, in percent, from the last line of the report's table.
std::pair<double, double> ap50_in(const std::filesystem::path& report) {
  const auto text = read_file(report);
  const auto at = text.find("| all | ");
  REQUIRE(at != std::string::npos);
  std::istringstream cells(text.substr(at));
  std::vector<std::string> values;
  for (std::string cell; values.size() < 5 && std::getline(cells, cell, '|');) values.push_back(cell);
  return {std::atof(values.at(3).c_str()), std::atof(values.at(4).c_str())};
}

// Each of these tests takes about ten minutes on two cores without other load. tools/test --long runs them one
// after the other, and so does YOLOD_TEST_LONG=1 e2e_tests "[slow]".
TEST_CASE("Train: 200 pictures of two classes give an AP50 above 0.5 in 10 minutes, and yolod serves them",
          "[.][e2e][torch][slow]") {
  if (!is_long_run()) {
    WARN("SKIPPED: it takes ten minutes: tools/test --long");
    return;
  }
  const Pictures pictures(200);
  const TemporaryDirectory output;
  const auto result = run_program(
      {"yolod-train", "--cfg", demo_file("demo.cfg"), "--images", pictures.folder.path(), "--labels",
       pictures.folder.path(), "--names", pictures.two_classes(), "--output", output.path(), "--minutes", "10"},
      milliseconds(1'200'000));
  CAPTURE(result.errors, result.output);
  REQUIRE(result.exit == exited(0));
  CHECK(ap50_in(output.path() / "demo.report.md").second > 50);
  check_is_served(output.path(), "demo", pictures.folder.path() / "0000.jpg");
}

TEST_CASE("Train: yolo-fastest-1.1 improves on 16 held-out photos after training on 48, and yolod serves it",
          "[.][e2e][torch][data][slow]") {
  if (!is_long_run()) {
    WARN("SKIPPED: it takes ten minutes: tools/test --long");
    return;
  }
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto network = *test_data() / "darknet" / "yolo-fastest-1.1";
  const auto coco = *test_data() / "coco";
  const TemporaryDirectory output;
  const auto result =
      run_program({"yolod-train", "--cfg", (network / "yolo-fastest-1.1.cfg").string(), "--weights",
                   (network / "yolo-fastest-1.1.weights").string(), "--images", (coco / "images").string(), "--labels",
                   (coco / "labels").string(), "--names", (coco / "coco.names").string(), "--held-out", "0.25",
                   "--output", output.path(), "--minutes", "10"},
                  milliseconds(1'200'000));
  CAPTURE(result.errors, result.output);
  REQUIRE(result.exit == exited(0));
  const auto [before, after] = ap50_in(output.path() / "yolo-fastest-1.1.report.md");
  CHECK(after > before);
  check_is_served(output.path(), "yolo-fastest-1.1", coco / "images" / "000000000139.jpg");
}

}  // namespace yolod::tests
