// These tests compare the five published networks on the four photos with Darknet's own lists.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/detection_match.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {

TEST_CASE("DarknetPhotos: each network finds in each photo the objects that Darknet finds", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const std::string name = GENERATE("mobilenetv2-yolo-fastest-v2-voc", "mobilenetv2-yolov3-nano-coco",
                                    "yolo-fastest-1.1", "yoloface-500k-v1", "yoloface-50k");
  CAPTURE(name);
  const auto folder = *test_data() / "darknet" / name;
  const auto model = read_json(folder / "model.json");
  const auto file = [&](const char* key) { return (folder / model.at(key).as_string().c_str()).string(); };
  Server server(server_config("  - name: network\n    workers: 1\n    precision: fp32\n    darknet: {cfg: " +
                              file("cfg") + ", weights: " + file("weights") + ", names: " + file("names") + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());

  for (const auto& photo : model.at("photos").as_array()) {
    const std::string photo_file = photo.at("file").as_string().c_str();
    const auto answer = client.post("/predict", read_file(*test_data() / photo_file), {{"Content-Type", "image/jpeg"}});
    CAPTURE(photo_file, answer);
    REQUIRE(answer.status == 200);
    const auto value = answer.json();
    CHECK(value.at("precision") == "fp32");
    const auto expected = darknet_objects(photo, value.at("image").at("width").to_number<double>(),
                                          value.at("image").at("height").to_number<double>());
    const auto actual = predictions_of(value);
    CHECK(differences(expected, actual) == std::vector<std::string>{});
    CHECK(std::is_sorted(actual.begin(), actual.end(),
                         [](const LabelledBox& a, const LabelledBox& b) { return a.confidence > b.confidence; }));
  }
}

TEST_CASE("DarknetPhotos: a file that is not a picture is invalid_image, and the worker survives", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(small_network_config(*test_data()));
  REQUIRE(server.wait_until_ready());
  const auto workers = server.worker_pids();
  const auto photo = read_file(*test_data() / "photos" / "person.jpg");
  HttpClient client(server.endpoint());
  for (const auto& body : {std::string("this is text"), photo.substr(0, 100)}) {
    const auto answer = client.post("/predict", body);
    CAPTURE(answer);
    CHECK(answer.status == 400);
    CHECK(answer.error_code() == "invalid_image");
  }
  CHECK(client.post("/predict", photo).status == 200);
  CHECK(server.worker_pids() == workers);
}

}  // namespace yolod::tests
