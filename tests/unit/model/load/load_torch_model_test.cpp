// Tests the detector through its public interface, with a network that is small enough to compute by hand.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "common/domain/task.hpp"
#include "model/load/load_model.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/sources/compile_network.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/tiny_detector.hpp"

using namespace yolod;
using common::ErrorCode;
using tests::TinyDetector;

namespace {

// A detector with augmentation. It has one head with cells of 32 x 32 pixels on 128 x 128, and its boxes are as
// large as a cell. Otherwise it equals TinyDetector.
class AugmentedDetector {
 public:
  explicit AugmentedDetector(common::Precision precision) {
    const auto cfg = folder_.write("a.cfg",
                                   "[net]\nwidth=128\nheight=128\n"
                                   "[convolutional]\nfilters=7\nsize=1\nstride=32\nactivation=linear\n"
                                   "[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=32,32\n");
    config_ = tiny_.config;
    const auto& source = std::get<common::DarknetSource>(config_.source);
    config_.source = common::DarknetSource{cfg, source.weights, source.names};
    config_.detect.augment = true;
    config_.precision = precision;
  }

  [[nodiscard]] std::unique_ptr<model::Model> load() const {
    auto loaded = model::load_model(config_, {});
    INFO((loaded ? std::string() : loaded.error().message));
    REQUIRE(loaded.ok());
    REQUIRE((*loaded)->warm_up(std::array<std::size_t, 2>{1, config_.batch.size_limit()}).ok());
    return std::move(loaded).value();
  }

  [[nodiscard]] const common::ModelConfig& config() const { return config_; }

 private:
  TinyDetector tiny_;
  tests::TemporaryDirectory folder_;
  common::ModelConfig config_;
};

// Returns a picture of 128 x 128 pixels. The cell in column 1 and row 2 is red.
std::string picture_of_a_cell() {
  std::string bytes = "P6 128 128 255\n";
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 128; ++x) {
      const bool red = x / 32 == 1 && y / 32 == 2;
      bytes += red ? '\xFF' : '\0';
      bytes += std::string(2, '\0');
    }
  }
  return bytes;
}

// Returns the error from loading a Darknet network with augmentation. The network has these layers, and all its
// weights are 0.
std::string augmentation_refused(const std::string& layers, std::size_t weights) {
  const tests::TemporaryDirectory folder;
  std::string header(20, '\0');
  header[4] = 2;
  common::ModelConfig config;
  config.name = "m";
  config.source = common::DarknetSource{folder.write("a.cfg", "[net]\nwidth=192\nheight=192\n" + layers),
                                        folder.write("a.weights", header + std::string(4 * weights, '\0')),
                                        folder.write("a.names", "dog\ncat\n")};
  config.precision = common::Precision::kFp32;
  model::LoadContext context;
  context.any_task = true;
  const auto plain = model::load_model(config, context);
  INFO((plain ? std::string() : plain.error().message));
  REQUIRE(plain.ok());
  config.detect.augment = true;
  const auto loaded = model::load_model(config, context);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kBadModel);
  CHECK(loaded.error().message.find('\n') == std::string::npos);
  return loaded.error().message;
}

// Returns a picture of 4 x 4 pixels. It is red where the detector must find a cell of 2 x 2 pixels.
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
  return {std::as_bytes(std::span<const char>(body)), common::ContentKind::kFile, options};
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

TEST_CASE("TorchModel: the model describes the loaded network", "[model][unit]") {
  const auto model = TinyDetector().load();
  const auto& description = model->description();
  CHECK(description.task == "detect");
  CHECK(description.device == "cpu");
  CHECK(description.precision == "fp32");
  CHECK(description.input_width == 4);
  CHECK(description.labels == std::vector<std::string>{"dog", "cat"});
}

