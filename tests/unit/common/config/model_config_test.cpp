// Tests the keys of a model: their values, and that a worker reads the settings that the front-end wrote.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "common/domain/task.hpp"
#include "tests/unit/common/parsed_config.hpp"

namespace yolod::common {
namespace {

using std::chrono::milliseconds;

// Returns an identity model with its name, its source and `keys` in flow style.
std::string text_of(const std::string& keys) { return "models: [{name: a, identity: {}, " + keys + "}]\n"; }

ModelConfig model_of(const std::string& text) { return config_of(text).models.front(); }

// No field has its default, so that the test detects a field that is not written or not read.
ModelConfig unusual_model(ModelSource source) {
  ModelConfig model;
  model.name = "traffic-lights.v2_b";
  model.task = Task::kTensor;
  model.source = std::move(source);
  model.workers = 3;
  model.devices = {"cuda:0", "cpu"};
  model.precision = Precision::kBf16;
  model.threads = 5;
  model.input_size = InputSize{320, 640};
  model.resize = ResizeMode::kLetterbox;
  model.batch = {4, milliseconds(7), {2, 4}, milliseconds(0), 16};
  model.queue = {99, milliseconds(1234)};
  model.request_timeout = milliseconds(4321);
  model.hang_timeout = milliseconds(60'000);
  model.load_timeout = milliseconds(1001);
  model.preload = AutoBool::kTrue;
  model.reload = ReloadMode::kInPlace;
  model.recycle = {12'345, (1ULL << 30U) + 1};
  model.canary = {"/c/a \"b\".png", {"red light", "yes", "1"}};
  model.preprocess = {0.1, {0.485, 0.456, 0.406}, {0.229, -0.224, 1e-5}, ChannelOrder::kBgr, CropMode::kCenter, 0.875};
  model.detect = {0.123456789012345, 0.7, 11, true, {"a, b", "\xC3\xA9"}, AutoBool::kFalse, true, true};
  model.classify = {17};
  model.image = {{-1, 0.5}};
  model.limits = {123'457, milliseconds(1'234), 500ULL << 20U, 7777};
  model.inputs = {{"x, y", oip::DataType::kInt64, {-1, 3}}, {"z", oip::DataType::kBool, {-1}}};
  model.outputs = {{"sum", oip::DataType::kFp64, {-1}, 2}};
  model.sandbox = SandboxMode::kReport;
  return model;
}

TEST_CASE("Config: a worker reads every field that was written", "[common][unit]") {
  const std::vector<ModelSource> sources{
      DarknetSource{"/m/a.cfg", "/m/a.weights", "/m/a names"},
      TorchScriptSource{"/m/a.pt", "/m/a.names", TorchScriptLayout::kYolov8, BoxCoordinates::kFractions},
      TorchScriptSource{"relative.pt", "", TorchScriptLayout::kLogits, BoxCoordinates::kAuto},
      IdentitySource{milliseconds(5), true, milliseconds(61'000), IdentityLoadFault::kHang, "ptrace"}};
  for (const ModelSource& source : sources) {
    const ModelConfig model = unusual_model(source);
    const std::string text = emit_model(model);
    INFO(text);
    const auto outcome = parse_model(text);
    if (!outcome.ok()) FAIL(outcome.error().message);
    CHECK(outcome.value() == model);
  }
}

TEST_CASE("Config: a model with all defaults is written and read back", "[common][unit]") {
  ModelConfig model;
  model.name = "a";
  CHECK(parse_model(emit_model(model)).value() == model);
}

TEST_CASE("Config: every word of a choice is written and read back", "[common][unit]") {
  ModelConfig model;
  model.name = "a";
  const auto survives = [&model] { return parse_model(emit_model(model)).value() == model; };
  for (const auto task : {Task::kDetect, Task::kClassify, Task::kImage, Task::kTensor}) {
    model.task = task;
    CHECK(survives());
  }
  for (const auto precision : {Precision::kAuto, Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    model.precision = precision;
    CHECK(survives());
  }
  for (const auto resize : {ResizeMode::kAuto, ResizeMode::kStretch, ResizeMode::kLetterbox}) {
    model.resize = resize;
    CHECK(survives());
  }
  for (const auto value : {AutoBool::kAuto, AutoBool::kTrue, AutoBool::kFalse}) {
    model.preload = value;
    model.detect.multi_label = value;
    CHECK(survives());
  }
  for (const auto layout : {TorchScriptLayout::kAuto, TorchScriptLayout::kYolov5, TorchScriptLayout::kYolov8,
                            TorchScriptLayout::kLogits, TorchScriptLayout::kImage}) {
    model.source = TorchScriptSource{"/f", "", layout};
    CHECK(survives());
  }
  for (const auto fault : {IdentityLoadFault::kNone, IdentityLoadFault::kExit, IdentityLoadFault::kCrash,
                           IdentityLoadFault::kHang, IdentityLoadFault::kWarmUpCrash}) {
    model.source = IdentitySource{milliseconds(0), false, milliseconds(0), fault};
    CHECK(survives());
  }
}

TEST_CASE("Config: model settings that cannot be read are one error of kBadConfig", "[common][unit]") {
  for (const char* text : {"", "[", "name: a", "name: a\nidentity: {}\nworkers: 0\nthreads: x\n", "a: &a [*a]"}) {
    INFO(text);
    const auto outcome = parse_model(text);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().code == ErrorCode::kBadConfig);
    CHECK(outcome.error().message.find("model settings") == 0);
  }
}

TEST_CASE("Config: a model with every key is read", "[common][unit]") {
  const ModelConfig model = model_of(R"(
models:
  - name: traffic-lights
    task: detect
    darknet: {cfg: model/data/demo.cfg, weights: model/data/demo.weights, names: model/data/demo.names}
    workers: 2
    device: auto
    precision: auto
    threads: auto
    input_size: 416
    resize: auto
    batch: {max_size: 8, max_wait: 0ms}
    queue: {max_size: 64, timeout: 10s}
    request_timeout: 30s
    hang_timeout: 10s
    load_timeout: 120s
    preload: auto
    reload: beside
    recycle: {max_requests: 0, max_rss: 0}
    canary: {image: "", expect: []}
    preprocess: {scale: 1/255, mean: [0, 0, 0], std: [1, 1, 1], order: rgb, crop: none}
    detect: {confidence: 0.25, iou: 0.45, max_detections: 300, augment: false, classes: [], multi_label: auto}
    classify: {top_k: 5}
    limits: {max_pixels: 100MP}
default_model: traffic-lights
)");
  ModelConfig expected;
  expected.name = "traffic-lights";
  expected.source = DarknetSource{"/etc/yolod/model/data/demo.cfg", "/etc/yolod/model/data/demo.weights",
                                  "/etc/yolod/model/data/demo.names"};
  expected.workers = 2;
  expected.batch.max_size = 8;
  expected.input_size = InputSize{416, 416};
  CHECK(model == expected);
}

TEST_CASE("Config: a model has exactly one source", "[common][unit]") {
  CHECK(problem_of("models: [{name: a}]\n").find("models[0]: the model has no source, exactly one of") !=
        std::string::npos);
  CHECK(problem_of("models: [{name: a, identity: {}, torchscript: {file: f}}]\n").find("several sources") !=
        std::string::npos);
  CHECK(std::holds_alternative<IdentitySource>(model_of("models: [{name: a, identity: }]\n").source));
}

TEST_CASE("Config: the identity model takes a task and needs none", "[common][unit]") {
  CHECK(model_of(text_of("task: tensor")).task == Task::kTensor);
  CHECK(model_of(text_of("workers: 1")).task == Task::kDetect);
}

TEST_CASE("Config: a source's required files must exist and be named", "[common][unit]") {
  CHECK(problem_of("models: [{name: a, torchscript: {}}]\n").find("torchscript.file: missing") != std::string::npos);
  CHECK(problem_of("models: [{name: a, torchscript: {file: \"\"}}]\n").find("torchscript.file: empty") !=
        std::string::npos);
  const ModelConfig model = model_of("models: [{name: a, torchscript: {file: f.pt, layout: yolov5}}]\n");
  CHECK(model.source == ModelSource{TorchScriptSource{"/etc/yolod/f.pt", "", TorchScriptLayout::kYolov5}});
}

TEST_CASE("Config: a model's name has only characters that are valid in URLs and metrics", "[common][unit]") {
  for (const char* name : {"a", "yolov4-tiny", "A.b_9", "12"}) {
    INFO(name);
    CHECK(model_of("models: [{name: " + std::string(name) + ", identity: {}}]\n").name == name);
  }
  for (const std::string& name : {std::string("\"\""), std::string("a b"), std::string("a/b"), std::string("-a"),
                                  std::string(".a"), std::string("\xC3\xA9"), std::string(65, 'x')}) {
    INFO(name);
    CHECK(problem_of("models: [{name: " + name + ", identity: {}}]\n").find("models[0].name:") != std::string::npos);
  }
}

TEST_CASE("Config: device is auto, one device or a list of devices", "[common][unit]") {
  CHECK(model_of(text_of("device: auto")).devices.empty());
  CHECK(model_of(text_of("device: cpu")).devices == std::vector<std::string>{"cpu"});
  CHECK(model_of(text_of("device: [cuda:0, cuda:1]")).devices == std::vector<std::string>{"cuda:0", "cuda:1"});
  for (const char* device : {"gpu", "[]", "[auto]", "[cuda:0, gpu]", "{}", "", "cuda"}) {
    INFO(device);
    CHECK(problem_of(text_of(std::string("device: ") + device)).find("models[0].device") != std::string::npos);
  }
}

TEST_CASE("Config: input_size is one number or height and width", "[common][unit]") {
  CHECK(model_of(text_of("input_size: 8")).input_size == InputSize{8, 8});
  CHECK(model_of(text_of("input_size: 8192")).input_size == InputSize{8192, 8192});
  CHECK(model_of(text_of("input_size: [320, 640]")).input_size == InputSize{320, 640});
  for (const char* size : {"7", "8193", "auto", "[416]", "[1, 416]", "[416, 416, 3]", "[]", "-416", "\"416\""}) {
    INFO(size);
    CHECK(problem_of(text_of(std::string("input_size: ") + size)).find("models[0].input_size") != std::string::npos);
  }
}

TEST_CASE("Config: threads is auto or a number from 1", "[common][unit]") {
  CHECK(model_of(text_of("threads: auto")).threads == 0);
  CHECK(model_of(text_of("threads: 1")).threads == 1);
  CHECK(problem_of(text_of("threads: 0")).find("1 to 1024") != std::string::npos);
}

TEST_CASE("Config: preprocessing takes a fraction and three numbers for each of mean and std", "[common][unit]") {
  const PreprocessConfig preprocess =
      model_of(text_of("preprocess: {scale: 1/128, mean: [0.5, -1, 2], std: [1, 2, 3], order: bgr, crop: center}"))
          .preprocess;
  CHECK(preprocess == PreprocessConfig{1.0 / 128, {0.5, -1, 2}, {1, 2, 3}, ChannelOrder::kBgr, CropMode::kCenter, 1});
  for (const char* keys : {"scale: 0", "scale: -1", "scale: 1/0", "scale: x", "mean: 0", "mean: [0, 0]",
                           "mean: [0, 0, 0, 0]", "mean: [0, x, 0]", "std: [1, 0, 1]", "std: [1, 1, inf]", "order: gbr",
                           "crop: left", "crop_fraction: 0", "crop_fraction: 1.1"}) {
    INFO(keys);
    CHECK(problem_of(text_of(std::string("preprocess: {") + keys + "}")).find("models[0].preprocess.") !=
          std::string::npos);
  }
}

TEST_CASE("Config: thresholds, limits and counts keep their bounds", "[common][unit]") {
  for (const char* keys :
       {"workers: 1",
        "workers: 256",
        "detect: {confidence: 0, iou: 1}",
        "detect: {max_detections: 30000}",
        "classify: {top_k: 1}",
        "limits: {max_pixels: 1}",
        "limits: {max_pixels: 4000MP}",
        "limits: {max_decode_time: 10ms}",
        "limits: {max_decode_time: 10m}",
        "limits: {max_decode_memory: 16MiB}",
        "limits: {max_result_bytes: 1KiB}",
        "limits: {max_result_bytes: 1GiB}",
        "image: {range: [-1, 1]}",
        "batch: {max_size: 256, max_wait: 10s}",
        "batch: {preferred_sizes: [1, 4, 8]}",
        "batch: {preferred_sizes: []}",
        "task: tensor, inputs: [{name: x, type: FP32, shape: [-1, 3]}], outputs: [{name: y, shape: []}]",
        "task: tensor, inputs: [{name: x, shape: [-1, 3]}], batch: {max_rows: 65536}",
        "task: tensor, inputs: [{name: x, shape: [1], position: 255}], outputs: [{name: y, shape: [], position: 0}]",
        "detect: {raw: true}",
        "batch: {target_p99: 1m}",
        "queue: {max_size: 1, timeout: 0}",
        "recycle: {max_rss: 0}",
        "recycle: {max_rss: 1MiB}",
        "recycle: {max_requests: 18446744073709551615}"}) {
    INFO(keys);
    CHECK(parsed(text_of(keys)).problems.empty());
  }
  for (const char* keys : {"workers: 0",
                           "workers: 257",
                           "workers: two",
                           "detect: {confidence: 1.01}",
                           "detect: {iou: -0.1}",
                           "detect: {max_detections: 0}",
                           "detect: {augment: yes}",
                           "detect: {classes: red}",
                           "detect: {classes: [\"\"]}",
                           "detect: {classes: [[a]]}",
                           "detect: {multi_label: maybe}",
                           "classify: {top_k: 1001}",
                           "limits: {max_pixels: 0}",
                           "limits: {max_pixels: 4001MP}",
                           "limits: {max_decode_time: 9ms}",
                           "limits: {max_decode_memory: 15MiB}",
                           "limits: {max_result_bytes: 1023B}",
                           "limits: {max_result_bytes: 2GiB}",
                           "image: {range: 1}",
                           "image: {range: [0, 1, 2]}",
                           "image: {range: [0, x]}",
                           "image: {range: [1, 1]}",
                           "batch: {max_size: 0}",
                           "batch: {max_wait: 11s}",
                           "batch: {preferred_sizes: 4}",
                           "batch: {preferred_sizes: [4, 4]}",
                           "batch: {preferred_sizes: [0]}",
                           "batch: {preferred_sizes: [1, x]}",
                           "batch: {max_size: 4, preferred_sizes: [8]}",
                           "batch: {target_p99: 61s}",
                           "batch: {target_p99: 50ms, max_wait: 1ms}",
                           "queue: {max_size: 65537}",
                           "request_timeout: 0",
                           "hang_timeout: 61m",
                           "load_timeout: 10",
                           "recycle: {max_rss: 1KiB}",
                           "precision: int8",
                           "preload: 1",
                           "reload: now",
                           "resize: crop",
                           "inputs: [{name: x, shape: [1]}]",
                           "batch: {max_rows: 8}",
                           "task: tensor, batch: {max_rows: 8}",
                           "task: tensor, inputs: [{name: x, shape: [1, 3]}], batch: {max_rows: 8}",
                           "task: tensor, inputs: [{name: x, shape: []}], batch: {max_rows: 8}",
                           "task: tensor, inputs: [{name: x, shape: [-1]}], outputs: [{name: y, shape: [3]}], "
                           "batch: {max_rows: 8}",
                           "task: tensor, inputs: [{name: x, shape: [-1]}], batch: {max_rows: 65537}",
                           "task: tensor, inputs: [{name: x, shape: [1], position: 256}]",
                           "task: tensor, inputs: [{name: x, shape: [1], position: -1}]",
                           "task: tensor, inputs: [{name: x, shape: [-2]}]",
                           "task: tensor, inputs: [{shape: [1]}]",
                           "task: tensor, inputs: [{name: x}]",
                           "task: tensor, inputs: [{name: \"\", shape: [1]}]",
                           "task: tensor, outputs: [{name: x, shape: 1}]",
                           "task: tensor, outputs: [{name: x, type: BYTES, shape: [1]}]",
                           "task: tensor, outputs: [{name: x, shape: []}, {name: x, shape: []}]",
                           "task: tensor, outputs: {name: x}",
                           "task: segment"}) {
    INFO(keys);
    problem_of(text_of(keys));
  }
}

TEST_CASE("Config: a canary that expects labels needs an image", "[common][unit]") {
  CHECK(problem_of(text_of("canary: {expect: [dog]}")).find("models[0].canary:") != std::string::npos);
  const CanaryConfig canary = model_of(text_of("canary: {image: dog.jpg, expect: [dog, no]}")).canary;
  CHECK(canary == CanaryConfig{"/etc/yolod/dog.jpg", {"dog", "no"}});
}

TEST_CASE("Config: the identity model's faults are read", "[common][unit]") {
  const ModelConfig model =
      model_of("models: [{name: a, identity: {delay: 5ms, faults: true, load_delay: 1s, load_fault: crash}}]\n");
  CHECK(model.source ==
        ModelSource{IdentitySource{milliseconds(5), true, milliseconds(1000), IdentityLoadFault::kCrash}});
}

}  // namespace
}  // namespace yolod::common
