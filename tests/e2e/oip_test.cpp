// These tests run real networks over the Open Inference Protocol and compare its answers with the answers of /predict.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/packed_bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"
#include "tests/support/torchscript_files.hpp"

namespace yolod::tests {
namespace {

std::string element_of_tensor(const std::string& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + bytes;
}

std::string demo_path(const std::string& name) { return (source_directory() / "model/data" / name).string(); }

}  // namespace

TEST_CASE("Oip: two pictures of one request have the detections of /predict", "[e2e][torch]") {
  Server server(server_config("  - name: lights\n    workers: 1\n    darknet: {cfg: " + demo_path("demo.cfg") +
                              ", weights: " + demo_path("demo.weights") + ", names: " + demo_path("demo.names") +
                              "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  std::string bytes;
  std::vector<boost::json::value> expected;
  for (const std::string name : {"demo.jpg", "demo-rain.jpg"}) {
    const auto picture = read_file(demo_path(name));
    bytes += element_of_tensor(picture);
    expected.push_back(client.post("/predict", picture).json());
  }
  const std::string json =
      R"({"inputs":[{"name":"image","shape":[2,1],"datatype":"BYTES","parameters":{"binary_data_size":)" +
      std::to_string(bytes.size()) + "}}]}";
  const auto answer = client.post("/v2/models/lights/infer", json + bytes,
                                  {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  const auto value = answer.json();
  const auto data = [&](std::size_t output) { return value.at("outputs").at(output).at("data").as_array(); };
  const auto counts = data(0);
  const auto boxes = data(1);
  const auto labels = data(4);
  const auto most = value.at("outputs").at(2).at("shape").at(1).to_number<std::size_t>();
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& predictions = expected[i].at("predictions").as_array();
    REQUIRE_FALSE(predictions.empty());
    REQUIRE(counts[i].to_number<std::size_t>() == predictions.size());
    for (std::size_t d = 0; d < predictions.size(); ++d) {
      CHECK(labels[i * most + d] == predictions[d].at("label"));
      CHECK(boxes[4 * (i * most + d)].to_number<double>() ==
            Approx(predictions[d].at("box").at("x_min").to_number<double>()).margin(0.5));
    }
  }
}

TEST_CASE("Oip: a model on tensors gives the same numbers for JSON and for bytes", "[e2e][torch]") {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = torchscript_files({"pair"});
  Server server(server_config("  - name: pair\n    task: tensor\n    workers: 1\n    torchscript: {file: " +
                              (folder / "pair.pt").string() + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto metadata = client.get("/v2/models/pair").json();
  CHECK(metadata.at("inputs").at(0).at("name") == "values");
  CHECK(metadata.at("inputs").at(1).at("name") == "index");
  const std::string in_json = R"({"name":"values","shape":[1,5],"datatype":"FP32","data":[[0.5,-1,2,0,1]]})";
  const std::string target = "/v2/models/pair/infer";
  const auto text = client.post(
      target, R"({"inputs":[)" + in_json + R"(,{"name":"index","shape":[1],"datatype":"INT64","data":[3]}]})");
  CAPTURE(text);
  REQUIRE(text.status == 200);
  const auto text_value = text.json();
  REQUIRE(text_value.at("outputs").as_array().size() == 3);
  CHECK(text_value.at("outputs").at(0).at("datatype") == "FP32");
  CHECK(text_value.at("outputs").at(0).at("shape") == boost::json::value({1, 4}));
  CHECK(text_value.at("outputs").at(2).at("datatype") == "BOOL");

  const std::vector<float> values{0.5F, -1, 2, 0, 1};
  const std::int64_t index = 3;
  const std::string json =
      R"({"inputs":[{"name":"values","shape":[1,5],"datatype":"FP32","parameters":{"binary_data_size":20}},)"
      R"({"name":"index","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}}],)"
      R"("outputs":[{"name":"arr_0","parameters":{"binary_data":true}}]})";
  std::string bytes(28, '\0');
  std::memcpy(bytes.data(), values.data(), 20);
  std::memcpy(bytes.data() + 20, &index, 8);
  const auto binary =
      client.post(target, json + bytes, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  REQUIRE(binary.status == 200);
  const auto header_bytes = std::stoul(binary.header("Inference-Header-Content-Length"));
  REQUIRE(binary.body.size() == header_bytes + 16);
  for (std::size_t i = 0; i < 4; ++i) {
    float number = 0;
    std::memcpy(&number, binary.body.data() + header_bytes + 4 * i, 4);
    CHECK(number == Approx(text_value.at("outputs").at(0).at("data").at(i).to_number<double>()));
  }
  const auto wrong = client.post(
      target, R"({"inputs":[)" + in_json + R"(,{"name":"index","shape":[1],"datatype":"FP64","data":["x"]}]})");
  CHECK(wrong.status == 400);
  CHECK(client.get("/v2/models/pair/stats").json().at("model_stats").at(0).at("inference_count") == 2);
}

TEST_CASE("Oip: the raw view of a detector gives the network's output, alone and in a batch", "[e2e][torch]") {
  Server server(
      server_config("  - name: lights\n    workers: 1\n    detect: {raw: true}\n"
                    "    limits: {max_result_bytes: 16MiB}\n    darknet: {cfg: " +
                    demo_path("demo.cfg") + ", weights: " + demo_path("demo.weights") +
                    ", names: " + demo_path("demo.names") + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto config = client.get("/v2/models/lights:raw/config").json();
  const auto dims = config.at("input").at(0).at("dims").as_array();
  CHECK(
      std::string(config.at("parameters").at("metadata").at("string_value").as_string()).starts_with("{'stride': 32"));
  std::size_t count = 1;
  for (const auto& side : dims) count *= side.to_number<std::size_t>();
  const auto ask = [&](const std::vector<float>& pictures) {
    std::vector<float> values;
    for (const float value : pictures) values.insert(values.end(), count, value);
    const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    boost::json::array shape{pictures.size()};
    for (const auto& side : dims) shape.push_back(side);
    const std::string json = R"({"inputs":[{"name":"images","datatype":"FP32","shape":)" +
                             boost::json::serialize(shape) + R"(}],"parameters":{"binary_data_output":true}})";
    const auto answer = client.post("/v2/models/lights:raw/infer", json + bytes,
                                    {{"Inference-Header-Content-Length", std::to_string(json.size())}});
    INFO(answer.body.substr(0, 300));
    REQUIRE(answer.status == 200);
    return answer.body.substr(std::stoul(answer.header("Inference-Header-Content-Length")));
  };
  const auto both = ask({0.25F, 0.75F});
  CHECK_FALSE(both.empty());
  CHECK(both.size() == 2 * ask({0.25F}).size());
  const auto second = ask({0.75F});
  const auto value_at = [](const std::string& bytes, std::size_t place) {
    float value = 0;
    std::memcpy(&value, bytes.data() + place * sizeof value, sizeof value);
    return value;
  };
  const std::size_t half = second.size() / sizeof(float);
  for (std::size_t i = 0; i < half; i += 97) {
    CHECK(value_at(both, half + i) == Approx(value_at(second, i)).margin(0.02));
  }
}

TEST_CASE("Oip: a compressed request on tensors has the same answer as a plain request", "[e2e][torch]") {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = torchscript_files({"pair"});
  Server server(
      server_config("  - name: pair\n    task: tensor\n    workers: 1\n"
                    "    inputs: [{name: values, shape: [-1, -1]}]\n    torchscript: {file: " +
                    (folder / "pair.pt").string() + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.get("/v2/models/pair").json().at("inputs").at(0).at("shape") == boost::json::value({-1, -1}));
  const std::string request =
      R"({"id":"9","inputs":[{"name":"values","shape":[1,5],"datatype":"FP32",)"
      R"("data":[[0.5,-1,2,0,1]]},{"name":"index","shape":[1],"datatype":"INT64","data":[3]}]})";
  const auto plain = client.post("/v2/models/pair/infer", request);
  CAPTURE(plain);
  REQUIRE(plain.status == 200);
  CHECK(client.post("/v2/models/pair/infer", gzipped(request), {{"Content-Encoding", "gzip"}}).body == plain.body);
  CHECK(client.post("/v2/models/pair/infer", deflated(request), {{"Content-Encoding", "deflate"}}).body == plain.body);
  const auto wrong = client.post("/v2/models/pair/infer",
                                 R"({"inputs":[{"name":"values","shape":[5],"datatype":"FP32","data":[1,2,3,4,5]},)"
                                 R"({"name":"index","shape":[1],"datatype":"INT64","data":[1]}]})");
  CHECK(wrong.status == 400);
  CHECK(wrong.json().at("error") == "unexpected shape for input 'values' for model 'pair'. Expected [-1,-1], got [5]");
}

}  // namespace yolod::tests
