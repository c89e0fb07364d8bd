// This test serves a PyTorch checkpoint, as Ultralytics' yolov3 writes it, through the short form of system.yaml.
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {

TEST_CASE("Checkpoint: the short form of system.yaml serves a checkpoint", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  if (run_program({"/usr/bin/python3", "-c", "import torch"}).exit != exited(0)) {
    WARN("SKIPPED: no PyTorch: install python3-torch");
    return;
  }
  const TemporaryDirectory folder;
  const auto script = source_directory() / "tests" / "support" / "make_checkpoints.py";
  REQUIRE(run_program({"/usr/bin/python3", script.string(), folder.path().string()}).exit == exited(0));
  const auto names = folder.write("two.names", "red\ngreen\n");
  const auto tiny = (folder.path() / "tiny").string();
  Server server("server: {listen: ['127.0.0.1:0']}\nworkers:\n  max_workers: 1\n  model_path: {data: \"" +
                names.string() + "\", weights: \"" + tiny + "/net.pt\", cfg: \"" + tiny + "/net.cfg\"}\n");
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto photo = read_file(*test_data() / "photos" / "dog.jpg");
  const auto answer = client.post("/predict?confidence=0.3", photo);
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  const auto value = answer.json();
  const auto& predictions = value.at("predictions").as_array();
  REQUIRE(!predictions.empty());
  CHECK((predictions.front().at("label") == "red" || predictions.front().at("label") == "green"));
}

}  // namespace yolod::tests
