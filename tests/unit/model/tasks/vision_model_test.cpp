// Checks that a picture of a batch cannot affect the others. The tests use a fake network.
#include "model/tasks/vision_model.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "model/rules/loaded_network.hpp"
#include "model/tasks/classify_model.hpp"
#include "model/tasks/detect_model.hpp"
#include "tests/support/packed_bodies.hpp"

using namespace yolod;
using common::ErrorCode;

namespace {

class PlainInput final : public model::NetworkInput {
 public:
  explicit PlainInput(std::size_t count) : values_(count) {}
  [[nodiscard]] std::span<float> values() override { return values_; }

 private:
  std::vector<float> values_;
};

// The network has an input of one pixel. For each image it returns the head from its constructor.
class ConstantNetwork final : public model::Network {
 public:
  ConstantNetwork(std::vector<float> head, std::vector<std::size_t> sides)
      : head_(std::move(head)), sides_(std::move(sides)) {}

  [[nodiscard]] const model::NetworkShape& shape() const override { return shape_; }
  [[nodiscard]] common::Precision precision() const override { return common::Precision::kFp32; }
  [[nodiscard]] const std::string& device() const override { return device_; }
  [[nodiscard]] common::Outcome<std::unique_ptr<model::NetworkInput>> new_input(std::size_t images) override {
    return std::unique_ptr<model::NetworkInput>(std::make_unique<PlainInput>(images * shape_.input_count()));
  }
  [[nodiscard]] common::Outcome<model::RawHead> forward(model::NetworkInput& /*input*/, std::size_t images,
                                                        std::span<const float> /*confidence*/) override {
    if (throws) throw std::runtime_error("the network is broken");
    all_.clear();
    for (std::size_t i = 0; i < images; ++i) all_.insert(all_.end(), head_.begin(), head_.end());
    std::vector<std::size_t> sides{images};
    sides.insert(sides.end(), sides_.begin(), sides_.end());
    return model::RawHead{all_, std::move(sides), {}};
  }

  bool throws{false};

 private:
  const model::NetworkShape shape_{3, 1, 1, 1, 1};
  const std::string device_{"cpu"};
  std::vector<float> head_;
  std::vector<std::size_t> sides_;
  std::vector<float> all_;
};

// The answer is the width of the picture. answer() throws for a picture of width 8. check() throws before the
// decoding if the options have the top_k 7.
class ThrowingModel final : public model::VisionModel {
 public:
  explicit ThrowingModel(std::unique_ptr<ConstantNetwork> network)
      : VisionModel({}, std::move(network), {}, "detect", {"a"}) {}

 private:
  [[nodiscard]] common::Outcome<void> check(const common::PredictionOptions& options) const override {
    if (options.top_k == 7U) throw std::bad_alloc();
    return {};
  }
  [[nodiscard]] common::Outcome<common::Prediction> answer(const model::RawHead& /*head*/, std::size_t /*index*/,
                                                           const Prepared& prepared,
                                                           const model::Input& /*input*/) const override {
    if (prepared.image_size.width == 8) throw std::runtime_error("no answer to this");
    common::IdentityAnswer answer;
    answer.bytes = static_cast<std::uint64_t>(prepared.image_size.width);
    return common::Prediction(answer);
  }
};

std::string picture_of_width(int width) {
  return "P5 " + std::to_string(width) + " 1 255\n" + std::string(static_cast<std::size_t>(width), 'x');
}

struct Batch {
  explicit Batch(const std::vector<int>& widths) {
    for (const int width : widths) bodies.push_back(width == 0 ? "no picture" : picture_of_width(width));
    for (std::size_t i = 0; i < widths.size(); ++i) {
      model::Input input{std::as_bytes(std::span(bodies[i]))};
      if (widths[i] == 7) input.options.top_k = 7U;
      inputs.push_back(input);
    }
  }
  std::vector<std::string> bodies;
  std::vector<model::Input> inputs;
};

std::uint64_t width_in(const model::Output& output) {
  return output.prediction ? std::get<common::IdentityAnswer>(*output.prediction).bytes : 0;
}

}  // namespace

