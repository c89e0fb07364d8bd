// These tests run real networks over the Open Inference Protocol and compare its answers with the answers of /predict.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "tests/support/packed_bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
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

}  // namespace

TEST_CASE("Oip: two pictures of one request have the detections of /predict", "[e2e][torch]") {
  Server server(server_config("  - name: lights\n    workers: 1\n    darknet: {cfg: " + demo_file("demo.cfg") +
                              ", weights: " + demo_file("demo.weights") + ", names: " + demo_file("demo.names") +
                              "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  std::string bytes;
  std::vector<boost::json::value> expected;
  for (const std::string name : {"demo.jpg", "demo-rain.jpg"}) {
    const auto picture = read_file(demo_file(name));
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
                    demo_file("demo.cfg") + ", weights: " + demo_file("demo.weights") +
                    ", names: " + demo_file("demo.names") + "}\n"));
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

TEST_CASE("Oip: a classifier takes pictures and tensors, and gives logits and classifications", "[e2e][torch]") {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = torchscript_files({"tiny_probabilities", "pair"});
  Server server(
      server_config("  - name: colours\n    task: classify\n    workers: 1\n    classify: {raw: true}\n"
                    "    torchscript: {file: " +
                    (folder / "tiny_probabilities.pt").string() +
                    "}\n"
                    "  - name: pair\n    task: tensor\n    workers: 1\n"
                    "    outputs: [{name: arr_0, type: FP16, shape: [-1, -1]}]\n    torchscript: {file: " +
                    (folder / "pair.pt").string() + "}\n"));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto outputs_of = [&](const std::string& name, const std::string& json, const std::string& bytes,
                              bool is_packed = false) {
    Headers fields{{"Inference-Header-Content-Length", std::to_string(json.size())}};
    if (is_packed) fields.push_back({"Content-Encoding", "gzip"});
    const auto answer =
        client.post("/v2/models/" + name + "/infer", is_packed ? gzipped(json + bytes) : json + bytes, fields);
    CAPTURE(answer);
    REQUIRE(answer.status == 200);
    return answer.json().at("outputs").as_array();
  };
  // A red picture, and its planes.
  std::string picture = "P6 32 32 255\n";
  for (int i = 0; i < 32 * 32; ++i) picture += std::string("\xFF\0\0", 3);
  const std::string planes = std::string(32 * 32, '\xFF') + std::string(2 * 32 * 32, '\0');
  const std::string element = element_of_tensor(picture);
  const std::string of_picture = R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":)"
                                 R"({"binary_data_size":)" +
                                 std::to_string(element.size()) + "}}]";
  const auto all = outputs_of("colours", of_picture + "}", element);
  REQUIRE(all.size() == 4);
  CHECK(all[2].at("data").at(0) == "red");
  CHECK(all[3].at("name") == "logits");
  CHECK(all[3].at("shape") == boost::json::value({1, 4}));
  CHECK(all[3].at("data").at(0) == all[1].at("data").at(0));  // the network itself gives probabilities
  const std::string of_planes =
      R"({"inputs":[{"name":"images","shape":[1,3,32,32],"datatype":"UINT8","parameters":{"binary_data_size":3072}}])";
  for (const bool is_packed : {false, true}) {
    const auto raw = outputs_of("colours:raw", of_planes + "}", planes, is_packed);
    REQUIRE(raw.size() == 1);
    CHECK(raw[0].at("name") == "output0");
    CHECK(raw[0].at("data").at(0).to_number<double>() ==
          Approx(all[3].at("data").at(0).to_number<double>()).margin(1e-4));
    const auto best =
        outputs_of("colours:raw", of_planes + R"(,"outputs":[{"name":"output0","parameters":{"classification":2}}]})",
                   planes, is_packed);
    CHECK(best[0].at("datatype") == "BYTES");
    CHECK(best[0].at("shape") == boost::json::value({1, 2}));
    CHECK(std::string(best[0].at("data").at(0).as_string()).ends_with(":0:red"));
  }

  // The other model's output is declared as FP16.
  const std::string values = R"({"inputs":[{"name":"values","shape":[1,5],"datatype":"FP32","data":[[0.5,-1,2,0,1]]},)"
                             R"({"name":"index","shape":[1],"datatype":"INT64","data":[3]}],)"
                             R"("outputs":[{"name":"arr_0")";
  CHECK(client.post("/v2/models/pair/infer", values + "}]}").status == 400);
  const auto half = client.post("/v2/models/pair/infer", values + R"(,"parameters":{"binary_data":true}}]})");
  CAPTURE(half);
  REQUIRE(half.status == 200);
  const auto header_bytes = std::stoul(half.header("Inference-Header-Content-Length"));
  CHECK(half.body.find(R"("datatype":"FP16","shape":[1,4])") != std::string::npos);
  CHECK(half.body.size() == header_bytes + 8);
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

TEST_CASE("Oip: rows of several requests are computed together, and each request gets its own", "[e2e][torch]") {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = torchscript_files({"pair"});
  const std::string source =
      "    task: tensor\n    workers: 1\n    torchscript: {file: " + (folder / "pair.pt").string() +
      "}\n    inputs: [{name: values, shape: [-1, 5]}, {name: index, type: INT64, shape: [-1]}]\n";
  Server server(server_config("  - name: alone\n" + source + "  - name: joined\n" + source +
                              "    batch: {max_size: 8, max_rows: 16, max_wait: 500ms}\n"));
  REQUIRE(server.wait_until_ready());
  const auto request_of = [](int i, int index) {
    const int rows = 1 + i % 3;
    std::string values;
    std::string indices;
    for (int row = 0; row < rows; ++row) {
      values += (row == 0 ? "[" : ",[") + std::to_string(i) + ",-1," + std::to_string(row) + ",0,1]";
      indices += (row == 0 ? "" : ",") + std::to_string(row + 1 == rows ? index : row);
    }
    const auto shown = std::to_string(rows);
    return R"({"inputs":[{"name":"values","shape":[)" + shown + R"(,5],"datatype":"FP32","data":[)" + values +
           R"(]},{"name":"index","shape":[)" + shown + R"(],"datatype":"INT64","data":[)" + indices + "]}]}";
  };
  HttpClient client(server.endpoint());
  CHECK(client.get("/v2/models/joined/config").json().at("max_batch_size") == 16);
  const int guilty = GENERATE(-1, 3);
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(std::async(std::launch::async, [&server, body = request_of(i, i == guilty ? 99 : i)] {
      return HttpClient(server.endpoint()).post("/v2/models/joined/infer", body);
    }));
  }
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    const auto answer = answers[static_cast<std::size_t>(i)].get();
    if (i == guilty) {
      CHECK(answer.status == 400);
      continue;
    }
    REQUIRE(answer.status == 200);
    const auto alone = client.post("/v2/models/alone/infer", request_of(i, i));
    const auto joined_outputs = answer.json().at("outputs").as_array();
    const auto alone_outputs = alone.json().at("outputs").as_array();
    REQUIRE(joined_outputs.size() == alone_outputs.size());
    for (std::size_t output = 0; output < joined_outputs.size(); ++output) {
      CHECK(joined_outputs[output].at("shape") == alone_outputs[output].at("shape"));
      const auto& data = joined_outputs[output].at("data").as_array();
      for (std::size_t k = 0; k < data.size(); ++k) {
        const auto& expected = alone_outputs[output].at("data").at(k);
        if (data[k].is_bool()) {
          CHECK(data[k] == expected);
        } else {
          CHECK(data[k].to_number<double>() == Approx(expected.to_number<double>()).margin(1e-5));
        }
      }
    }
  }
  const auto stats = client.get("/v2/models/joined/stats").json().at("model_stats").at(0);
  CHECK(stats.at("execution_count").to_number<int>() < 8);
  CHECK(stats.at("inference_count") == (guilty == -1 ? 15 : 14));  // the rows of the requests that were answered
}

TEST_CASE("Oip: a model in Triton's layout has the names of its config.pbtxt", "[e2e][torch]") {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const TemporaryDirectory models;
  const auto folder = models.path() / ".new";
  std::filesystem::create_directories(folder / "1");
  std::filesystem::copy_file(torchscript_files({"pair"}) / "pair.pt", folder / "1" / "model.pt");
  std::ofstream(folder / "config.pbtxt") << "name: \"scores\"\nplatform: \"pytorch_libtorch\"\nmax_batch_size: 8\n"
                                            "input [ { name: \"INPUT__0\" data_type: TYPE_FP32 dims: [ 5 ] },\n"
                                            "        { name: \"INPUT__1\" data_type: TYPE_INT64 dims: [ ] } ]\n"
                                            "output [ { name: \"SUM__0\" data_type: TYPE_FP32 dims: [ 4 ] },\n"
                                            "         { name: \"BEST__1\" data_type: TYPE_INT64 dims: [ ] },\n"
                                            "         { name: \"POSITIVE__2\" data_type: TYPE_BOOL dims: [ 4 ] } ]\n";
  std::filesystem::rename(folder, models.path() / "scores");
  Server server(identity_config({{.name = "echo", .workers = 1}}, {"models_dir: " + models.path().string()}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  REQUIRE(wait_until([&] { return client.get("/v2/models/scores/ready").status == 200; }));
  const auto answer = client.post("/v2/models/scores/infer",
                                  R"({"inputs":[{"name":"INPUT__1","shape":[1],"datatype":"INT64","data":[3]},)"
                                  R"({"name":"INPUT__0","shape":[1,5],"datatype":"FP32","data":[0.5,-1,2,0,1]}],)"
                                  R"("outputs":[{"name":"BEST__1"},{"name":"SUM__0"}]})");
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  CHECK(answer.json().at("outputs").at(0).at("shape") == boost::json::value({1}));
  CHECK(answer.json().at("outputs").at(1).at("shape") == boost::json::value({1, 4}));
  CHECK(client.get("/v2/models/scores").json().at("outputs").at(2).at("name") == "POSITIVE__2");
}

}  // namespace yolod::tests
