// Compares the output of TorchScript files with Python's output, and checks the answers that yolod makes from it.
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/domain/task.hpp"
#include "model/files/npz.hpp"
#include "model/image/codec/decode.hpp"
#include "model/image/resize.hpp"
#include "model/load/load_model.hpp"
#include "model/load/load_network.hpp"
#include "model/load/load_script.hpp"
#include "model/model.hpp"
#include "model/tasks/tensor_model.hpp"
#include "model/torchscript/tensor_network.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/support/torchscript_files.hpp"
#include "tests/unit/model/raw_head.hpp"

using namespace yolod;
using common::ErrorCode;
using common::Task;

namespace {

const std::filesystem::path& small_files() {
  static const auto folder = tests::torchscript_files({"tiny_logits",
                                                       "tiny_probabilities",
                                                       "tiny_fixed_batch",
                                                       "mixed",
                                                       "half",
                                                       "yolov5",
                                                       "yolov8",
                                                       "end_to_end",
                                                       "fractions",
                                                       "bare",
                                                       "any_size_yolov5",
                                                       "any_size_yolov8",
                                                       "any_size_fractions",
                                                       "segmenter",
                                                       "future",
                                                       "cuda",
                                                       "latin1",
                                                       "long_label",
                                                       "nms",
                                                       "generator",
                                                       "doubler",
                                                       "pair",
                                                       "tuple_input",
                                                       "number_input",
                                                       "resnet18"});
  return folder;
}

bool skipped() {
  const auto reason = tests::reason_to_skip_torchscript();
  if (!reason.empty()) WARN("SKIPPED: " << reason);
  return !reason.empty();
}

common::ModelConfig script_config(const std::filesystem::path& file, Task task) {
  common::ModelConfig config;
  config.name = "script";
  config.task = task;
  config.source = common::TorchScriptSource{file, "", {}, {}};
  config.batch.max_size = 3;
  return config;
}

std::unique_ptr<model::Model> load(const common::ModelConfig& config) {
  auto loaded = model::load_model(config, {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto warm = (*loaded)->warm_up(std::array<std::size_t, 2>{1, config.batch.max_size});
  INFO((warm ? std::string() : warm.error().message));
  REQUIRE(warm.ok());
  return std::move(loaded).value();
}

std::string refusal(const common::ModelConfig& config) {
  const auto loaded = model::load_model(config, {});
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kBadModel);
  CHECK(loaded.error().message.find('\n') == std::string::npos);
  return loaded.error().message;
}

std::vector<model::Output> run_all(model::Model& model, const std::vector<std::string>& bodies) {
  std::vector<model::Input> inputs;
  for (const auto& body : bodies) inputs.push_back({std::as_bytes(std::span(body)), {}});
  return model.run(inputs);
}

template <typename T>
T only_answer(model::Model& model, const std::string& body) {
  auto output = run_all(model, {body}).front();
  INFO((output.prediction ? std::string() : output.prediction.error().message));
  REQUIRE(output.prediction);
  REQUIRE(std::holds_alternative<T>(*output.prediction));
  return std::get<T>(*output.prediction);
}

// Compares two files of arrays.
void check_alike(const std::string& actual, const std::string& expected) {
  const auto arrays_of = [](const std::string& bytes) {
    std::vector<model::TensorArray> arrays;
    if (!model::is_npz(bytes)) return std::vector{*model::parse_npy_tensor(bytes)};
    const auto tensors = model::parse_npz(bytes);
    REQUIRE(tensors);
    for (const auto& tensor : *tensors) arrays.push_back(tensor.array);
    return arrays;
  };
  const auto a = arrays_of(actual);
  const auto b = arrays_of(expected);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].type == b[i].type);
    CHECK(a[i].shape == b[i].shape);
    REQUIRE(a[i].bytes.size() == b[i].bytes.size());
    if (a[i].type != model::ElementType::kFloat32) {
      CHECK(a[i].bytes == b[i].bytes);
      continue;
    }
    const auto* x = reinterpret_cast<const float*>(a[i].bytes.data());
    const auto* y = reinterpret_cast<const float*>(b[i].bytes.data());
    float worst = 0;
    for (std::size_t k = 0; k < a[i].bytes.size() / sizeof(float); ++k) worst = std::max(worst, std::abs(x[k] - y[k]));
    CHECK(worst < 1e-4F);
  }
}

