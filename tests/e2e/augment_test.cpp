// These tests use test-time augmentation through a client and through yolodctl.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/detection_match.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

bool no_real_models() {
  const auto reason = reason_to_skip_real_models();
  if (!reason.empty()) WARN("SKIPPED: " << reason);
  return !reason.empty();
}

struct NetworkFiles {
  std::string stem = (*test_data() / "darknet" / "yolo-fastest-1.1" / "yolo-fastest-1.1").string();
  std::string cfg = stem + ".cfg";
  std::string weights = stem + ".weights";
  std::string names = (*test_data() / "darknet" / "yolo-fastest-1.1" / "coco.names").string();
};

}  // namespace

TEST_CASE("Augment: a server's answer equals yolodctl's, and has more detections than without", "[e2e][torch]") {
  if (no_real_models()) return;
  const std::string precision = GENERATE("fp32", "bf16");
  CAPTURE(precision);
  if (precision == "bf16" && !processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  const NetworkFiles files;
  Server server(server_config("  - name: network\n    workers: 1\n    precision: " + precision +
                              "\n    detect: {augment: true}\n    darknet: {cfg: " + files.cfg +
                              ", weights: " + files.weights + ", names: " + files.names + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto photo = *test_data() / "photos" / "dog.jpg";
  const auto answer = client.post("/predict", read_file(photo));
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  const auto served = predictions_of(answer.json());

  const auto predict = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"yolodctl", "predict",   "--cfg",       files.cfg, "--weights", files.weights,
                                       "--names",  files.names, "--precision", precision, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back(photo.string());
    const auto result = run_program(arguments);
    CAPTURE(result.errors);
    REQUIRE(result.exit == exited(0));
    return predictions_of(boost::json::parse(result.output));
  };
  CHECK(differences(predict({"--augment"}), served) == std::vector<std::string>{});
  // Without augmentation the larger bicycle is not on the list.
  CHECK(predict({}).size() < served.size());
  const auto bicycle = std::find_if(served.begin(), served.end(), [](const LabelledBox& box) {
    return box.label == "bicycle" && box.confidence > 0.65;
  });
  CHECK(bicycle != served.end());
}

TEST_CASE("Augment: yolodctl refuses augmentation for a network of one size, in one line", "[e2e][torch]") {
  if (no_real_models()) return;
  const NetworkFiles files;
  const auto trace = (*test_data() / "torchscript" / "yolo-fastest-1.1.torchscript").string();
  const auto photo = (*test_data() / "photos" / "dog.jpg").string();
  const auto result =
      run_program({"yolodctl", "predict", "--torchscript", trace, "--names", files.names, "--augment", photo});
  CHECK(result.exit == exited(1));
  CHECK(result.output.empty());
  CHECK_THAT(result.errors,
             Catch::Contains("detect.augment also runs the network at 256 x 256: the boxes are wrong at that size"));
}

TEST_CASE("Augment: an export and the raw head show the network without augmentation", "[e2e][torch]") {
  if (no_real_models()) return;
  const NetworkFiles files;
  const TemporaryDirectory folder;
  const auto config = folder.write(
      "system.yaml", "models:\n  - name: network\n    detect: {augment: true}\n    darknet: {cfg: " + files.cfg +
                         ", weights: " + files.weights + ", names: " + files.names + "}\n");
  const auto input = (*test_data() / "darknet" / "yolo-fastest-1.1" / "input.npy").string();
  const auto output = [&](const std::string& name) { return (folder.path() / name).string(); };
  REQUIRE(run_program({"yolodctl", "infer", "--config", config.string(), "--input", input, "--output", output("a.npy")})
              .exit == exited(0));
  REQUIRE(run_program({"yolodctl", "infer", "--cfg", files.cfg, "--weights", files.weights, "--input", input,
                       "--output", output("b.npy")})
              .exit == exited(0));
  CHECK(read_file(output("a.npy")) == read_file(output("b.npy")));
  CHECK(run_program({"yolodctl", "export", "--config", config.string(), "--output", output("m.pt")}).exit == exited(0));
}

}  // namespace yolod::tests
