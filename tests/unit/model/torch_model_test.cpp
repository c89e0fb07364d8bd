// The detector as its callers see it, on a network small enough to be made by hand.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace yolod;
using common::ErrorCode;

namespace {

// One head of 2 x 2 cells on 4 x 4 pixels. Objectness follows the red of a cell's upper left pixel: sigmoid(20 r - 10).
// Boxes are 2 x 2 pixels in the middle of their cell; both classes score sigmoid(3).
class TinyDetector {
 public:
  explicit TinyDetector(const std::string& net = "") {
    const auto cfg = folder_.write("a.cfg", "[net]\nwidth=4\nheight=4\n" + net +
                                                "[convolutional]\nfilters=7\nsize=1\nstride=2\nactivation=linear\n"
                                                "[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=2,2\n");
    std::string weights(20, '\0');
    weights[4] = 2;
    std::vector<float> values{0, 0, 0, 0, -10, 3, 3};
    values.resize(7 + 7 * 3);
    values[7 + 4 * 3] = 20;
    weights.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    config.name = "tiny";
    config.source =
        common::DarknetSource{cfg, folder_.write("a.weights", weights), folder_.write("a.names", "dog\ncat\n")};
    config.precision = common::Precision::kFp32;
    config.batch.max_size = 4;
  }

  [[nodiscard]] std::unique_ptr<model::Model> load() const {
    auto loaded = model::load_model(config, {});
    INFO((loaded ? std::string() : loaded.error().message));
    REQUIRE(loaded.ok());
    return std::move(loaded).value();
  }

  common::ModelConfig config;

 private:
  tests::TemporaryDirectory folder_;
};

// 4 x 4 pixels, red where a cell of 2 x 2 is to be found.
std::string picture(bool upper_left, bool lower_right) {
  std::string bytes = "P6 4 4 255\n";
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) {
      const bool red = (upper_left && x < 2 && y < 2) || (lower_right && x >= 2 && y >= 2);
      bytes += red ? '\xFF' : '\0';
      bytes += std::string(2, '\0');
    }
  }
  return bytes;
}

model::Input input_of(const std::string& body, const common::PredictionOptions& options = {}) {
  return {std::as_bytes(std::span<const char>(body)), options};
}

const common::DetectionList& list_of(const model::Output& output) {
  INFO((output.prediction ? std::string() : output.prediction.error().message));
  REQUIRE(output.prediction.ok());
  return std::get<common::DetectionList>(output.prediction.value());
}

model::Output run_one(model::Model& model, const std::string& body, const common::PredictionOptions& options = {}) {
  const auto input = input_of(body, options);
  auto outputs = model.run({&input, 1});
  REQUIRE(outputs.size() == 1);
  return std::move(outputs.front());
}

}  // namespace

TEST_CASE("TorchModel: describes what was loaded", "[model][unit]") {
  const auto model = TinyDetector().load();
  const auto& description = model->description();
  CHECK(description.task == "detect");
  CHECK(description.device == "cpu");
  CHECK(description.precision == "fp32");
  CHECK(description.input_width == 4);
  CHECK(description.labels == std::vector<std::string>{"dog", "cat"});
}

TEST_CASE("TorchModel: finds what is there, where it is", "[model][unit]") {
  const auto model = TinyDetector().load();
  REQUIRE(model->warm_up().ok());
  const auto output = run_one(*model, picture(false, true));
  const auto& list = list_of(output);
  CHECK(list.image_width == 4);
  REQUIRE(list.detections.size() == 2);  // a candidate carries every class above the threshold
  CHECK(list.detections[0].confidence == Approx(0.9525).margin(0.001));
  CHECK(list.detections[0].box == common::Box{2, 2, 4, 4});
  CHECK(list_of(run_one(*model, picture(false, false))).detections.empty());
}

TEST_CASE("TorchModel: boxes are in the picture's pixels", "[model][unit]") {
  const auto model = TinyDetector().load();
  std::string wide = "P6 40 20 255\n";
  for (int i = 0; i < 40 * 20; ++i) wide += i % 40 < 20 && i < 400 ? std::string("\xFF\0\0", 3) : std::string(3, '\0');
  const auto output = run_one(*model, wide);
  const auto& list = list_of(output);
  CHECK(list.image_width == 40);
  CHECK(list.image_height == 20);
  REQUIRE_FALSE(list.detections.empty());
  CHECK(list.detections[0].box == common::Box{0, 0, 20, 10});
}

