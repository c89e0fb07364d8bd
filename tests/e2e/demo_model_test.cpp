// These tests use the files of model/data as a new user does: system.yaml, the pictures, and the network with its
// quality.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/detection_match.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::vector<std::string> demo_names() {
  std::istringstream lines(read_file(demo_file("demo.names")));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

// Reads a YOLO-format file: class, centre and size as fractions of the picture.
std::vector<LabelledBox> labels_in(const std::string& file, double image_width, double image_height) {
  const auto names = demo_names();
  std::istringstream lines(read_file(file));
  std::vector<LabelledBox> boxes;
  std::size_t label = 0;
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  while (lines >> label >> x >> y >> width >> height) {
    boxes.push_back({names.at(label), 1, (x - width / 2) * image_width, (y - height / 2) * image_height,
                     (x + width / 2) * image_width, (y + height / 2) * image_height});
  }
  return boxes;
}

}  // namespace

TEST_CASE("DemoModel: the shipped system.yaml can be served, and yolodctl accepts it", "[e2e][torch]") {
  const auto config = (source_directory() / "system.yaml").string();
  const auto checked = run_program({"yolod", "--check", "--config", config});
  CAPTURE(checked.errors);
  CHECK(checked.exit == exited(0));

  const TemporaryDirectory folder;
  const auto predicted = run_program({"yolodctl", "predict", "--config", config, "--json", "--out", folder.path(),
                                      demo_file("demo.jpg"), demo_file("demo-night.jpg"), demo_file("demo-rain.jpg")});
  CAPTURE(predicted.errors);
  REQUIRE(predicted.exit == exited(0));
  CHECK(folder.names() == std::vector<std::string>{"demo-night.jpg", "demo-rain.jpg", "demo.jpg"});
}

TEST_CASE("DemoModel: on a full disk yolodctl predict reports the error and leaves no incomplete picture",
          "[e2e][torch]") {
  const TemporaryDirectory folder;
  const auto result = run_program({"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh",
                                   (binary_directory() / "yolodctl").string(), "predict", "--cfg",
                                   demo_file("demo.cfg"), "--weights", demo_file("demo.weights"), "--names",
                                   demo_file("demo.names"), "--out", folder.path(), demo_file("demo.jpg")});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(1));
  CHECK(result.errors.find("demo.jpg: File too large\n") != std::string::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("DemoModel: over HTTP it finds every light of the demo pictures, and nothing else", "[e2e][torch]") {
  Server server(server_config("  - name: lights\n    workers: 1\n    darknet: {cfg: " + demo_file("demo.cfg") +
                              ", weights: " + demo_file("demo.weights") + ", names: " + demo_file("demo.names") +
                              "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  for (const std::string name : {"demo", "demo-night", "demo-rain"}) {
    const auto answer = client.post("/predict", read_file(demo_file(name + ".jpg")));
    CAPTURE(name, answer);
    REQUIRE(answer.status == 200);
    const auto value = answer.json();
    const auto truth = labels_in(demo_file(name + ".txt"), value.at("image").at("width").to_number<double>(),
                                 value.at("image").at("height").to_number<double>());
    REQUIRE_FALSE(truth.empty());
    // The comparison checks the boxes, not the confidences.
    const MatchLimits limits{1, 0.5, 2, 0};
    for (const auto& difference : differences(truth, predictions_of(value), limits)) FAIL_CHECK(difference);
  }
}

TEST_CASE("DemoModel: a request that was allowed more detections than a reload leaves gets the new limit",
          "[e2e][torch]") {
  // The timeouts let the upload succeed however long the reload takes.
  const auto config = [](int most) {
    return server_config("  - name: lights\n    workers: 1\n    batch: {max_size: 1}\n    detect: {max_detections: " +
                             std::to_string(most) + "}\n    darknet: {cfg: " + demo_file("demo.cfg") +
                             ", weights: " + demo_file("demo.weights") + ", names: " + demo_file("demo.names") + "}\n",
                         {"body_timeout: 60m"});
  };
  Server server(config(300));
  REQUIRE(server.wait_until_ready());
  // The decoder ignores bytes after a JPEG's end. The first half of this long body is fast enough for the whole
  // reload.
  const std::string body = read_file(demo_file("demo.jpg")) + std::string(8U << 20U, '\0');
  const std::string raw = serialise({.method = "POST", .target = "/predict?max_detections=300", .body = body});
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  const std::size_t half = raw.size() / 2;
  REQUIRE(client.write(std::string_view(raw).substr(0, half)));
  server.rewrite_config(config(1));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return server.log_lines_with("reload: done").size() == 1; }));
  REQUIRE(client.write(std::string_view(raw).substr(half)));
  const auto answer = client.read_answer();
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  CHECK(answer.json().at("predictions").as_array().size() == 1);
}

// The README quotes these figures.
TEST_CASE("DemoModel: the average precision on 500 scenes that training never saw is as published", "[e2e][torch]") {
  const TemporaryDirectory folder;
  const auto drawn = run_program({"yolod-scenes", "--seed", "1000007", "--count", "500", "--output", folder.path()});
  CAPTURE(drawn.errors);
  REQUIRE(drawn.exit == exited(0));
  const auto judged =
      run_program({"yolodctl", "eval", "--cfg", demo_file("demo.cfg"), "--weights", demo_file("demo.weights"),
                   "--names", demo_file("demo.names"), "--images", folder.path(), "--labels", folder.path(), "--json"});
  CAPTURE(judged.errors, judged.output);
  REQUIRE(judged.exit == exited(0));
  const auto value = boost::json::parse(judged.output);
  CHECK(value.at("images") == 500);
  CHECK(value.at("classes").as_array().size() == 6);
  CHECK(value.at("ap50").as_double() >= 0.85);
  CHECK(value.at("ap50_95").as_double() >= 0.50);
}

TEST_CASE("DemoModel: the config that yolod --init writes for the demo files can be served", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_networks(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const TemporaryDirectory folder;
  for (const auto* const name : {"demo.cfg", "demo.weights", "demo.names", "demo.jpg"}) {
    std::filesystem::copy_file(demo_file(name), folder.path() / name);
  }
  REQUIRE(run_program({"yolod", "--init", folder.path().string()}).exit == exited(0));
  const auto checked = run_program({"yolod", "--config", (folder.path() / "system.yaml").string(), "--check"});
  CAPTURE(checked.output, checked.errors);
  CHECK(checked.exit == exited(0));
}

}  // namespace yolod::tests
