// These tests send the requests of DeepStack's clients, byte for byte, to a server with the demo network, and read the
// answers as these clients do. The requests come from the sources of deepstack-python, Frigate, AITool, SynoAI and
// node-red-contrib-deepstack. Blue Iris and Agent DVR are closed; their requests come from the servers that support them.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

struct ClientRequest {
  std::string name;
  std::string target;
  std::string boundary;  // as the Content-Type has it
  std::string before;    // the parts before the picture, and the picture's headers
  std::string after;     // the parts after the picture, and the end
  double min_confidence;
};

std::vector<ClientRequest> client_requests() {
  return {
      {"deepstack-python and Home Assistant", "/v1/vision/detection", "b63f5e2c9d7a4f10",
       "--b63f5e2c9d7a4f10\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n\r\n"
       "--b63f5e2c9d7a4f10\r\nContent-Disposition: form-data; name=\"min_confidence\"\r\n\r\n0.45\r\n"
       "--b63f5e2c9d7a4f10\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image\"\r\n\r\n",
       "\r\n--b63f5e2c9d7a4f10--\r\n", 0.45},
      {"Frigate", "/v1/vision/detection", "0a1b2c3d",
       "--0a1b2c3d\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n\r\n"
       "--0a1b2c3d\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image\"\r\n\r\n",
       "\r\n--0a1b2c3d--\r\n", 0.4},
      {"AITool", "/v1/vision/detection", "\"7f3c3a5e-9b1d\"",
       "--7f3c3a5e-9b1d\r\nContent-Disposition: form-data; name=image; filename=cam.jpg; "
       "filename*=utf-8''cam.jpg\r\n\r\n",
       "\r\n--7f3c3a5e-9b1d\r\nContent-Type: text/plain; charset=utf-8\r\n"
       "Content-Disposition: form-data; name=min_confidence\r\n\r\n0.33\r\n--7f3c3a5e-9b1d--\r\n",
       0.33},
      {"SynoAI, in a country with decimal commas", "/v1/vision/custom/network", "\"5d41402a\"",
       "--5d41402a\r\nContent-Disposition: form-data; name=image; filename=image; filename*=utf-8''image\r\n\r\n",
       "\r\n--5d41402a\r\nContent-Type: text/plain; charset=utf-8\r\n"
       "Content-Disposition: form-data; name=min_confidence\r\n\r\n0,6\r\n--5d41402a--\r\n",
       0.6},
      {"node-red-contrib-deepstack", "/v1/vision/detection", "--------------------------515890814546601021194782",
       "----------------------------515890814546601021194782\r\n"
       "Content-Disposition: form-data; name=\"image\"; filename=\"image.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
       "\r\n----------------------------515890814546601021194782\r\n"
       "Content-Disposition: form-data; name=\"min_confidence\"\r\n\r\n0.5\r\n"
       "----------------------------515890814546601021194782--\r\n",
       0.5},
      {"Blue Iris and Agent DVR", "/v1/vision/custom/cameras", "BIboundary",
       "--BIboundary\r\nContent-Disposition: form-data; name=\"min_confidence\"\r\n\r\n0.4\r\n"
       "--BIboundary\r\nContent-Disposition: form-data; name=\"image\"; filename=\"snap.jpg\"\r\n"
       "Content-Type: image/jpeg\r\n\r\n",
       "\r\n--BIboundary--\r\n", 0.4},
  };
}

std::string deepstack_config() {
  const auto folder = *test_data() / "darknet" / "yolo-fastest-1.1";
  const auto model = read_json(folder / "model.json");
  const auto file = [&](const char* key) { return (folder / model.at(key).as_string().c_str()).string(); };
  return server_config("  - name: network\n    workers: 1\n    precision: fp32\n    darknet: {cfg: " + file("cfg") +
                       ", weights: " + file("weights") + ", names: " + file("names") + "}\n") +
         "deepstack: {aliases: {cameras: network}}\n";
}

}  // namespace

TEST_CASE("DeepStack: each known client gets the objects of POST predict in the form that it reads", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(deepstack_config());
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto photo = read_file(*test_data() / "photos" / "person.jpg");
  for (const auto& request : client_requests()) {
    CAPTURE(request.name);
    const auto answer = client.post(request.target, request.before + photo + request.after,
                                    {{"Content-Type", "multipart/form-data; boundary=" + request.boundary}});
    CAPTURE(answer);
    REQUIRE(answer.status == 200);
    CHECK_FALSE(answer.header("Content-Length").empty());  // Blue Iris reads no chunks
    CHECK(answer.header("Transfer-Encoding").empty());
    const auto value = answer.json();
    CHECK(value.at("success") == true);
    CHECK_FALSE(value.as_object().contains("error"));
    for (const char* number : {"duration", "inferenceMs", "processMs", "analysisRoundTripMs", "count", "code"}) {
      CHECK(value.at(number).is_int64());
    }
    const auto expected = client
                              .post("/predict?confidence=" + std::to_string(request.min_confidence), photo,
                                    {{"Content-Type", "image/jpeg"}})
                              .json();
    const auto& objects = expected.at("predictions").as_array();
    const auto& found = value.at("predictions").as_array();
    REQUIRE(!found.empty());
    REQUIRE(found.size() == std::min<std::size_t>(objects.size(), 20));
    double last = 1;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double confidence = found[i].at("confidence").to_number<double>();
      CHECK(confidence <= last);  // Frigate stops at the first below 0.4
      last = confidence;
      CHECK(confidence >= request.min_confidence - 0.0001);
      CHECK(found[i].at("label") == objects[i].at("label"));
      for (const char* edge : {"x_min", "y_min", "x_max", "y_max"}) {
        REQUIRE(found[i].at(edge).is_int64());
        CHECK(std::abs(found[i].at(edge).to_number<double>() - objects[i].at("box").at(edge).to_number<double>()) <=
              0.51);
      }
    }
  }
}

TEST_CASE("DeepStack: the requests of the status pages and of a wrong picture are answered as JSON", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(deepstack_config());
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/v1/vision/custom/list", "").json().at("models") == boost::json::value({"cameras", "network"}));
  CHECK(client.get("/v1/status/ping").json().at("success") == true);
  CHECK(client.get("/v1/server/status/updateavailable").json().at("updateAvailable") == false);
  const auto form = [](const std::string& bytes) {
    return "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n" + bytes + "\r\n--b--\r\n";
  };
  const auto post = [&](const std::string& target, const std::string& body) {
    return client.post(target, body, {{"Content-Type", "multipart/form-data; boundary=b"}});
  };
  const auto text = post("/v1/vision/detection", form("this is text"));
  CHECK(text.status == 400);
  CHECK(std::string(text.json().at("error").as_string()).starts_with("invalid image file"));
  CHECK(post("/v1/vision/custom/unknown", form("x")).status == 404);
  CHECK(post("/v1/vision/scene", form("x")).status == 403);
  const auto face = post("/v1/vision/face", form("x"));
  CHECK(face.status == 404);
  CHECK(face.json().at("success") == false);
}

}  // namespace yolod::tests