std::string file_text(const common::EncodedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

std::string read_either(const std::filesystem::path& stem) {
  const auto npz = stem.string() + ".npz";
  return tests::read_file(std::filesystem::exists(npz) ? npz : stem.string() + ".npy");
}

// Returns a picture of 32 x 32 pixels. It is black, except for the listed cells of 8 x 8 pixels.
std::string cells(const std::vector<std::pair<int, int>>& red, bool green) {
  std::string bytes = "P6 32 32 255\n";
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool lit = std::find(red.begin(), red.end(), std::pair(x / 8, y / 8)) != red.end();
      bytes += lit ? '\xFF' : '\0';
      bytes += lit && green ? '\xFF' : '\0';
      bytes += '\0';
    }
  }
  return bytes;
}

void check_cell(const common::Detection& detection, int x, int y, std::uint32_t class_id) {
  CHECK(detection.class_id == class_id);
  CHECK(detection.confidence == Approx(1));
  CHECK(detection.box.x_min == Approx(8 * x));
  CHECK(detection.box.y_min == Approx(8 * y));
  CHECK(detection.box.x_max == Approx(8 * x + 8));
  CHECK(detection.box.y_max == Approx(8 * y + 8));
}

}  // namespace

TEST_CASE("TorchScript: as tensors, every module gives Python's output", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const std::string name =
      GENERATE("tiny_logits", "tiny_probabilities", "tiny_fixed_batch", "mixed", "half", "yolov5", "yolov8",
               "end_to_end", "fractions", "cuda", "generator", "doubler", "pair", "tuple_input", "resnet18");
  CAPTURE(name);
  const auto model = load(script_config(small_files() / (name + ".pt"), Task::kTensor));
  const auto answer = only_answer<common::EncodedFile>(*model, read_either(small_files() / (name + "-input")));
  check_alike(file_text(answer), read_either(small_files() / (name + "-output")));
}

TEST_CASE("TorchScript: a list of tensors holds the arrays of the file", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto model = load(script_config(small_files() / "pair.pt", Task::kTensor));
  const auto body = read_either(small_files() / "pair-input");
  model::Input input{std::as_bytes(std::span(body))};
  input.options.tensors = true;
  const auto output = std::move(model->run({&input, 1}).front());
  REQUIRE(output.prediction);
  const auto& list = std::get<common::TensorList>(*output.prediction);
  REQUIRE(list.tensors.size() == 3);
  const auto file = only_answer<common::EncodedFile>(*model, body);
  CHECK(model::parse_npz(file_text(file)).value() == list.tensors);
}

TEST_CASE("TorchScript: ResNet-50 and, in a long run, VGG-16 give Python's output", "[model][unit][torch][skips]") {
  if (skipped()) return;
  std::vector<std::string> names{"resnet50"};
  if (tests::is_long_run()) names.emplace_back("vgg16");  // its file has 550 MB
  const std::string name = GENERATE_COPY(from_range(names));
  CAPTURE(name);
  const tests::TemporaryDirectory folder;
  tests::make_torchscript(folder.path(), name);
  {
    const auto model = load(script_config(folder.path() / (name + ".pt"), Task::kTensor));
    const auto answer = only_answer<common::EncodedFile>(*model, read_either(folder.path() / (name + "-input")));
    check_alike(file_text(answer), read_either(folder.path() / (name + "-output")));
  }
  auto config = script_config(folder.path() / (name + ".pt"), Task::kClassify);
  config.preprocess.mean = {0.485, 0.456, 0.406};
  config.preprocess.std = {0.229, 0.224, 0.225};
  config.batch.max_size = 1;
  const auto model = load(config);
  CHECK(model->description().input_width == 224);
  const auto answer =
      only_answer<common::ClassificationList>(*model, tests::read_file(folder.path() / (name + ".ppm")));
  const auto expected = model::parse_npy(tests::read_file(folder.path() / (name + "-answer.npy")));
  REQUIRE(expected);
  auto logits = expected->values;
  for (const auto& classification : answer.classifications) {
    const auto best = std::max_element(logits.begin(), logits.end());
    CHECK(classification.class_id == best - logits.begin());
    *best = -1e30F;
  }
  CHECK(answer.classifications.size() == 5);
}

