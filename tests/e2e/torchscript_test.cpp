// These tests run TorchScript models over HTTP and through yolodctl, and compare the results with Python's.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/support/torchscript_files.hpp"

namespace yolod::tests {
namespace {

const std::filesystem::path& script_files() {
  static const auto folder = torchscript_files(
      {"resnet18", "generator", "doubler", "yolov8", "pair", "tiny_probabilities", "nms", "deep", "endless"});
  return folder;
}

bool cannot_run() {
  const auto reason = reason_to_skip_torchscript();
  if (!reason.empty()) WARN("SKIPPED: " << reason);
  return !reason.empty();
}

std::string script_model(const std::string& name, const std::string& task, const std::string& more = "") {
  return "  - name: " + name + "\n    task: " + task +
         "\n    workers: 1\n    torchscript: {file: " + (script_files() / (name + ".pt")).string() + "}\n" + more;
}

const std::string kImageNet =
    "    preprocess: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], crop: center}\n";

// Lets Python compute the five classes with the greatest logits, best first, and their probabilities.
boost::json::value top_five(const std::filesystem::path& logits) {
  const auto result = run_program({"/usr/bin/python3", "-c",
                                   "import json, numpy, sys; x = numpy.load(sys.argv[1])[0].astype(float); p = "
                                   "numpy.exp(x - x.max()); p /= p.sum(); "
                                   "print(json.dumps([[int(i), p[i]] for i in numpy.argsort(-x)[:5]]))",
                                   logits.string()});
  REQUIRE(result.exit == exited(0));
  return boost::json::parse(result.output);
}

Answer put_image(HttpClient& client, const std::string& target, const std::string& body, const std::string& accept) {
  return client.send({.method = "PUT", .target = target, .headers = {{"Accept", accept}}, .body = body});
}

}  // namespace

TEST_CASE("TorchScript: a classifier's answer over HTTP has Python's five classes", "[e2e][torch]") {
  if (cannot_run()) return;
  Server server(server_config(script_model("resnet18", "classify", kImageNet)));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto picture = read_file(script_files() / "resnet18.ppm");
  const auto answer = client.post("/predict", picture);
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  const auto expected = top_five(script_files() / "resnet18-answer.npy");
  const auto value = answer.json();
  const auto& predictions = value.at("predictions").as_array();
  REQUIRE(predictions.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(predictions[i].at("class_id") == expected.at(i).at(0));
    CHECK(predictions[i].at("label").as_string() == std::to_string(expected.at(i).at(0).to_number<int>()));
    CHECK(predictions[i].at("probability").to_number<double>() ==
          Approx(expected.at(i).at(1).to_number<double>()).margin(2e-6));
  }
  CHECK(value.at("image").at("width") == 224);
  CHECK(value.at("precision") == "fp32");

  CHECK(client.post("/predict?top_k=1", picture).json().at("predictions").as_array().size() == 1);
  CHECK(client.post("/predict?top_k=1000", picture).json().at("predictions").as_array().size() == 1000);
  CHECK(client.post("/predict?top_k=1001", picture).error_code() == "invalid_parameter");
  CHECK(client.post("/predict?confidence=0.5", picture).error_code() == "invalid_parameter");
  CHECK(client.post("/predict", "no picture").error_code() == "invalid_image");
  CHECK(put_image(client, "/image", picture, "").error_code() == "bad_request");
}

TEST_CASE("TorchScript: a detector answers over HTTP", "[e2e][torch]") {
  if (cannot_run()) return;
  Server server(server_config(script_model("yolov8", "detect")));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  std::string picture = "P6 32 32 255\n" + std::string(3 * 32 * 32, '\0');
  for (std::size_t y = 8; y < 16; ++y) {
    for (std::size_t x = 16; x < 24; ++x) picture[13 + 3 * (y * 32 + x)] = '\xFF';
  }
  const auto answer = client.post("/predict", picture);
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  const auto value = answer.json();
  REQUIRE(value.at("predictions").as_array().size() == 1);
  const auto& detection = value.at("predictions").at(0);
  CHECK(detection.at("label") == "stop");
  CHECK(detection.at("box").at("x_min").to_number<double>() == Approx(16));
  CHECK(detection.at("box").at("y_max").to_number<double>() == Approx(16));
  CHECK(client.post("/predict?top_k=1", picture).error_code() == "invalid_parameter");
}

TEST_CASE("TorchScript: PUT /image answers with Python's picture, as JPEG, or as PNG by Accept", "[e2e][torch]") {
  if (cannot_run()) return;
  Server server(
      server_config(script_model("generator", "image",
                                 "    input_size: 64\n    image: {range: [-1, 1]}\n"
                                 "    preprocess: {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n") +
                    script_model("doubler", "image", "    input_size: 16\n    limits: {max_result_bytes: 1KiB}\n")));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto picture = read_file(script_files() / "generator.ppm");
  const auto png = put_image(client, "/image?model=generator", picture, "image/png");
  CAPTURE(png);
  REQUIRE(png.status == 200);
  CHECK(png.header("Content-Type") == "image/png");
  CHECK(png.has_header("Server-Timing"));
  CHECK(png.has_header("X-Request-Id"));
  const TemporaryDirectory folder;
  CHECK(largest_difference(folder.write("a.png", png.body), script_files() / "generator-pixels.npy") <= 1);

  const auto jpeg = put_image(client, "/image", picture, "*/*");
  CHECK(jpeg.status == 200);
  CHECK(jpeg.header("Content-Type") == "image/jpeg");
  CHECK(jpeg.body.starts_with("\xFF\xD8\xFF"));
  CHECK(put_image(client, "/image", "no picture", "").error_code() == "invalid_image");
  CHECK(client.post("/predict", picture).error_code() == "bad_request");
  CHECK(client.post("/image", picture).status == 405);
  CHECK(put_image(client, "/image?model=nobody", picture, "").status == 404);

  // A picture of noise does not fit into a PNG of 1 KiB.
  std::string noise = "P6 16 16 255\n";
  std::mt19937 random(1);
  for (int i = 0; i < 3 * 16 * 16; ++i) noise += static_cast<char>(random());
  const auto too_large = put_image(client, "/image?model=doubler", noise, "image/png");
  CHECK(too_large.status == 500);
  CHECK(server.log_lines_with("max_result_bytes").size() == 1);
}

TEST_CASE("TorchScript: tensors are sent and returned as NumPy files", "[e2e][torch]") {
  if (cannot_run()) return;
  Server server(server_config(script_model("pair", "tensor")));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto arrays = read_file(script_files() / "pair-input.npz");
  const auto answer = client.post("/predict", arrays, {{"Content-Type", "application/zip"}});
  CAPTURE(answer.status);
  REQUIRE(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/zip");
  const TemporaryDirectory folder;
  CHECK(largest_difference(folder.write("a.npz", answer.body), script_files() / "pair-output.npz") < 1e-4);
  for (const auto& body : {std::string("x"), arrays.substr(0, arrays.size() / 2), "PK" + std::string(1000, '\0')}) {
    const auto refused = client.post("/predict", body);
    CHECK(refused.status == 400);
    CHECK(refused.error_code() == "bad_request");
  }
  CHECK(client.post("/predict", arrays).status == 200);
}

TEST_CASE("TorchScript: --check gives the fault of a file in one line", "[e2e][torch]") {
  if (cannot_run()) return;
  const TemporaryDirectory folder;
  const auto config = folder.write("system.yaml", server_config(script_model("nms", "detect")));
  const auto result = run_program({"yolod", "--config", config.string(), "--check"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors + result.output, Catch::Contains("torchvision::nms"));
}

// ---- yolodctl ----

TEST_CASE("TorchScript: yolodctl predict needs only the file, for any task", "[e2e][torch]") {
  if (cannot_run()) return;
  const auto classes =
      run_program({"yolodctl", "predict", "--torchscript", (script_files() / "tiny_probabilities.pt").string(),
                   "--top-k", "1", "--json", (script_files() / "resnet18.ppm").string()});
  CAPTURE(classes.errors);
  CHECK(classes.exit == exited(0));
  CHECK(boost::json::parse(classes.output).at("predictions").as_array().size() == 1);
  const auto boxes = run_program({"yolodctl", "predict", "--torchscript", (script_files() / "yolov8.pt").string(),
                                  "--json", "--confidence", "0", (script_files() / "resnet18.ppm").string()});
  CHECK(boxes.exit == exited(0));
  CHECK_FALSE(boost::json::parse(boxes.output).at("predictions").as_array().empty());
  const TemporaryDirectory folder;
  const auto picture = run_program({"yolodctl", "predict", "--torchscript", (script_files() / "doubler.pt").string(),
                                    "--out", folder.path().string(), (script_files() / "resnet18.ppm").string()});
  CHECK(picture.exit == exited(0));
  CHECK(std::filesystem::exists(folder.path() / "resnet18.jpg"));
}

TEST_CASE("TorchScript: yolodctl infer gives Python's results", "[e2e][torch]") {
  if (cannot_run()) return;
  const auto [name, kind] = GENERATE(table<std::string, std::string>(
      {{"resnet18", ".npy"}, {"yolov8", ".npy"}, {"generator", ".npy"}, {"pair", ".npz"}}));
  CAPTURE(name);
  const TemporaryDirectory folder;
  const auto output = folder.path() / ("y" + kind);
  const auto result =
      run_program({"yolodctl", "infer", "--torchscript", (script_files() / (name + ".pt")).string(), "--input",
                   (script_files() / (name + "-input" + kind)).string(), "--output", output.string()});
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  CHECK(largest_difference(output, script_files() / (name + "-output" + kind)) < 1e-4);
}

TEST_CASE("TorchScript: yolodctl reports a damaged file in one clear line, whatever it does to LibTorch",
          "[e2e][torch]") {
  if (cannot_run()) return;
  const TemporaryDirectory folder;
  const auto whole = read_file(script_files() / "tiny_probabilities.pt");
  const auto picture = (script_files() / "resnet18.ppm").string();
  const auto check = [&](const std::string& bytes) {
    const auto file = folder.write("damaged.pt", bytes).string();
    const auto result = run_program({"yolodctl", "predict", "--torchscript", file, "--json", picture});
    CAPTURE(result.output, result.errors);
    if (result.exit == exited(0)) return;  // the damage did not matter
    CHECK(result.exit == exited(1));
    CHECK_THAT(result.errors, Catch::StartsWith("yolodctl: "));
    CHECK_THAT(result.errors, Catch::Contains(file));
    CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
  };
  for (const std::size_t part : {0U, 1U, 3U, 5U}) check(whole.substr(0, whole.size() * part / 6));
  std::mt19937 random(9);
  for (int round = 0; round < 8; ++round) {
    auto bytes = whole;
    for (int k = 0; k < 4; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    check(bytes);
  }
}

TEST_CASE("TorchScript: a file that crashes LibTorch is reported in one clear line", "[e2e][torch]") {
  if (cannot_run()) return;
  const auto file = (script_files() / "deep.pt").string();
  const auto command = GENERATE("predict", "infer");
  std::vector<std::string> arguments{"yolodctl", command, "--torchscript", file};
  if (command == std::string("predict")) {
    arguments.push_back((script_files() / "resnet18.ppm").string());
  } else {
    arguments.insert(arguments.end(),
                     {"--input", (script_files() / "resnet18-input.npy").string(), "--output", "/dev/null"});
  }
  const auto result = run_program(arguments);
  CAPTURE(result.errors);
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors, Catch::StartsWith("yolodctl: " + file + ": LibTorch crashed on it"));
  CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
}

TEST_CASE("TorchScript: a file that never finishes is given up after load_timeout", "[e2e][torch]") {
  if (cannot_run()) return;
  const TemporaryDirectory folder;
  const auto config =
      folder.write("system.yaml", server_config(script_model("endless", "classify", "    load_timeout: 3s\n")));
  const auto result =
      run_program({"yolodctl", "predict", "--config", config.string(), (script_files() / "resnet18.ppm").string()});
  CAPTURE(result.errors);
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors, Catch::Contains("endless.pt: not loaded within 3000 ms"));
  CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
}

TEST_CASE("Yolodctl: --json is JSON whatever a model prints and whatever the names of files are", "[e2e][torch]") {
  if (cannot_run()) return;
  const auto cases = fault_cases();
  if (!cases) {
    WARN("SKIPPED: no fault cases");
    return;
  }
  const TemporaryDirectory folder;
  const auto model = std::filesystem::copy_file(*cases / "ts_prints.pt", folder.path() / "caf\xE9.pt");
  REQUIRE(model);
  const auto picture = folder.write("caf\xE9.ppm", "P6 32 32 255\n" + std::string(3 * 32 * 32, 'x')).string();
  const auto absent = (folder.path() / "\xFF\xC3.ppm").string();
  const std::vector<std::string> network{"--torchscript", (folder.path() / "caf\xE9.pt").string(), "--json"};
  const auto run = [&](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.begin(), "yolodctl");
    arguments.insert(arguments.end(), network.begin(), network.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(std::move(arguments));
  };

  const auto predicted = run({"predict"}, {picture, absent});
  CAPTURE(predicted.output, predicted.errors);
  CHECK(predicted.exit == exited(1));  // a picture is missing
  CHECK_THAT(predicted.errors, Catch::Contains("hello from the model"));
  const auto end = predicted.output.find('\n');
  REQUIRE(end != std::string::npos);
  const auto answer = boost::json::parse(predicted.output.substr(0, end));
  CHECK(answer.at("success") == true);
  CHECK(answer.at("file").as_string() == (folder.path() / "caf\\xe9.ppm").string());
  const auto failed = boost::json::parse(predicted.output.substr(end + 1));
  CHECK(failed.at("success") == false);
  CHECK(failed.at("file").as_string() == (folder.path() / "\\xff\\xc3.ppm").string());

  const std::vector<std::string> brief{"--rounds", "1", "--seconds", "0.05"};
  for (const auto& [command, more] :
       {std::pair{std::vector<std::string>{"info"}, std::vector<std::string>{}}, {{"bench", "model"}, brief}}) {
    const auto result = run(command, more);
    CAPTURE(result.output, result.errors);
    CHECK(result.exit == exited(0));
    CHECK(boost::json::parse(result.output).is_object());
  }
}

}  // namespace yolod::tests
