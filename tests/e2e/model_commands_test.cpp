// These tests run yolodctl's offline commands that measure and export (eval, export, bench model), and
// tools/export_onnx.py.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

const std::string kPython = "/usr/bin/python3";

// Returns the options that name a network of the test data. With empty `labels` they name its own labels.
std::vector<std::string> network_options(const std::filesystem::path& data, const std::string& name,
                                         const std::filesystem::path& labels = {}) {
  const auto folder = data / "darknet" / name;
  const auto description = read_json(folder / "model.json");
  const auto file = [&](const char* key) { return (folder / description.at(key).as_string().c_str()).string(); };
  return {"--cfg",         file("cfg"), "--weights",
          file("weights"), "--names",   labels.empty() ? file("names") : labels.string()};
}

ProgramResult run_yolodctl(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.begin(), "yolodctl");
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(std::move(arguments));
}

double ap50_on_coco(const std::filesystem::path& data, const std::string& name, const std::string& metric,
                    const std::string& precision) {
  auto options = network_options(data, name, data / "coco" / "coco.names");
  options.insert(options.end(), {"--images", data / "coco" / "images", "--labels", data / "coco" / "labels", "--metric",
                                 metric, "--precision", precision, "--json"});
  const auto result = run_yolodctl({"eval"}, options);
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("images") == 64);
  CHECK(value.at("classes").as_array().size() == 80);
  return value.at("ap50").as_double();
}

std::string support_script(const char* name) { return (source_directory() / "tests" / "support" / name).string(); }

void check_same(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto compared = run_program({kPython, support_script("exported_model.py"), "difference", a, b});
  CAPTURE(compared.errors);
  REQUIRE(compared.exit == exited(0));
  CHECK(std::stod(compared.output) < 1e-4);
}

// Compares two outputs of `predict --json`, which have a line for each picture: the labels must be equal, boxes and
// confidences equal except for rounding. Returns the number of detections.
std::size_t check_same_detections(const ProgramResult& expected, const ProgramResult& actual) {
  CAPTURE(expected.errors, actual.errors);
  REQUIRE(expected.exit == exited(0));
  REQUIRE(actual.exit == exited(0));
  std::istringstream expected_lines(expected.output);
  std::istringstream actual_lines(actual.output);
  std::string expected_line;
  std::string actual_line;
  std::size_t count = 0;
  while (std::getline(expected_lines, expected_line)) {
    REQUIRE(std::getline(actual_lines, actual_line));
    const auto wanted = boost::json::parse(expected_line).at("predictions").as_array();
    const auto given = boost::json::parse(actual_line).at("predictions").as_array();
    REQUIRE(given.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CHECK(given[i].at("label") == wanted[i].at("label"));
      CHECK(given[i].at("confidence").to_number<double>() ==
            Approx(wanted[i].at("confidence").to_number<double>()).margin(1e-3));
      // The output has boxes in hundredths of a pixel.
      for (const auto* side : {"x_min", "y_min", "x_max", "y_max"}) {
        CHECK(given[i].at("box").at(side).to_number<double>() ==
              Approx(wanted[i].at("box").at(side).to_number<double>()).margin(0.011));
      }
    }
    count += wanted.size();
  }
  CHECK_FALSE(std::getline(actual_lines, actual_line));
  return count;
}

}  // namespace

// `detector map` of AlexeyAB/darknet prints these values for these networks and photos.
TEST_CASE("Yolodctl eval: the mAP is Darknet's own", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto data = *test_data();
  const std::vector<std::pair<std::string, double>> known{{"yolo-fastest-1.1", 0.2764},
                                                          {"mobilenetv2-yolov3-nano-coco", 0.2974}};
  for (const auto& [name, map] : known) {
    CAPTURE(name);
    CHECK(ap50_on_coco(data, name, "darknet", "fp32") == Approx(map).margin(0.003));
  }
}

