// These tests send the requests of DeepStack's clients, byte for byte, to a server with the demo network, and read the
// answers as these clients do. The requests come from the sources of deepstack-python, Frigate, AITool, SynoAI and
// node-red-contrib-deepstack. Blue Iris and Agent DVR are closed; their requests come from the servers that support
// them.
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

struct FormPart {
  std::string headers;
  std::string content;  // kPhoto: the photo
};

constexpr const char* kPhoto = "<photo>";

struct ClientRequest {
  std::string name;
  std::string target;
  std::string boundary;
  bool is_quoted;  // whether the Content-Type has the boundary in quotes
  std::vector<FormPart> parts;
  double min_confidence;

  [[nodiscard]] std::string content_type() const {
    return "multipart/form-data; boundary=" + (is_quoted ? '"' + boundary + '"' : boundary);
  }
  [[nodiscard]] std::string body(const std::string& photo) const {
    std::string body;
    for (const auto& part : parts) {
      body += "--" + boundary + "\r\n" + part.headers + "\r\n\r\n" + (part.content == kPhoto ? photo : part.content) +
              "\r\n";
    }
    return body + "--" + boundary + "--\r\n";
  }
};

std::string field(const std::string& name) { return "Content-Disposition: form-data; name=\"" + name + '"'; }

// .NET writes names without quotes, and the type of a text.
std::string dotnet_text(const std::string& name) {
  return "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=" + name;
}

std::string dotnet_image(const std::string& file) {
  return "Content-Disposition: form-data; name=image; filename=" + file + "; filename*=utf-8''" + file;
}

std::vector<ClientRequest> client_requests() {
  const FormPart api_key{field("api_key"), ""};
  const FormPart image{field("image") + "; filename=\"image\"", kPhoto};
  return {
      {"deepstack-python and Home Assistant",
       "/v1/vision/detection",
       "b63f5e2c9d7a4f10",
       false,
       {api_key, {field("min_confidence"), "0.45"}, image},
       0.45},
      {"Frigate", "/v1/vision/detection", "0a1b2c3d", false, {api_key, image}, 0.4},
      {"AITool",
       "/v1/vision/detection",
       "7f3c3a5e-9b1d",
       true,
       {{dotnet_image("cam.jpg"), kPhoto}, {dotnet_text("min_confidence"), "0.33"}},
       0.33},
      {"SynoAI, in a country with decimal commas",
       "/v1/vision/custom/network",
       "5d41402a",
       true,
       {{dotnet_image("image"), kPhoto}, {dotnet_text("min_confidence"), "0,6"}},
       0.6},
      {"node-red-contrib-deepstack",
       "/v1/vision/detection",
       "--------------------------515890814546601021194782",
       false,
       {{field("image") + "; filename=\"image.jpg\"\r\nContent-Type: image/jpeg", kPhoto},
        {field("min_confidence"), "0.5"}},
       0.5},
      {"Blue Iris and Agent DVR",
       "/v1/vision/custom/cameras",
       "BIboundary",
       false,
       {{field("min_confidence"), "0.4"},
        {field("image") + "; filename=\"snap.jpg\"\r\nContent-Type: image/jpeg", kPhoto}},
       0.4},
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
    const auto answer = client.post(request.target, request.body(photo), {{"Content-Type", request.content_type()}});
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
  const auto post = [&](const std::string& target, const std::string& photo) {
    const ClientRequest request{"a client", target, "b", false, {{field("image") + "; filename=\"a\"", kPhoto}}, 0.4};
    return client.post(target, request.body(photo), {{"Content-Type", request.content_type()}});
  };
  const auto text = post("/v1/vision/detection", "this is text");
  CHECK(text.status == 400);
  CHECK(std::string(text.json().at("error").as_string()).starts_with("invalid image file"));
  CHECK(post("/v1/vision/custom/unknown", "x").status == 404);
  CHECK(post("/v1/vision/scene", "x").status == 403);
  const auto face = post("/v1/vision/face", "x");
  CHECK(face.status == 404);
  CHECK(face.json().at("success") == false);
}

}  // namespace yolod::tests