TEST_CASE("TorchModel: a letterboxed picture's boxes come back to it", "[model][unit]") {
  TinyDetector by_cfg("letter_box=1\n");
  TinyDetector by_config;
  by_config.config.resize = common::ResizeMode::kLetterbox;
  // 8 x 4 lies in rows 1 and 2 of the input: sampled cells begin at rows 0 (grey) and 2.
  std::string wide = "P6 8 4 255\n";
  for (int i = 0; i < 32; ++i) wide += std::string("\xFF\0\0", 3);
  for (const TinyDetector* detector : {&by_cfg, &by_config}) {
    const auto model = detector->load();
    const auto output = run_one(*model, wide, {.confidence = 0.9F, .iou = {}, .max_detections = {}});
    const auto& list = list_of(output);
    REQUIRE_FALSE(list.detections.empty());
    // The cell's rows 2 to 4 are the picture's lower half and what is below it.
    CHECK(list.detections[0].box == common::Box{0, 2, 4, 4});
  }
}

TEST_CASE("TorchModel: a batch is answered in order, one bad image alone fails", "[model][unit]") {
  const auto model = TinyDetector().load();
  const auto first = picture(true, false);
  const auto second = picture(false, true);
  const std::string bad = "not a picture";
  const std::vector<model::Input> inputs{input_of(first), input_of(bad), input_of(second)};
  const auto outputs = model->run(inputs);
  REQUIRE(outputs.size() == 3);
  CHECK(list_of(outputs[0]).detections.at(0).box == common::Box{0, 0, 2, 2});
  REQUIRE_FALSE(outputs[1].prediction.ok());
  CHECK(outputs[1].prediction.error().code == ErrorCode::kInvalidImage);
  CHECK(list_of(outputs[2]).detections.at(0).box == common::Box{2, 2, 4, 4});
  CHECK(outputs[0].times.infer_us == outputs[2].times.infer_us);
  CHECK(outputs[1].times.infer_us == 0);
  const auto input = input_of(bad);
  CHECK_FALSE(model->run({&input, 1}).front().prediction.ok());
}

TEST_CASE("TorchModel: a request's options are its own", "[model][unit]") {
  const auto model = TinyDetector().load();
  const auto both = picture(true, true);
  CHECK(list_of(run_one(*model, both)).detections.size() == 4);
  CHECK(list_of(run_one(*model, both, {.confidence = 0.99F, .iou = {}, .max_detections = {}})).detections.empty());
  CHECK(list_of(run_one(*model, both, {.confidence = {}, .iou = {}, .max_detections = 1})).detections.size() == 1);
  CHECK(list_of(run_one(*model, both)).detections.size() == 4);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float value : {-0.1F, 1.1F, nan}) {
    CHECK(run_one(*model, both, {.confidence = value, .iou = {}, .max_detections = {}}).prediction.error().code ==
          ErrorCode::kInvalidParameter);
    CHECK(run_one(*model, both, {.confidence = {}, .iou = value, .max_detections = {}}).prediction.error().code ==
          ErrorCode::kInvalidParameter);
  }
}

TEST_CASE("TorchModel: classes and multi_label of the config", "[model][unit]") {
  TinyDetector detector;
  detector.config.detect.classes = {"cat"};
  auto output = run_one(*detector.load(), picture(true, false));
  REQUIRE(list_of(output).detections.size() == 1);
  CHECK(list_of(output).detections[0].class_id == 1);
  detector.config.detect.classes = {};
  detector.config.detect.multi_label = common::AutoBool::kFalse;
  output = run_one(*detector.load(), picture(true, false));
  REQUIRE(list_of(output).detections.size() == 1);
  CHECK(list_of(output).detections[0].class_id == 0);
}

TEST_CASE("TorchModel: limits.max_pixels is kept", "[model][unit]") {
  TinyDetector detector;
  detector.config.limits.max_pixels = 15;
  CHECK(run_one(*detector.load(), picture(true, false)).prediction.error().code == ErrorCode::kImageTooLarge);
}

TEST_CASE("TorchModel: output that is not finite fails the warm-up", "[model][unit]") {
  TinyDetector detector;
  // exp() of it, as a box's width, has no float.
  const auto source = std::get<common::DarknetSource>(detector.config.source);
  auto bytes = tests::read_file(source.weights);
  const float large = 1000;
  std::memcpy(bytes.data() + 20 + 2 * sizeof(float), &large, sizeof large);
  const tests::TemporaryDirectory folder;
  detector.config.source = common::DarknetSource{source.cfg, folder.write("b.weights", bytes), source.names};
  const auto warmed = detector.load()->warm_up();
  REQUIRE_FALSE(warmed.ok());
  CHECK(warmed.error().code == ErrorCode::kBadModel);
  CHECK(warmed.error().message.find("not finite") != std::string::npos);
}