TEST_CASE("Yolodctl eval: bf16 costs no more than 0.3 points", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  if (!processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  for (const std::string name : {"yolo-fastest-1.1", "mobilenetv2-yolov3-nano-coco"}) {
    CAPTURE(name);
    const auto exact = ap50_on_coco(*test_data(), name, "darknet", "fp32");
    CHECK(ap50_on_coco(*test_data(), name, "darknet", "bf16") == Approx(exact).margin(0.003));
  }
}

TEST_CASE("Yolodctl eval: COCO's metric gives a higher AP than Darknet's", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  // Only classes with objects count: 57 of 80.
  const auto data = *test_data();
  const auto darknet = ap50_on_coco(data, "yolo-fastest-1.1", "darknet", "fp32");
  CHECK(ap50_on_coco(data, "yolo-fastest-1.1", "coco", "fp32") > darknet);
}

TEST_CASE("Yolodctl eval: data that cannot be measured is one clear line", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto options = network_options(*test_data(), "yoloface-50k");
  const TemporaryDirectory folder;
  const TemporaryDirectory labels;
  const auto eval = [&] {
    return run_yolodctl({"eval", "--images", folder.path(), "--labels", labels.path()}, options);
  };
  CHECK(eval().exit == exited(2));
  CHECK_THAT(eval().errors, Catch::Contains("no picture in"));

  const auto photo = folder.path() / "dog.jpg";
  std::filesystem::copy_file(*test_data() / "photos" / "dog.jpg", photo);
  CHECK_THAT(eval().errors, Catch::Contains("no label file for any picture"));
  (void)labels.write("dog.txt", "1 0.5 0.5 0.1 0.1\n");
  CHECK_THAT(eval().errors, Catch::Contains("dog.txt:1: class 1: there are 1, counted from 0"));
  (void)labels.write("dog.txt", "0 0.5 0.5 0.1 0.1\n");
  CHECK(eval().exit == exited(0));
  (void)folder.write("cat.png", "no picture at all");
  const auto broken = eval();
  CHECK(broken.exit == exited(1));
  CHECK_THAT(broken.errors, Catch::Contains("cat.png: "));
}

TEST_CASE("Yolodctl bench model: the time and the rate agree", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto result =
      run_yolodctl({"bench", "model", "--batch", "2", "--threads", "1", "--rounds", "3", "--seconds", "0.05", "--json"},
                   network_options(*test_data(), "yoloface-50k"));
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  const auto ms = value.at("ms").to_number<double>();
  CHECK(ms > 0);
  CHECK(value.at("ms_least").to_number<double>() <= ms);
  CHECK(value.at("ms_most").to_number<double>() >= ms);
  CHECK(value.at("images_per_s").to_number<double>() == Approx(2000 / ms));
  CHECK(value.at("passes").to_number<int>() >= 3);
  CHECK(value.at("threads") == 1);
}

TEST_CASE("Yolodctl export: plain PyTorch and ONNX Runtime compute the same", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto data = *test_data();
  const TemporaryDirectory folder;
  const auto options = network_options(data, "yolo-fastest-1.1");
  const auto input = data / "darknet" / "yolo-fastest-1.1" / "input.npy";
  const auto exported = folder.path() / "m.pt";
  const auto own = folder.path() / "own.npy";
  REQUIRE(run_yolodctl({"export", "--output", exported}, options).exit == exited(0));
  REQUIRE(run_yolodctl({"infer", "--input", input, "--output", own}, options).exit == exited(0));

  const auto in_pytorch = folder.path() / "pytorch.npy";
  const auto ran = run_program({kPython, support_script("exported_model.py"), "run", exported, input, in_pytorch});
  if (ran.exit == exited(3)) {
    WARN("SKIPPED: " << kPython << " has no PyTorch: run tools/install_packages");
    return;
  }
  CAPTURE(ran.errors);
  REQUIRE(ran.exit == exited(0));
  check_same(in_pytorch, own);
  const auto description = boost::json::parse(ran.output);
  CHECK(description.at("task") == "detect");
  CHECK(description.at("stride") == 32);
  CHECK(description.at("imgsz") == boost::json::value{320, 320});
  CHECK(description.at("names").at("16") == "dog");
  CHECK(description.at("names").as_object().size() == 80);
  CHECK(description.at("yolod").at("layout") == "yolov5");

  const auto read_back = folder.path() / "read_back.npy";
  const auto loaded = run_program({"yolodctl", "infer", "--torchscript", exported.string(), "--input", input.string(),
                                   "--output", read_back.string()});
  CAPTURE(loaded.errors);
  REQUIRE(loaded.exit == exited(0));
  check_same(read_back, own);

  const auto onnx = folder.path() / "m.onnx";
  const auto turned =
      run_program({kPython, (source_directory() / "tools" / "export_onnx.py").string(), exported, onnx});
  CAPTURE(turned.errors);
  REQUIRE(turned.exit == exited(0));
  // The ONNX file contains the metadata as plain text.
  CHECK_THAT(read_file(onnx), Catch::Contains("imgsz") && Catch::Contains("fire hydrant"));
  if (!std::filesystem::exists(source_directory() / "build" / "onnxruntime" / "node_modules")) {
    WARN("SKIPPED: ONNX Runtime is not installed: run tools/bench/install_onnxruntime");
    return;
  }
  const auto in_onnx = folder.path() / "onnx.npy";
  const auto script = (source_directory() / "tools" / "bench" / "onnxruntime.cjs").string();
  const auto by_onnx = run_program({"/usr/bin/env", "node", script, "infer", onnx, input, in_onnx});
  CAPTURE(by_onnx.errors);
  REQUIRE(by_onnx.exit == exited(0));
  check_same(in_onnx, own);
}

TEST_CASE("Yolodctl export: the file alone gives the detections of the cfg and its weights", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  // The second network has plain NMS and one class: it gives so few candidates that its output looks end-to-end.
  const auto* name = GENERATE("yolo-fastest-1.1", "yoloface-50k");
  CAPTURE(name);
  const auto options = network_options(*test_data(), name);
  const TemporaryDirectory folder;
  const auto exported = (folder.path() / "m.pt").string();
  REQUIRE(run_yolodctl({"export", "--output", exported}, options).exit == exited(0));
  const std::vector<std::string> pictures{"--json", "--confidence", "0.1", *test_data() / "photos" / "dog.jpg",
                                          *test_data() / "photos" / "person.jpg"};
  auto by_cfg = options;
  by_cfg.insert(by_cfg.end(), pictures.begin(), pictures.end());
  CHECK(check_same_detections(run_yolodctl({"predict"}, by_cfg),
                              run_yolodctl({"predict", "--torchscript", exported}, pictures)) > 5);
}

TEST_CASE("Yolodctl export: settings of a config override those in the file", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto options = network_options(*test_data(), "yolo-fastest-1.1");
  const TemporaryDirectory folder;
  const auto exported = (folder.path() / "m.pt").string();
  REQUIRE(run_yolodctl({"export", "--output", exported}, options).exit == exited(0));
  const auto predict = [&](const std::string& name, const std::string& source) {
    const auto config =
        folder.write(name, "server: {listen: ['127.0.0.1:0']}\nmodels:\n  - name: m\n    task: detect\n    " + source +
                               "\n    precision: fp32\n    resize: letterbox\n");
    return run_yolodctl({"predict", "--config", config.string()},
                        {"--json", "--confidence", "0.1", *test_data() / "photos" / "dog.jpg"});
  };
  const auto by_cfg =
      predict("cfg.yaml", "darknet: {cfg: " + options[1] + ", weights: " + options[3] + ", names: " + options[5] + "}");
  CHECK(check_same_detections(by_cfg, predict("pt.yaml", "torchscript: {file: " + exported + "}")) > 5);
  const auto stretched = run_yolodctl({"predict", "--torchscript", exported},
                                      {"--json", "--confidence", "0.1", *test_data() / "photos" / "dog.jpg"});
  CHECK(boost::json::parse(stretched.output).at("predictions") != boost::json::parse(by_cfg.output).at("predictions"));
}

TEST_CASE("Yolodctl export: a classifier's file alone gives its classes", "[e2e]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  // The output has two groups of classes, so its sum is not 1. It is still not logits.
  const TemporaryDirectory folder;
  const auto cfg = folder.write("c.cfg",
                                "[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=4\nsize=3\nactivation=linear\n"
                                "[avgpool]\n[softmax]\ngroups=2\n");
  std::string weights(20, '\0');
  weights[4] = 2;
  for (int i = 0; i < 4 + 4 * 27; ++i) {
    const float value = static_cast<float>(i % 7) / 7;
    weights.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  const auto exported = folder.path() / "c.pt";
  const std::vector<std::string> options{"--cfg",     cfg.string(),
                                         "--weights", folder.write("c.weights", weights).string(),
                                         "--names",   folder.write("c.names", "dog\ncat\nday\nnight\n").string()};
  const auto made = run_yolodctl({"export", "--output", exported}, options);
  CAPTURE(made.errors);
  REQUIRE(made.exit == exited(0));
  CHECK_THAT(made.output, Catch::Contains(R"("task":"classify")"));
  const auto classes = [](const ProgramResult& result) {
    CAPTURE(result.errors);
    REQUIRE(result.exit == exited(0));
    return boost::json::parse(result.output).at("predictions").as_array();
  };
  const auto picture = *test_data() / "photos" / "dog.jpg";
  auto by_cfg = options;
  by_cfg.insert(by_cfg.end(), {"--json", "--top-k", "4", picture});
  const auto expected = classes(run_yolodctl({"predict"}, by_cfg));
  const auto actual =
      classes(run_yolodctl({"predict"}, {"--torchscript", exported, "--json", "--top-k", "4", picture}));
  REQUIRE(expected.size() == 4);
  double sum = 0;
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(actual[i].at("label") == expected[i].at("label"));
    CHECK(actual[i].at("probability").to_number<double>() ==
          Approx(expected[i].at("probability").to_number<double>()).margin(1e-5));
    sum += actual[i].at("probability").to_number<double>();
  }
  CHECK(sum == Approx(2).margin(1e-4));
}

TEST_CASE("Yolodctl export: an output that cannot be written leaves nothing behind", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto options = network_options(*test_data(), "yoloface-50k");
  const TemporaryDirectory folder;
  const auto nowhere = run_yolodctl({"export", "--output", folder.path() / "absent" / "m.pt"}, options);
  CHECK(nowhere.exit == exited(1));
  CHECK_THAT(nowhere.errors, Catch::Contains("m.pt: "));
  // A folder has the name of the output file.
  std::filesystem::create_directory(folder.path() / "m.pt");
  CHECK(run_yolodctl({"export", "--output", folder.path() / "m.pt"}, options).exit == exited(1));
  CHECK(folder.names() == std::vector<std::string>{"m.pt"});
  const auto device = run_yolodctl({"export", "--output", "/dev/null"}, options);
  CHECK(device.exit == exited(1));
  CHECK_THAT(device.errors, Catch::Contains("/dev/null: "));
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK(run_yolodctl({"export", "--precision", "bf16", "--output", folder.path() / "n.pt"}, options).exit == exited(2));
}

TEST_CASE("Yolodctl export: a full disk is one line, and leaves nothing behind", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  for (const auto* name : {"m.pt", "m.weights"}) {
    const TemporaryDirectory folder;
    const auto file = folder.write(name, "what was there");
    // The limit of 8 blocks acts like a full disk.
    std::vector<std::string> arguments{"/bin/sh",
                                       "-c",
                                       "trap '' XFSZ; ulimit -f 8; exec \"$@\"",
                                       "sh",
                                       (binary_directory() / "yolodctl").string(),
                                       "export",
                                       "--output",
                                       file.string()};
    const auto options = network_options(*test_data(), "yoloface-50k");
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = run_program(std::move(arguments));
    CAPTURE(name, result.errors);
    CHECK(result.exit == exited(1));
    CHECK(result.errors == "yolodctl: " + file.string() + ": File too large\n");
    CHECK(read_file(file) == "what was there");
    CHECK(folder.names() == std::vector<std::string>{name});
  }
}

TEST_CASE("Yolodctl export: exported Darknet weights equal the imported weights", "[e2e][data]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const TemporaryDirectory folder;
  const auto options = network_options(*test_data(), "yolo-fastest-1.1");
  const auto exported = folder.path() / "m.weights";
  REQUIRE(run_yolodctl({"export", "--output", exported}, options).exit == exited(0));
  CHECK(read_file(exported) == read_file(options[3]));
}

// tests/support/make_checkpoints.py computes PyTorch's outputs.
TEST_CASE("Yolodctl export: a checkpoint exported as Darknet weights gives PyTorch's output", "[e2e]") {
  if (run_program({kPython, "-c", "import torch"}).exit != exited(0)) {
    WARN("SKIPPED: " << kPython << " has no PyTorch: run tools/install_packages");
    return;
  }
  const TemporaryDirectory folder;
  const auto made = run_program({kPython, support_script("make_checkpoints.py"), folder.path().string()});
  CAPTURE(made.errors);
  REQUIRE(made.exit == exited(0));
  const auto export_from = [&](const std::filesystem::path& network) {
    return run_yolodctl({"export"}, {"--cfg", network / "net.cfg", "--weights", network / "net.pt", "--output",
                                     network / "net.weights"});
  };
  for (const auto* name : {"spp", "fusion"}) {
    CAPTURE(name);
    const auto network = folder.path() / name;
    // The cfgs of that program do not name the factors of a shortcut.
    auto cfg = read_file(network / "net.cfg");
    for (std::size_t at = 0; (at = cfg.find("weights_type=1", at)) != std::string::npos;)
      cfg.replace(at, 14, "weights_type=per_feature");
    (void)folder.write(std::string(name) + "/net.cfg", cfg);
    const auto exported = export_from(network);
    CAPTURE(exported.errors);
    REQUIRE(exported.exit == exited(0));
    const auto inferred = run_yolodctl({"infer"}, {"--cfg", network / "net.cfg", "--weights", network / "net.weights",
                                                   "--input", network / "input.npy", "--output", network / "own.npy"});
    CAPTURE(inferred.errors);
    REQUIRE(inferred.exit == exited(0));
    REQUIRE(run_program({kPython, "-c", "import numpy, sys; numpy.save(sys.argv[1], numpy.load(sys.argv[1])[None])",
                         (network / "expected.npy").string()})
                .exit == exited(0));
    check_same(network / "own.npy", network / "expected.npy");
  }
  const auto refused = export_from(folder.path() / "tiny");
  CHECK(refused.exit == exited(1));
  CHECK_THAT(refused.errors, Catch::Contains("tiny/net.cfg:32: [maxpool]: no weights file can represent it"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "tiny" / "net.weights"));
}

TEST_CASE("Export to ONNX: a file that is not an exported model is one clear line", "[e2e]") {
  const TemporaryDirectory folder;
  const auto result = run_program({kPython, (source_directory() / "tools" / "export_onnx.py").string(),
                                   folder.write("m.pt", "not TorchScript"), folder.path() / "m.onnx"});
  CHECK(result.exit == exited(1));
  CHECK_THAT(result.errors, Catch::StartsWith("export_onnx: "));
  CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "m.onnx"));
}

}  // namespace yolod::tests