TEST_CASE("TorchScript: the given trace gives Python's output and finds the dog", "[model][unit][torch][skips]") {
  if (const auto reason = tests::reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = *tests::test_data();
  const auto file = folder / "torchscript" / "yolo-fastest-1.1.torchscript";
  {
    const auto model = load(script_config(file, Task::kTensor));
    auto input = model::parse_npy_tensor(tests::read_file(folder / "darknet" / "yolo-fastest-1.1" / "input.npy"));
    REQUIRE(input);
    input->shape.insert(input->shape.begin(), 1);
    const auto answer = only_answer<common::EncodedFile>(*model, model::to_npy(*input));
    check_alike(file_text(answer),
                tests::read_file(folder / "torchscript" / "yolo-fastest-1.1.torchscript-output.npy"));
  }
  auto config = script_config(file, Task::kDetect);
  config.source = common::TorchScriptSource{file, folder / "darknet" / "yolo-fastest-1.1" / "coco.names", {}, {}};
  const auto model = load(config);
  CHECK(model->description().input_width == 320);  // the config has no size, and the trace accepts only this size
  const auto list = only_answer<common::DetectionList>(*model, tests::read_file(folder / "photos" / "dog.jpg"));
  CHECK(std::any_of(list.detections.begin(), list.detections.end(), [&](const auto& detection) {
    return model->description().labels[detection.class_id] == "dog" && detection.box.x_min > 80 &&
           detection.box.x_max < 450 && detection.box.y_max > 450;
  }));
}

#if defined(YOLOD_WITH_ONEDNN)
TEST_CASE("TorchScript: nested modules are also frozen and fused", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto [name, task] =
      GENERATE(table<std::string, Task>({{"resnet18", Task::kClassify}, {"generator", Task::kImage}}));
  CAPTURE(name);
  const auto report = model::torchscript::inspect_script(script_config(small_files() / (name + ".pt"), task), {});
  REQUIRE(report);
  CHECK(report->form == model::torchscript::ScriptForm::kFused);
}
#endif

TEST_CASE("TorchScript: a detector of each layout finds the same boxes", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const std::string name = GENERATE("yolov5", "yolov8", "end_to_end", "fractions", "bare", "cuda");
  CAPTURE(name);
  auto config = script_config(small_files() / (name + ".pt"), Task::kDetect);
  const bool says_all = name != "fractions" && name != "bare";
  if (!says_all) config.input_size = common::InputSize{32, 32};
  const auto model = load(config);
  CHECK(model->description().input_width == 32);
  CHECK(model->description().precision == "fp32");
  CHECK(model->description().labels ==
        (says_all ? std::vector<std::string>{"stop", "go"} : std::vector<std::string>{"0", "1"}));
  const auto outputs = run_all(*model, {cells({{1, 2}}, false), cells({}, false), cells({{3, 0}}, true)});
  const auto list_of = [&](std::size_t i) {
    REQUIRE(outputs[i].prediction);
    return std::get<common::DetectionList>(*outputs[i].prediction);
  };
  REQUIRE(list_of(0).detections.size() == 1);
  check_cell(list_of(0).detections[0], 1, 2, 0);
  CHECK(list_of(1).detections.empty());
  REQUIRE(list_of(2).detections.size() == 1);
  check_cell(list_of(2).detections[0], 3, 0, 1);
}

TEST_CASE("TorchScript: a picture of another shape is letterboxed, and its boxes are in its own pixels",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto model = load(script_config(small_files() / "yolov8.pt", Task::kDetect));
  // The picture has 64 x 32 pixels. Its right quarter is red.
  std::string picture = "P6 64 32 255\n";
  for (int i = 0; i < 64 * 32; ++i) picture += i % 64 >= 48 ? std::string("\xFF\0\0", 3) : std::string(3, '\0');
  const auto list = only_answer<common::DetectionList>(*model, picture);
  CHECK(list.image_width == 64);
  REQUIRE_FALSE(list.detections.empty());
  for (const auto& detection : list.detections) {
    CHECK(detection.box.x_min >= 47);
    CHECK(detection.box.x_max <= 64);
    CHECK(detection.box.y_max - detection.box.y_min == Approx(16));
  }
}

// In an input of 32 x 32 the picture of 100 x 68 takes 22 rows from row 5. Truncation would give 21 rows, and a box
// of 8 rows in the input would be a row taller in the picture.
TEST_CASE("TorchScript: a letterbox is rounded as in Ultralytics, and boxes are mapped back to the picture",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto model = load(script_config(small_files() / "yolov8.pt", Task::kDetect));
  std::string picture = "P6 100 68 255\n";
  for (int i = 0; i < 100 * 68; ++i) picture += i % 100 >= 75 ? std::string("\xFF\0\0", 3) : std::string(3, '\0');
  const auto list = only_answer<common::DetectionList>(*model, picture);
  std::vector<common::Box> whole_cells;
  for (const auto& detection : list.detections) {
    if (detection.box.y_min > 0 && detection.box.y_max < 68) whole_cells.push_back(detection.box);
  }
  std::sort(whole_cells.begin(), whole_cells.end(), [](const auto& a, const auto& b) { return a.y_min < b.y_min; });
  REQUIRE(whole_cells.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(whole_cells[i].x_min == Approx(75));
    CHECK(whole_cells[i].y_min == Approx((8 * (static_cast<double>(i) + 1) - 5) * 68 / 22));
    CHECK(whole_cells[i].y_max == Approx((8 * (static_cast<double>(i) + 2) - 5) * 68 / 22));
  }
}

TEST_CASE("TorchScript: logits get a softmax, probabilities do not", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const std::string red = [] {
    std::string bytes = "P6 32 32 255\n";
    for (int i = 0; i < 32 * 32; ++i) bytes += std::string("\xFF\0\0", 3);
    return bytes;
  }();
  const double sum = std::exp(4.0) + 2 + std::exp(0.0);
  for (const std::string name : {"tiny_logits", "tiny_probabilities", "tiny_fixed_batch"}) {
    CAPTURE(name);
    auto config = script_config(small_files() / (name + ".pt"), Task::kClassify);
    config.classify.top_k = 2;
    if (name != "tiny_probabilities") config.input_size = common::InputSize{32, 32};
    const auto model = load(config);
    CHECK(model->description().labels[0] == (name == "tiny_probabilities" ? "red" : "0"));
    const auto outputs = run_all(*model, {red, red, "not a picture", red});
    for (const std::size_t i : {0U, 1U, 3U}) {
      REQUIRE(outputs[i].prediction);
      const auto& list = std::get<common::ClassificationList>(*outputs[i].prediction).classifications;
      REQUIRE(list.size() == 2);
      CHECK(list[0].class_id == 0);
      CHECK(list[0].probability == Approx(std::exp(4.0) / sum).margin(1e-5));
    }
    CHECK_FALSE(outputs[2].prediction);
  }
}

TEST_CASE("TorchScript: a picture that a network makes equals the picture that Python makes",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  const std::string name = GENERATE("generator", "doubler");
  auto config = script_config(small_files() / (name + ".pt"), Task::kImage);
  const bool is_generator = name == "generator";
  config.input_size = is_generator ? common::InputSize{64, 64} : common::InputSize{16, 16};
  if (is_generator) {
    config.preprocess.mean = config.preprocess.std = {0.5, 0.5, 0.5};
    config.image.range = {-1, 1};
  }
  const auto model = load(config);
  const auto body = tests::read_file(small_files() / (name + ".ppm"));
  model::Input input{std::as_bytes(std::span(body))};
  input.options.png = true;
  const auto output = std::move(model->run({&input, 1}).front());
  REQUIRE(output.prediction);
  const auto& file = std::get<common::EncodedFile>(*output.prediction);
  CHECK(file.type == common::FileType::kPng);
  const tests::TemporaryDirectory folder;
  const auto png = folder.write("answer.png", file_text(file));
  // Floats may differ in their last bits, so the rounding may differ by 1.
  CHECK(tests::largest_difference(png, small_files() / (name + "-pixels.npy")) <= (is_generator ? 1 : 0));
  CHECK(only_answer<common::EncodedFile>(*model, body).type == common::FileType::kJpeg);
}

TEST_CASE("TorchScript: the answer to a letterboxed picture has no border", "[model][unit][torch][skips]") {
  if (skipped()) return;
  auto config = script_config(small_files() / "doubler.pt", Task::kImage);
  config.input_size = common::InputSize{16, 16};
  const auto model = load(config);
  std::string picture = "P6 32 16 255\n" + std::string(3 * 32 * 16, '\0');
  model::Input input{std::as_bytes(std::span(picture))};
  input.options.png = true;
  const auto output = std::move(model->run({&input, 1}).front());
  REQUIRE(output.prediction);
  const tests::TemporaryDirectory folder;
  const auto png = folder.write("a.png", file_text(std::get<common::EncodedFile>(*output.prediction)));
  const auto white = folder.write("b.ppm", "P6 32 16 255\n" + std::string(3 * 32 * 16, '\xFF'));
  CHECK(tests::largest_difference(png, white) == 0);
}

TEST_CASE("TorchScript: a classifier's picture is resized as in Pillow", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto folder = tests::torchscript_files({"pillow"});
  const auto body = tests::read_file(folder / "pillow.ppm");
  const auto picture = model::image::decode(std::as_bytes(std::span(body)), {});
  REQUIRE(picture);
  const auto size = GENERATE(model::image::Size{40, 25}, model::image::Size{224, 150});
  const auto expected = model::parse_npy(tests::read_file(folder / ("pillow-" + std::to_string(size.width) + ".npy")));
  REQUIRE(expected);
  std::vector<float> input(expected->values.size());
  model::image::resize_into(picture->view(), {0, 0, size.width, size.height}, size, {},
                            model::image::Sampling::kAveraged, input);
  float worst = 0;
  for (std::size_t i = 0; i < input.size(); ++i) worst = std::max(worst, std::abs(input[i] - expected->values[i]));
  CHECK(worst < 1.1F / 255);  // Pillow rounds to bytes after each of its two passes
}

TEST_CASE("TorchScript: the output in bf16 is near the output in fp32", "[model][unit][torch][skips]") {
  if (skipped()) return;
  auto config = script_config(small_files() / "tiny_logits.pt", Task::kClassify);
  config.input_size = common::InputSize{32, 32};
  config.precision = common::Precision::kBf16;
  const auto model = load(config);
  CHECK(model->description().precision == "bf16");
  const auto list = only_answer<common::ClassificationList>(*model, cells({}, false)).classifications;
  CHECK(list[0].class_id == 3);
  CHECK(list[0].probability == Approx(std::exp(1.0) / (3 + std::exp(1.0))).margin(0.01));
}

TEST_CASE("TorchScript: arrays that do not fit the inputs are a bad request", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto model = load(script_config(small_files() / "pair.pt", Task::kTensor));
  const auto array = model::to_npy({model::ElementType::kFloat32, {2, 2}, std::vector<std::byte>(16)});
  const auto wrong_shapes = model::to_npz(
      std::vector<model::NamedTensor>{{"values", {model::ElementType::kFloat32, {2, 2}, std::vector<std::byte>(16)}},
                                      {"index", {model::ElementType::kInt64, {2}, std::vector<std::byte>(16)}}});
  for (const auto& body : {std::string("x"), array, wrong_shapes}) {
    const auto output = run_all(*model, {body}).front();
    REQUIRE_FALSE(output.prediction);
    CHECK(output.prediction.error().code == ErrorCode::kBadRequest);
  }
  CHECK(run_all(*model, {read_either(small_files() / "pair-input")}).front().prediction);
}

TEST_CASE("TorchScript: the error for a file that cannot be served is a single clear line",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto check = [&](const std::string& name, Task task, const std::string& why) {
    CAPTURE(name);
    const auto message = refusal(script_config(small_files() / name, task));
    CHECK_THAT(message, Catch::Contains(why));
    CHECK_THAT(message, Catch::Contains(name));
  };
  check("future.pt", Task::kDetect, "version");
  check("nms.pt", Task::kDetect, "torchvision::nms");
  check("nms.pt", Task::kTensor, "torchvision::nms");
  check("segmenter.pt", Task::kDetect, "segment");
  check("number_input.pt", Task::kTensor, "exponent: int");
  check("none.pt", Task::kDetect, "no such file");
  check("resnet18.ppm", Task::kDetect, "a picture, not a network");
  check("yolov8.pt", Task::kClassify, "task: classify");
  check("tiny_probabilities.pt", Task::kDetect, "task: detect");
  check("resnet18.pt", Task::kDetect, "[n, 1000]");
  check("doubler.pt", Task::kClassify, "not the output of a classifier");
}

TEST_CASE("TorchScript: a file of another kind is refused before LibTorch reads it", "[model][unit][torch][skips]") {
  const auto cases = tests::fault_cases();
  if (!cases) {
    WARN("SKIPPED: no fault cases");
    return;
  }
  for (const auto task : {Task::kDetect, Task::kTensor}) {
    CHECK_THAT(refusal(script_config(*cases / "ts_state_dict.pt", task)),
               Catch::EndsWith("ts_state_dict.pt: a PyTorch checkpoint, which holds weights without a network: load "
                               "them in Python and save the network with torch.jit.trace, or name the file as weights "
                               "with a Darknet cfg"));
    CHECK_THAT(refusal(script_config(*cases / "ts_model-onnx.pt", task)),
               Catch::EndsWith("ts_model-onnx.pt: an ONNX network: export the network as TorchScript"));
  }
}

TEST_CASE("TorchScript: a network whose output is not finite is refused with this reason",
          "[model][unit][torch][skips]") {
  const auto cases = tests::fault_cases();
  if (!cases) {
    WARN("SKIPPED: no fault cases");
    return;
  }
  auto config = script_config(*cases / "ts_nan.pt", Task::kDetect);
  const std::string reason = "script: " + (*cases / "ts_nan.pt").string() +
                             ": its output is not finite: its weights are damaged, or not for this precision";
  CHECK(refusal(config) == reason);
  for (const auto task : {Task::kDetect, Task::kClassify, Task::kImage}) {
    config.task = task;
    config.input_size = common::InputSize{64, 64};
    CHECK(refusal(config) == reason);
  }
}

TEST_CASE("TorchScript: labels that are not UTF-8 get U+FFFD, and labels that are too long are refused",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto labels = load(script_config(small_files() / "latin1.pt", Task::kDetect))->description().labels;
  CHECK(labels == std::vector<std::string>{"caf\xEF\xBF\xBD", "go"});
  CHECK_THAT(
      refusal(script_config(small_files() / "long_label.pt", Task::kDetect)),
      Catch::EndsWith("long_label.pt: config.txt in the file: the name of class 1 has 300 bytes, at most 256 are "
                      "allowed: give its names in a file"));
}

TEST_CASE("TorchScript: a size that a trace does not accept and names that do not fit are refused",
          "[model][unit][torch][skips]") {
  if (skipped()) return;
  auto config = script_config(small_files() / "yolov8.pt", Task::kDetect);
  config.input_size = common::InputSize{4, 4};
  CHECK_THAT(refusal(config), Catch::Contains("4 x 4"));
  const tests::TemporaryDirectory folder;
  const auto names = folder.write("a.names", "a\nb\nc\n");
  config.input_size.reset();
  config.source = common::TorchScriptSource{small_files() / "yolov8.pt", names, {}, {}};
  CHECK_THAT(refusal(config), Catch::Contains("3 names"));
}

TEST_CASE("TorchScript: with augmentation the candidates equal Python's", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const std::string name = GENERATE("any_size_yolov5", "any_size_yolov8", "any_size_fractions");
  CAPTURE(name);
  auto config = script_config(small_files() / (name + ".pt"), Task::kDetect);
  config.input_size = common::InputSize{160, 224};
  config.detect.augment = true;
  const auto loaded = model::load_network(config, {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto actual = tests::run_on_file(*loaded->network, small_files() / (name + "-input.npy"));
  CHECK(tests::distance(actual, tests::values_in(small_files() / (name + "-augmented.npy"))) < 1);
  CHECK(load(config)->description().input_width == 224);
}

TEST_CASE("TorchScript: augmentation is refused where the boxes would be wrong", "[model][unit][torch][skips]") {
  if (skipped()) return;
  const auto refused = [](const std::string& name) {
    auto config = script_config(small_files() / (name + ".pt"), Task::kDetect);
    config.input_size = common::InputSize{32, 32};
    config.detect.augment = true;
    return refusal(config);
  };
  // At any size these traces number their cells as at 32 x 32. In pixels the boxes then cover too little of the
  // picture, in fractions too much.
  CHECK_THAT(refused("yolov5"),
             Catch::Contains("detect.augment also runs the network at 64 x 64: the boxes are wrong at that size"));
  CHECK_THAT(refused("yolov8"), Catch::Contains("the boxes are wrong at that size"));
  CHECK_THAT(refused("fractions"), Catch::Contains("the boxes are wrong at that size"));
  CHECK_THAT(refused("end_to_end"), Catch::Contains("cannot be merged"));
  auto classifier = script_config(small_files() / "tiny_probabilities.pt", Task::kClassify);
  classifier.detect.augment = true;
  CHECK_THAT(refusal(classifier), Catch::Contains("only a detector"));
}

TEST_CASE("TorchScript: the given trace accepts only one size, so augmentation is refused",
          "[model][unit][torch][skips]") {
  if (const auto reason = tests::reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto folder = *tests::test_data();
  const auto file = folder / "torchscript" / "yolo-fastest-1.1.torchscript";
  auto config = script_config(file, Task::kDetect);
  config.source = common::TorchScriptSource{file, folder / "darknet" / "yolo-fastest-1.1" / "coco.names", {}, {}};
  config.detect.augment = true;
  CHECK_THAT(refusal(config),
             Catch::Contains("detect.augment also runs the network at 256 x 256: the boxes are wrong at that size"));
}

TEST_CASE("TorchScript: an output that the config declares as FP16 is converted, and others are not",
          "[model][unit][torch][skips]") {
  common::TensorArray floats{common::ElementType::kFloat32, {3}, {}};
  const std::vector<float> values{1, -0.5F, 65536};
  const auto raw = std::as_bytes(std::span(values));
  floats.bytes.assign(raw.begin(), raw.end());
  REQUIRE(model::torchscript::narrow(floats));
  CHECK(floats.type == common::ElementType::kFloat16);
  std::vector<std::uint16_t> halves(3);
  REQUIRE(floats.bytes.size() == 6);
  std::memcpy(halves.data(), floats.bytes.data(), floats.bytes.size());
  CHECK(halves == std::vector<std::uint16_t>{0x3C00, 0xB800, 0x7C00});
  common::TensorArray none{common::ElementType::kFloat32, {0}, {}};
  REQUIRE(model::torchscript::narrow(none));
  CHECK(none.type == common::ElementType::kFloat16);
  common::TensorArray wide{common::ElementType::kFloat64, {1}, std::vector<std::byte>(8)};
  REQUIRE(model::torchscript::narrow(wide));
  CHECK(wide.type == common::ElementType::kFloat64);
  if (skipped()) return;
  auto config = script_config(small_files() / "pair.pt", Task::kTensor);
  config.outputs = {{"arr_0", common::oip::DataType::kFp16, {-1, -1}, {}}};
  const auto model = load(config);
  const auto body = read_either(small_files() / "pair-input");
  model::Input input{std::as_bytes(std::span(body))};
  input.options.tensors = true;
  const auto outputs = model->run({&input, 1});
  REQUIRE(outputs.front().prediction);
  const auto& tensors = std::get<common::TensorList>(*outputs.front().prediction).tensors;
  CHECK(tensors[0].array.type == common::ElementType::kFloat16);
  CHECK(tensors[1].array.type == common::ElementType::kInt64);
}