TEST_CASE("VisionModel: an exception while one picture is handled becomes the error of that picture only",
          "[model][unit]") {
  ThrowingModel model(std::make_unique<ConstantNetwork>(std::vector<float>(6), std::vector<std::size_t>{1, 6}));
  const Batch batch({5, 7, 0, 6, 8, 9});
  const auto outputs = model.run(batch.inputs);
  REQUIRE(outputs.size() == 6);
  CHECK(width_in(outputs[0]) == 5);
  REQUIRE_FALSE(outputs[1].prediction);
  CHECK(outputs[1].prediction.error().code == ErrorCode::kInternal);
  REQUIRE_FALSE(outputs[2].prediction);
  CHECK(outputs[2].prediction.error().code == ErrorCode::kInvalidImage);
  CHECK(width_in(outputs[3]) == 6);
  REQUIRE_FALSE(outputs[4].prediction);
  CHECK(outputs[4].prediction.error().code == ErrorCode::kInternal);
  CHECK(outputs[4].prediction.error().message == "the request failed: no answer to this");
  CHECK(width_in(outputs[5]) == 9);
}

TEST_CASE("VisionModel: an exception of the network fails its pictures, but not a picture that was refused before",
          "[model][unit]") {
  auto network = std::make_unique<ConstantNetwork>(std::vector<float>(6), std::vector<std::size_t>{1, 6});
  network->throws = true;
  ThrowingModel model(std::move(network));
  const Batch batch({5, 0, 6});
  const auto outputs = model.run(batch.inputs);
  for (const std::size_t i : {0U, 2U}) {
    REQUIRE_FALSE(outputs[i].prediction);
    CHECK(outputs[i].prediction.error().message == "the batch failed: the network is broken");
  }
  REQUIRE_FALSE(outputs[1].prediction);
  CHECK(outputs[1].prediction.error().code == ErrorCode::kInvalidImage);
}

namespace {

common::Outcome<std::unique_ptr<model::Model>> detector(model::heads::HeadLayout layout, std::vector<float> head,
                                                        std::vector<std::size_t> sides, std::vector<std::string> labels,
                                                        const std::vector<std::string>& classes) {
  common::ModelConfig config;
  config.name = "m";
  config.detect.classes = classes;
  model::LoadedNetwork loaded;
  loaded.network = std::make_unique<ConstantNetwork>(std::move(head), std::move(sides));
  loaded.rules.layout = layout;
  loaded.labels = std::move(labels);
  return model::make_detect_model(config, std::move(loaded));
}

// Returns the model's output for a picture of 10 x 1 pixels.
model::Output answer_of(model::Model& model, const common::PredictionOptions& options) {
  const auto body = picture_of_width(10);
  const model::Input input{std::as_bytes(std::span(body)), common::ContentKind::kFile, options};
  return std::move(model.run({&input, 1}).front());
}

}  // namespace

TEST_CASE("DetectModel: a class name selects all classes with that name", "[model][unit]") {
  // The three candidates do not overlap, and each has a different class. The second and the fourth class have the
  // same name.
  std::vector<float> head;
  for (int i = 0; i < 3; ++i) {
    const std::size_t class_id = static_cast<std::size_t>(i) + 1;
    std::vector<float> row{0.2F + 0.3F * static_cast<float>(i), 0.5F, 0.1F, 1, 0.9F, 0, 0, 0, 0};
    row[5 + class_id] = 0.9F;
    head.insert(head.end(), row.begin(), row.end());
  }
  const auto model = detector(model::heads::HeadLayout::kByObjectness, head, {3, 9}, {"a", "cup", "b", "cup"}, {"cup"});
  REQUIRE(model);
  const auto output = answer_of(**model, {});
  REQUIRE(output.prediction);
  const auto& found = std::get<common::DetectionList>(*output.prediction).detections;
  REQUIRE(found.size() == 2);
  CHECK(found[0].class_id == 1);
  CHECK(found[1].class_id == 3);
  const auto none = detector(model::heads::HeadLayout::kByObjectness, head, {3, 9}, {"a", "cup", "b", "cup"}, {"mug"});
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "m: detect.classes: the model has no class \"mug\"");
}

