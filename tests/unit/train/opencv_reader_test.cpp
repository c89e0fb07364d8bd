// This test loads the shipped network with another program: OpenCV's reader of Darknet's files.
#include <catch2/catch.hpp>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/image/resize.hpp"
#include "model/load/load_model.hpp"
#include "model/model.hpp"
#include "tests/support/detection_match.hpp"
#include "tests/support/test_data.hpp"
#include "tools/scenes/scene.hpp"

using namespace yolod;

namespace {

constexpr int kSide = 416;
constexpr float kConfidence = 0.25F;
constexpr float kOverlap = 0.45F;

tests::LabelledBox labelled(const std::string& label, float confidence, const cv::Rect2d& box) {
  return {label, static_cast<double>(confidence), box.x, box.y, box.x + box.width, box.y + box.height};
}

std::vector<tests::LabelledBox> found_by_us(model::Model& model, const cv::Mat& picture) {
  std::vector<std::uint8_t> file;
  cv::imencode(".png", picture, file);
  const model::Input input{std::as_bytes(std::span(file))};
  const auto outputs = model.run({&input, 1});
  REQUIRE(outputs.front().prediction.ok());
  std::vector<tests::LabelledBox> boxes;
  for (const auto& [class_id, confidence, box] :
       std::get<common::DetectionList>(outputs.front().prediction.value()).detections) {
    boxes.push_back(labelled(model.description().labels.at(class_id), confidence,
                             {cv::Point2d(box.x_min, box.y_min), cv::Point2d(box.x_max, box.y_max)}));
  }
  return boxes;
}

// OpenCV's output has a row for each candidate: centre and size as fractions of the picture, objectness, and a score
// for each class. Scores below OpenCV's own threshold are 0.
std::vector<tests::LabelledBox> found_by_opencv(cv::dnn::Net& network, const std::vector<std::string>& labels,
                                                const cv::Mat& picture) {
  cv::Mat input(kSide, kSide, CV_32FC3);
  model::image::resize_into({picture.data, picture.cols, picture.rows, picture.step[0]}, {0, 0, kSide, kSide},
                            {kSide, kSide}, {}, model::image::Sampling::kCornersAligned,
                            {input.ptr<float>(), input.total() * 3});
  network.setInput(cv::dnn::blobFromImage(input));
  std::vector<cv::Mat> heads;
  network.forward(heads, network.getUnconnectedOutLayersNames());

  std::vector<tests::LabelledBox> boxes;
  const cv::Rect2d whole({0, 0}, cv::Size2d(picture.size()));
  for (std::size_t label = 0; label < labels.size(); ++label) {
    std::vector<cv::Rect2d> candidates;
    std::vector<float> confidences;
    for (const auto& head : heads) {
      for (int row = 0; row < head.rows; ++row) {
        const auto* values = head.ptr<float>(row);
        const double width = static_cast<double>(values[2]) * picture.cols;
        const double height = static_cast<double>(values[3]) * picture.rows;
        candidates.emplace_back(static_cast<double>(values[0]) * picture.cols - width / 2,
                                static_cast<double>(values[1]) * picture.rows - height / 2, width, height);
        confidences.push_back(values[5 + label]);
      }
    }
    std::vector<int> kept;
    cv::dnn::NMSBoxes(candidates, confidences, kConfidence, kOverlap, kept);
    for (const int index : kept) {
      const auto i = static_cast<std::size_t>(index);
      boxes.push_back(labelled(labels[label], confidences[i], candidates[i] & whole));
    }
  }
  return boxes;
}

}  // namespace

TEST_CASE("Demo network: OpenCV's Darknet reader loads the network and finds the same objects", "[train][unit]") {
  common::ModelConfig config;
  config.name = "demo";
  config.source = common::DarknetSource{tests::demo_file("demo.cfg"), tests::demo_file("demo.weights"),
                                        tests::demo_file("demo.names")};
  config.precision = common::Precision::kFp32;
  config.detect.confidence = kConfidence;
  config.detect.iou = kOverlap;
  auto ours = model::load_model(config, {});
  INFO((ours ? std::string() : ours.error().message));
  REQUIRE(ours.ok());
  auto theirs = cv::dnn::readNetFromDarknet(tests::demo_file("demo.cfg"), tests::demo_file("demo.weights"));
  theirs.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);

  std::vector<cv::Mat> pictures;
  for (const auto* name : {"demo.jpg", "demo-night.jpg", "demo-rain.jpg"}) {
    pictures.push_back(cv::imread(tests::demo_file(name)));
    REQUIRE_FALSE(pictures.back().empty());
  }
  for (std::uint64_t index = 0; index < 24; ++index) {
    pictures.push_back(scenes::draw_scene(scenes::kFirstTestSeed + 3, index).picture);
  }
  std::size_t found = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    INFO("picture " << i);
    const auto by_us = found_by_us(**ours, pictures[i]);
    const auto by_opencv = found_by_opencv(theirs, (*ours)->description().labels, pictures[i]);
    for (const auto& difference : tests::differences(by_opencv, by_us)) FAIL_CHECK(difference);
    found += by_us.size();
  }
  CHECK(found >= 50);
}