TEST_CASE("TorchModel: the detector finds the red cells at their places", "[model][unit]") {
  const auto model = TinyDetector().load();
  REQUIRE(model->warm_up(std::array<std::size_t, 2>{1, 4}).ok());
  const auto output = run_one(*model, picture(false, true));
  const auto& list = list_of(output);
  CHECK(list.image_width == 4);
  REQUIRE(list.detections.size() == 2);  // a candidate has every class above the threshold
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

TEST_CASE("TorchModel: boxes of a letterboxed picture are mapped back to the picture", "[model][unit]") {
  TinyDetector by_cfg("letter_box=1\n");
  TinyDetector by_config;
  by_config.config.resize = common::ResizeMode::kLetterbox;
  // The 8 x 4 picture lies in rows 1 and 2 of the input. The sampled rows are 0 (grey) and 2.
  std::string wide = "P6 8 4 255\n";
  for (int i = 0; i < 32; ++i) wide += std::string("\xFF\0\0", 3);
  for (const TinyDetector* detector : {&by_cfg, &by_config}) {
    const auto model = detector->load();
    const auto output = run_one(*model, wide, {.confidence = 0.9F, .iou = {}, .max_detections = {}});
    const auto& list = list_of(output);
    REQUIRE_FALSE(list.detections.empty());
    // The cell's rows 2 to 4 cover the lower half of the picture and the border below.
    CHECK(list.detections[0].box == common::Box{0, 2, 4, 4});
  }
}

TEST_CASE("TorchModel: a batch is answered in order, and only the bad image fails", "[model][unit]") {
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

TEST_CASE("TorchModel: the model marks each picture while it decodes it, and reports whether the picture goes on",
          "[model][unit]") {
  class Mark final : public model::WorkMark {
   public:
    void own_work_began() override { ++began; }
    void own_work_ended(bool goes_on) override {
      ++ended;
      went_on = goes_on;
    }
    int began{0};
    int ended{0};
    bool went_on{false};
  };
  const auto model = TinyDetector().load();
  const auto good = picture(true, false);
  const std::string bad = "not a picture";
  std::vector<model::Input> inputs{input_of(good), input_of(bad), input_of(good)};
  std::array<Mark, 3> marks;
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].mark = &marks.at(i);
  auto decoded = model->decode(inputs);
  for (const auto& mark : marks) {
    CHECK(mark.began == 1);
    CHECK(mark.ended == 1);
  }
  CHECK(marks[0].went_on);
  CHECK_FALSE(marks[1].went_on);
  CHECK(marks[2].went_on);
  (void)model->run_decoded(std::move(decoded));
  CHECK(marks[0].began == 1);
}

TEST_CASE("TorchModel: the options of a request apply only to that request", "[model][unit]") {
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

TEST_CASE("TorchModel: the model follows classes and multi_label of the config", "[model][unit]") {
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

TEST_CASE("TorchModel: a picture above limits.max_pixels is refused", "[model][unit]") {
  TinyDetector detector;
  detector.config.limits.max_pixels = 15;
  CHECK(run_one(*detector.load(), picture(true, false)).prediction.error().code == ErrorCode::kImageTooLarge);
}

TEST_CASE("TorchModel: output that is not finite fails the warm-up", "[model][unit]") {
  TinyDetector detector;
  // The width of a box is exp() of this bias, which exceeds the range of a float.
  const auto source = std::get<common::DarknetSource>(detector.config.source);
  auto bytes = tests::read_file(source.weights);
  const float large = 1000;
  std::memcpy(bytes.data() + 20 + 2 * sizeof(float), &large, sizeof large);
  const tests::TemporaryDirectory folder;
  detector.config.source = common::DarknetSource{source.cfg, folder.write("b.weights", bytes), source.names};
  const auto warmed = detector.load()->warm_up(std::array<std::size_t, 2>{1, 4});
  REQUIRE_FALSE(warmed.ok());
  CHECK(warmed.error().code == ErrorCode::kBadModel);
  CHECK(warmed.error().message.find("not finite") != std::string::npos);
}

TEST_CASE("TorchModel: with augmentation the boxes of the views are in the pixels of the picture",
          "[model][unit][skips]") {
  const auto precision = GENERATE(common::Precision::kFp32, common::Precision::kBf16);
  if (precision == common::Precision::kBf16 && !tests::processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  const auto model = AugmentedDetector(precision).load();
  CHECK(model->description().input_width == 128);
  const auto body = picture_of_a_cell();
  const std::vector<model::Input> inputs{input_of(body), input_of("no picture"), input_of(body)};
  const auto outputs = model->run(inputs);
  CHECK_FALSE(outputs[1].prediction.ok());
  for (const std::size_t i : {0U, 2U}) {
    const auto& list = list_of(outputs[i]);
    const auto found = [&](const common::Box& box) {
      return std::count_if(list.detections.begin(), list.detections.end(), [&](const common::Detection& detection) {
        return std::abs(detection.box.x_min - box.x_min) + std::abs(detection.box.y_min - box.y_min) +
                   std::abs(detection.box.x_max - box.x_max) + std::abs(detection.box.y_max - box.y_max) <
               0.01F;
      });
    };
    // Each box has both classes. The red cell is at (1, 2), and in the mirrored view at (2, 2).
    CHECK(found({32, 64, 64, 96}) == 2);
    CHECK(found({128 - 96 / 0.83F, 64 / 0.83F, 128 - 64 / 0.83F, 96 / 0.83F}) == 2);
  }
}

TEST_CASE("TorchModel: the sizes of augmentation share all weights that do not depend on the size", "[model][unit]") {
  const AugmentedDetector detector(common::Precision::kFp32);
  const auto compiled = model::compile_network(detector.config());
  REQUIRE(compiled.ok());
  REQUIRE(compiled->views.size() == 2);
  for (const auto& view : compiled->views) {
    const auto& shared = view.shared_parameters;
    for (const auto* name : {"w0", "b0"}) CHECK(std::count(shared.begin(), shared.end(), name) == 1);
    CHECK(shared.size() + view.parameters.size() == compiled->network.parameters.size());
  }
  // For 128 x 128 the views are padded to 128 x 128 again. For 256 x 256 the second view is smaller, so it needs
  // another grid.
  CHECK(compiled->views[0].parameters.empty());
  auto larger = detector.config();
  larger.input_size = common::InputSize{256, 256};
  const auto compiled_larger = model::compile_network(larger);
  REQUIRE(compiled_larger.ok());
  const auto& smallest = compiled_larger->views[1];
  CHECK(smallest.width == 192);
  REQUIRE(smallest.parameters.size() == 1);
  CHECK(smallest.parameters[0].name.starts_with("grid"));
}

TEST_CASE("TorchModel: augmentation of a network with a fixed size is refused with the reason", "[model][unit]") {
  // The network is a YOLOv1 with 2 x 2 cells, a box for each cell and two classes. It computes 28 numbers from 3 x 3
  // x 3.
  const auto connected = augmentation_refused(
      "[maxpool]\nsize=64\nstride=64\n[connected]\noutput=28\nactivation=linear\n"
      "[detection]\nclasses=2\ncoords=4\nside=2\nnum=1\nsqrt=1\n",
      28 + 28 * 27);
  CHECK(connected.find("detect.augment also runs the network at 256 x 256: ") != std::string::npos);
  CHECK(connected.find("[connected]: its weights are for an input of one size") != std::string::npos);
  const auto classifier = augmentation_refused(
      "[convolutional]\nfilters=2\nactivation=linear\n[avgpool]\n[softmax]\ngroups=1\n", 2 + 2 * 3);
  CHECK(classifier.find("only a detector") != std::string::npos);
}

namespace {

// Returns a classifier with three classes. Its logits are the mean of its `channels` times 1, 2 and 3.
common::ModelConfig mean_classifier(const tests::TemporaryDirectory& folder, int channels) {
  std::string weights(20 + 3 * sizeof(float), '\0');
  weights[4] = 2;
  for (int filter = 1; filter <= 3; ++filter) {
    for (int c = 0; c < channels; ++c) {
      const auto weight = static_cast<float>(filter) / static_cast<float>(channels);
      weights.append(reinterpret_cast<const char*>(&weight), sizeof weight);
    }
  }
  common::ModelConfig config;
  config.name = "mean";
  config.task = common::Task::kClassify;
  config.precision = common::Precision::kFp32;
  config.source = common::DarknetSource{
      folder.write("a.cfg", "[net]\nwidth=32\nheight=32\nchannels=" + std::to_string(channels) +
                                "\n[convolutional]\nfilters=3\nsize=1\nstride=1\nactivation=linear\n"
                                "[avgpool]\n[softmax]\n"),
      folder.write("a.weights", weights), folder.write("a.names", "a\nb\nc\n")};
  return config;
}

}  // namespace

TEST_CASE("TorchModel: a grey network gets the luma of the picture", "[model][unit][torch]") {
  const tests::TemporaryDirectory folder;
  const auto config = mean_classifier(folder, 1);
  const auto loaded = model::load_model(config, {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  REQUIRE((*loaded)->warm_up(std::array<std::size_t, 2>{1, 4}).ok());
  // The upper half is red, the lower half is blue.
  std::string body = "P6 32 32 255\n";
  for (int i = 0; i < 512; ++i) body += std::string("\xFF\0\0", 3);
  for (int i = 0; i < 512; ++i) body += std::string("\0\0\xFF", 3);
  const std::array inputs{input_of(body), input_of(body)};
  const double mean = (76 + 29) / 2.0 / 255;
  for (const auto& output : (*loaded)->run(inputs)) {
    INFO((output.prediction ? std::string() : output.prediction.error().message));
    REQUIRE(output.prediction);
    const auto& list = std::get<common::ClassificationList>(*output.prediction).classifications;
    REQUIRE(list.size() == 3);
    double sum = 0;
    for (int filter = 1; filter <= 3; ++filter) sum += std::exp(filter * mean);
    for (const auto& one : list) {
      const auto expected = std::exp((one.class_id + 1) * mean) / sum;
      CHECK(static_cast<double>(one.probability) == Approx(expected).epsilon(1e-5));
    }
    CHECK(list.front().class_id == 2);
  }
}

TEST_CASE("TorchModel: a network for pictures has one channel or three", "[model][unit][torch]") {
  const tests::TemporaryDirectory folder;
  const auto loaded = model::load_model(mean_classifier(folder, 2), {});
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().message ==
        "mean: the network takes 2 channels; networks for pictures take 3, or 1 for grey pictures");
}