TEST_CASE("DetectModel: a network with its own suppression refuses iou, and the limit counts the boxes that remain",
          "[model][unit]") {
  // The best box lies outside the picture.
  const std::vector<float> head{2, 0, 3, 1, 0.9F, 0, 0, 0, 0.5F, 1, 0.8F, 0, 0.5F, 0, 1, 1, 0.7F, 0};
  const auto model = detector(model::heads::HeadLayout::kFinal, head, {3, 6}, {"a"}, {});
  REQUIRE(model);
  common::PredictionOptions options;
  options.iou = 0.5F;
  const auto refused = answer_of(**model, options);
  REQUIRE_FALSE(refused.prediction);
  CHECK(refused.prediction.error().code == ErrorCode::kInvalidParameter);
  CHECK_THAT(refused.prediction.error().message, Catch::StartsWith("iou: "));

  options = {};
  options.max_detections = 1U;
  const auto output = answer_of(**model, options);
  REQUIRE(output.prediction);
  const auto& found = std::get<common::DetectionList>(*output.prediction).detections;
  REQUIRE(found.size() == 1);
  CHECK(found[0].confidence == 0.8F);
  CHECK(found[0].box == common::Box{0, 0, 5, 1});

  const auto other =
      detector(model::heads::HeadLayout::kByObjectness, {0.5F, 0.5F, 0.1F, 1, 0.9F, 0.9F}, {1, 6}, {"a"}, {});
  REQUIRE(other);
  options.iou = 0.5F;
  CHECK(answer_of(**other, options).prediction);
}

namespace {

std::vector<float> floats_of(const common::NamedTensor& tensor) {
  std::vector<float> values(tensor.array.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.array.bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace

TEST_CASE("ClassifyModel: as tensors it gives the network's output and the probabilities, for pictures and for planes",
          "[model][unit]") {
  common::ModelConfig config;
  config.name = "m";
  model::LoadedNetwork loaded;
  loaded.network = std::make_unique<ConstantNetwork>(std::vector<float>{1, 3}, std::vector<std::size_t>{2});
  loaded.rules.logits = true;
  loaded.labels = {"cat", "dog"};
  const auto classifier = model::make_classify_model(config, std::move(loaded)).value();
  common::PredictionOptions options;
  options.tensors = true;
  const std::string planes(3, '\x7F');  // of one pixel
  const std::string request = R"({"inputs":[{"name":"images","shape":[1,3,1,1],"datatype":"UINT8",)"
                              R"("parameters":{"binary_data_size":3}}]})" +
                              planes;
  const std::string packed_planes = tests::gzipped(planes);
  const std::string packed_request = tests::deflated(request);
  const auto bytes_of = [](const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); };
  const auto body = picture_of_width(10);
  auto packed = options;
  packed.packing = common::Packing{1000, 0};
  const std::vector<model::Input> inputs{
      {bytes_of(body), common::ContentKind::kFile, options},
      {bytes_of(planes), common::ContentKind::kPlanes, options},
      {bytes_of(packed_planes), common::ContentKind::kPlanes, packed},
      {bytes_of(packed_request), common::ContentKind::kOipPlanes, packed},
      {bytes_of(packed_planes), common::ContentKind::kOipPlanes, packed},
  };
  const auto outputs = classifier->run(inputs);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    REQUIRE(outputs[i].prediction.ok());
    const auto& tensors = std::get<common::TensorList>(*outputs[i].prediction).tensors;
    REQUIRE(tensors.size() == 3);
    CHECK(tensors[0].array.shape == std::vector<std::int64_t>{2});
    CHECK(floats_of(tensors[0]) == std::vector<float>{1, 3});
    CHECK(tensors[1].array.type == common::ElementType::kInt32);
    CHECK(std::to_integer<int>(tensors[1].array.bytes[0]) == 1);  // the dog is the best
    CHECK(floats_of(tensors[2]).size() == 2);
    CHECK(floats_of(tensors[2])[0] == Approx(i == 0 ? 1 / (1 + std::exp(-2.0)) : 3));
  }
  CHECK(outputs[4].prediction.error().code == ErrorCode::kBadRequest);
  // The planes of one pixel are never decompressed to more than its 12 bytes.
  const std::string bomb = tests::gzipped(std::string(100'000, 'x'));
  const model::Input too_long{bytes_of(bomb), common::ContentKind::kPlanes, packed};
  CHECK(classifier->run({&too_long, 1}).front().prediction.error().code == ErrorCode::kBadRequest);
  auto large = packed;
  large.packing = common::Packing{std::uint64_t{1} << 40U, 0};
  const model::Input declared{bytes_of(packed_request), common::ContentKind::kOipPlanes, large};
  CHECK(classifier->run({&declared, 1}).front().prediction.error().code == ErrorCode::kImageTooComplex);
  config.limits.max_result_bytes = 7;
  model::LoadedNetwork again;
  again.network = std::make_unique<ConstantNetwork>(std::vector<float>{1, 3}, std::vector<std::size_t>{2});
  again.labels = {"cat", "dog"};
  const auto limited = model::make_classify_model(config, std::move(again)).value();
  CHECK(answer_of(*limited, options).prediction.error().message.find("limits.max_result_bytes is 7") !=
        std::string::npos);
}
