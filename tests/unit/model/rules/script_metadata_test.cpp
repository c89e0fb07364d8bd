// Tests the facts about a TorchScript file that yolod finds without running it: metadata, head and arrays.
#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "common/domain/task.hpp"
#include "model/files/named_arrays.hpp"
#include "model/rules/head_guess.hpp"
#include "model/rules/script_metadata.hpp"

using namespace yolod;
using namespace yolod::model;
using namespace yolod::model::torchscript;
using common::BoxCoordinates;
using common::Task;
using common::TorchScriptLayout;
using heads::HeadLayout;
using Sides = std::vector<std::size_t>;

namespace {

Metadata metadata_of(const std::string& text) {
  const auto metadata = parse_metadata(text);
  INFO(text << (metadata ? "" : metadata.error().message));
  REQUIRE(metadata);
  return *metadata;
}

// The values of this head are all `value`, except for a centre at `center`.
struct TestHead {
  explicit TestHead(Sides of, float value = 0.5F, float center = 300) : sides(std::move(of)) {
    std::size_t count = 1;
    for (const auto side : sides) count *= side;
    values.assign(count, value);
    if (!values.empty()) values[0] = center;
  }
  [[nodiscard]] common::Outcome<HeadGuess> guess(const Hints& hints) const {
    return guess_head({sides, values}, hints);
  }

  Sides sides;
  std::vector<float> values;
};

Hints detector_with(std::size_t class_count) {
  Hints hints;
  hints.task = Task::kDetect;
  hints.class_count = class_count;
  return hints;
}

void check_head(const Sides& sides, const Hints& hints, HeadLayout layout, std::size_t classes) {
  const auto guess = TestHead(sides).guess(hints);
  INFO((guess ? "" : guess.error().message));
  REQUIRE(guess);
  CHECK(guess->task == Task::kDetect);
  CHECK(guess->layout == layout);
  CHECK(guess->classes == classes);
}

}  // namespace

// ---- metadata ----

TEST_CASE("Metadata: bytes of a name that are not UTF-8 become U+FFFD", "[model][unit]") {
  const auto metadata =
      metadata_of("\xEF\xBB\xBF{\"description\": \"\xFF\", \"names\": {\"0\": \"caf\xE9\", \"1\": \"dog\"}}");
  CHECK(metadata.names == std::vector<std::string>{"caf\xEF\xBF\xBD", "dog"});
}

TEST_CASE("Metadata: a file without metadata gives empty metadata", "[model][unit]") {
  for (const auto* text : {"", " \n"}) {
    const auto metadata = metadata_of(text);
    CHECK_FALSE(metadata.task);
    CHECK_FALSE(metadata.input_size);
    CHECK(metadata.names.empty());
    CHECK_FALSE(metadata.end_to_end);
  }
}

TEST_CASE("Metadata: the metadata of YOLOv8 is read", "[model][unit]") {
  const auto metadata = metadata_of(
      R"({"description": "x", "stride": 32, "task": "detect", "batch": 1, "imgsz": [480, 640],
          "names": {"0": "person", "2": "car", "1": "dog"}, "args": {"half": false}, "end2end": true})");
  CHECK(metadata.task == Task::kDetect);
  CHECK(metadata.input_size == common::InputSize{480, 640});
  CHECK(metadata.names == std::vector<std::string>{"person", "dog", "car"});
  CHECK(metadata.end_to_end);
}

TEST_CASE("Metadata: the metadata of YOLOv5 is read", "[model][unit]") {
  const auto metadata = metadata_of(R"({"shape": [1, 3, 320, 416], "stride": 32, "names": ["a", "b"]})");
  CHECK_FALSE(metadata.task);
  CHECK(metadata.input_size == common::InputSize{320, 416});
  CHECK(metadata.names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("Metadata: a value of an unexpected type is ignored", "[model][unit]") {
  for (const auto* text :
       {R"({"imgsz": "640"})", R"({"imgsz": [640]})", R"({"imgsz": [0, 640]})", R"({"imgsz": [1e9, 640]})",
        R"({"imgsz": [-1, 640]})", R"({"imgsz": [1.5, 640]})", R"({"names": "a"})", R"({"names": [1]})",
        R"({"names": {"1": "a"}})", R"({"names": {"x": "a"}})", R"({"names": {"0": "a", "00": "b"}})", R"({"task": 1})",
        R"({"end2end": 1})", "{}"}) {
    const auto metadata = metadata_of(text);
    CHECK_FALSE(metadata.task);
    CHECK_FALSE(metadata.input_size);
    CHECK(metadata.names.empty());
    CHECK_FALSE(metadata.end_to_end);
  }
}

TEST_CASE("Metadata: a text that is not a JSON object is refused", "[model][unit]") {
  const std::string nested(10'000, '[');
  for (const auto& text : {std::string("x"), std::string("{"), std::string("[]"), std::string("1"), nested}) {
    CHECK_FALSE(parse_metadata(text));
  }
}

TEST_CASE("Metadata: the error for a task that yolod does not serve contains its name", "[model][unit]") {
  const auto metadata = parse_metadata(R"({"task": "seg\nment"})");
  REQUIRE_FALSE(metadata);
  CHECK_THAT(metadata.error().message, Catch::Contains("seg\\nment"));
}

TEST_CASE("Metadata: the metadata that export writes can be read", "[model][unit]") {
  CompiledNetwork network;
  network.channels = 3;
  network.height = 64;
  network.width = 96;
  const std::vector<std::string> labels{"dog", "\"cat\""};
  PictureRules detector;
  detector.fit = image::Fit::kLetterbox;
  detector.sampling = image::Sampling::kCentersAligned;
  detector.grey = 114.0F / 255.0F;
  detector.layout = HeadLayout::kByScores;
  detector.boxes_are_fractions = true;
  detector.multi_label = true;
  detector.nms_kind = heads::Overlap::kDiou;
  detector.beta_nms = 0.7F;
  PictureRules classifier;
  classifier.task = Task::kClassify;
  classifier.fit = image::Fit::kCrop;
  classifier.logits = true;
  for (const auto& rules : {detector, PictureRules{}, classifier}) {
    const auto metadata = metadata_of(write_metadata({"m", network, 32, labels, rules}));
    CHECK(metadata.task == rules.task);
    CHECK(metadata.input_size == common::InputSize{64, 96});
    CHECK(metadata.names == labels);
    CHECK(metadata.rules == rules);
  }
}

TEST_CASE("Metadata: labels that are not UTF-8 are written as valid text", "[model][unit]") {
  const auto metadata = metadata_of(write_metadata({"caf\xE9", CompiledNetwork{}, 32, {"\xE9t\xC3\xA9"}, {}}));
  CHECK(metadata.names == std::vector<std::string>{"\xEF\xBF\xBDt\xC3\xA9"});
}

TEST_CASE("Metadata: a missing, unknown or contradictory value in an exported file is refused", "[model][unit]") {
  const std::string keys =
      R"("resize": "stretch", "sampling": "corners", "grey": 0.5, "layout": "yolov5", "coordinates": "pixels",
         "multi_label": true, "nms": "iou", "beta_nms": 0.6)";
  const auto problem_of = [](const std::string& text) {
    const auto metadata = parse_metadata(text);
    if (metadata) return std::string();
    CHECK(metadata.error().code == common::ErrorCode::kBadModel);
    return metadata.error().message;
  };
  const auto detector = [](const std::string& own) { return R"({"task": "detect", "yolod": {)" + own + "}}"; };
  const auto changed = [&](const std::string& what, const std::string& to) {
    auto own = keys;
    own.replace(own.find(what), what.size(), to);
    return problem_of(detector(own));
  };
  CHECK(problem_of(detector(keys)).empty());
  CHECK(problem_of(R"({"task": "classify", "yolod": {"resize": "crop", "sampling": "corners", "grey": 0.5,
                       "logits": false}})")
            .empty());
  CHECK(problem_of(detector("")) == "config.txt in the file: yolod.resize: missing");
  CHECK_THAT(problem_of(detector(keys + R"(, "scale\n": 1)")), Catch::Contains("yolod.scale\\n: not known"));
  CHECK_THAT(problem_of(detector(keys + R"(, "logits": true)")), Catch::Contains("not for this task"));
  CHECK_THAT(changed("\"corners\"", "\"cubic\""),
             Catch::Contains("yolod.sampling: corners, centers, averaged is allowed"));
  CHECK_THAT(changed("\"yolov5\"", "5"), Catch::Contains("yolod.layout: "));
  CHECK_THAT(changed("\"stretch\"", "\"crop\""), Catch::Contains("takes the whole picture"));
  for (const auto* grey : {"1.5", "-0.1", "1e400", "\"0.5\"", "null"}) {
    CAPTURE(grey);
    CHECK_FALSE(changed("0.5", grey).empty());
  }
  CHECK_THAT(changed("true", "1"), Catch::Contains("yolod.multi_label: true or false is allowed"));
  CHECK_THAT(changed("0.6", "11"), Catch::Contains("yolod.beta_nms: "));
  CHECK_THAT(problem_of(R"({"task": "detect", "yolod": []})"), Catch::Contains("not an object"));
  CHECK_THAT(problem_of(R"({"yolod": {)" + keys + "}}"), Catch::Contains("neither detect nor classify"));
  CHECK_THAT(problem_of(R"({"task": "image", "yolod": {)" + keys + "}}"), Catch::Contains("neither"));
  CHECK_THAT(problem_of(R"({"task": "detect", "end2end": true, "yolod": {)" + keys + "}}"),
             Catch::Contains("contradict"));
}

TEST_CASE("PictureRules: the values of the config come first", "[model][unit]") {
  PictureRules rules;
  rules.fit = image::Fit::kLetterbox;
  rules.multi_label = true;
  common::ModelConfig config;
  CHECK(with_config(rules, config) == rules);
  config.resize = common::ResizeMode::kStretch;
  CHECK(with_config(rules, config).fit == image::Fit::kStretch);
  config.detect.multi_label = common::AutoBool::kFalse;
  CHECK_FALSE(with_config(rules, config).multi_label);
  config.preprocess.crop = common::CropMode::kCenter;
  CHECK(with_config(rules, config).fit == image::Fit::kCrop);
}

TEST_CASE("PictureRules: the rounding of a picture's place follows the program that the sampling comes from",
          "[model][unit]") {
  PictureRules rules;
  rules.sampling = image::Sampling::kCornersAligned;
  CHECK(rounding_of(rules) == image::Rounding::kTruncated);
  rules.sampling = image::Sampling::kCentersAligned;
  CHECK(rounding_of(rules) == image::Rounding::kHalfToEven);
  rules.sampling = image::Sampling::kAveraged;
  CHECK(rounding_of(rules) == image::Rounding::kHalfToEven);
}

// ---- heads ----

TEST_CASE("HeadGuess: the number of names decides between the layouts", "[model][unit]") {
  check_head({25200, 85}, detector_with(80), HeadLayout::kByObjectness, 80);
  check_head({84, 8400}, detector_with(80), HeadLayout::kByScores, 80);
  check_head({300, 6}, detector_with(80), HeadLayout::kFinal, 0);
  check_head({25200, 6}, detector_with(1), HeadLayout::kByObjectness, 1);
  check_head({5, 8400}, detector_with(1), HeadLayout::kByScores, 1);
  // The numbers of rows and columns are nearly equal, so only the names decide.
  check_head({86, 85}, detector_with(80), HeadLayout::kByObjectness, 80);
  check_head({84, 83}, detector_with(80), HeadLayout::kByScores, 80);
}

TEST_CASE("HeadGuess: without names the shorter side holds the values of a candidate", "[model][unit]") {
  check_head({25200, 85}, detector_with(0), HeadLayout::kByObjectness, 80);
  check_head({84, 8400}, detector_with(0), HeadLayout::kByScores, 80);
  check_head({25200, 6}, detector_with(0), HeadLayout::kByObjectness, 1);
}

// A YOLOv5 at 96 pixels has 567 rows from its grids: 3 x (12 x 12 + 6 x 6 + 3 x 3).
TEST_CASE("HeadGuess: for a shape that fits several layouts the error names the config key to set", "[model][unit]") {
  const auto problem = [](const Sides& sides, std::size_t class_count) {
    const auto guess = TestHead(sides).guess(detector_with(class_count));
    return guess ? std::string() : guess.error().message;
  };
  CHECK(
      problem({567, 6}, 1) ==
      "torchscript.layout: its output [n, 567, 6] with 1 name fits more than one layout: the config must say yolov5 or "
      "end_to_end");
  CHECK_THAT(problem({300, 6}, 0), Catch::Contains("[n, 300, 6] fits more") && Catch::EndsWith("yolov5 or end_to_end"));
  CHECK_THAT(problem({84, 85}, 80), Catch::EndsWith("yolov5 or yolov8"));
  CHECK_THAT(problem({5, 6}, 1), Catch::EndsWith("yolov5 or yolov8 or end_to_end"));
  CHECK(problem({1001, 6}, 1).empty());

  auto hints = detector_with(1);
  hints.layout = TorchScriptLayout::kYolov5;
  check_head({567, 6}, hints, HeadLayout::kByObjectness, 1);
  hints.layout = TorchScriptLayout::kEndToEnd;
  check_head({567, 6}, hints, HeadLayout::kFinal, 0);
  hints.layout = TorchScriptLayout::kAuto;
  hints.end_to_end = true;
  check_head({567, 6}, hints, HeadLayout::kFinal, 0);
}

TEST_CASE("HeadGuess: a layout from the config is used, and the output must fit that layout", "[model][unit]") {
  auto hints = detector_with(0);
  hints.layout = TorchScriptLayout::kYolov8;
  check_head({25200, 85}, hints, HeadLayout::kByScores, 25196);
  CHECK_FALSE(TestHead({4, 85}).guess(hints));
  hints.layout = TorchScriptLayout::kYolov5;
  check_head({10, 6}, hints, HeadLayout::kByObjectness, 1);
  CHECK_FALSE(TestHead({10, 5}).guess(hints));
  hints.layout = TorchScriptLayout::kEndToEnd;
  check_head({5000, 6}, hints, HeadLayout::kFinal, 0);
  CHECK_FALSE(TestHead({5000, 7}).guess(hints));
}

TEST_CASE("HeadGuess: a file that declares itself end-to-end may have no boxes", "[model][unit]") {
  auto hints = detector_with(2);
  hints.end_to_end = true;
  check_head({0, 6}, hints, HeadLayout::kFinal, 0);
}

TEST_CASE("HeadGuess: the error for an output that fits no layout contains its shape", "[model][unit]") {
  for (const Sides& sides : {Sides{25200, 84}, Sides{83, 8400}, Sides{10}, Sides{3, 4, 5}, Sides{0, 85}, Sides{}}) {
    const auto guess = TestHead(sides).guess(detector_with(80));
    REQUIRE_FALSE(guess);
    CHECK_THAT(guess.error().message, Catch::Contains("[n"));
  }
}

TEST_CASE("HeadGuess: small centres mean boxes in fractions, unless the config sets the coordinates", "[model][unit]") {
  auto hints = detector_with(80);
  for (const Sides& sides : {Sides{2100, 85}, Sides{84, 2100}}) {
    CHECK(TestHead(sides, 0.5F, 0.98F).guess(hints)->boxes_are_fractions);
    CHECK_FALSE(TestHead(sides, 0.5F, 300).guess(hints)->boxes_are_fractions);
    CHECK_FALSE(TestHead(sides, std::numeric_limits<float>::quiet_NaN(), 300).guess(hints)->boxes_are_fractions);
  }
  hints.coordinates = BoxCoordinates::kFractions;
  CHECK(TestHead({2100, 85}, 0.5F, 300).guess(hints)->boxes_are_fractions);
  hints.coordinates = BoxCoordinates::kPixels;
  CHECK_FALSE(TestHead({2100, 85}, 0.5F, 0.98F).guess(hints)->boxes_are_fractions);
}

TEST_CASE("HeadGuess: the reach of the candidates shows that a trace was made for another size", "[model][unit]") {
  auto hints = detector_with(80);
  hints.input_width = 320;
  CHECK(TestHead({2100, 85}, 0.5F, 304).guess(hints)->reach == Approx(0.95));
  CHECK(TestHead({84, 2100}, 0.5F, 0.98F).guess(hints)->reach == Approx(0.98));
  CHECK(TestHead({2100, 85}, 0.5F, 1.98F).guess(hints)->reach == Approx(1.98));
  CHECK(TestHead({2100, 85}, 0.5F, 3).guess(hints)->reach == Approx(3 / 320.0));
  CHECK(TestHead({300, 6}, 0.5F, 3).guess(hints)->reach == 1);

  hints.input_height = 160;
  TestHead tall({2100, 85}, 0.5F, 304);
  tall.values[85 + 1] = 152;  // y of the second candidate
  CHECK(tall.guess(hints)->reach_down == Approx(0.95));
  TestHead by_scores({84, 2100}, 0.5F, 304);
  by_scores.values[2100 + 1] = 152;
  CHECK(by_scores.guess(hints)->reach_down == Approx(0.95));
  CHECK(TestHead({84, 2100}, 0.5F, 0.98F).guess(hints)->reach_down == Approx(0.5));
  CHECK(TestHead({300, 6}, 0.5F, 3).guess(hints)->reach_down == 1);
}

TEST_CASE("HeadGuess: the guess reports conclusions, but not what the config already says", "[model][unit]") {
  auto hints = detector_with(80);
  const auto guess = TestHead({2100, 85}).guess(hints);
  CHECK_THAT(guess->told_by, Catch::Contains("yolov5") && Catch::Contains("pixels"));
  hints.layout = TorchScriptLayout::kYolov5;
  hints.coordinates = BoxCoordinates::kPixels;
  CHECK(TestHead({2100, 85}).guess(hints)->told_by.empty());
}

TEST_CASE("HeadGuess: probabilities and logits are distinguished", "[model][unit]") {
  Hints hints;
  hints.task = Task::kClassify;
  const auto logits = [&](const std::vector<float>& values) {
    const auto guess = guess_head({{values.size()}, values}, hints);
    REQUIRE(guess);
    CHECK(guess->classes == values.size());
    return guess->logits;
  };
  CHECK_FALSE(logits({0.25F, 0.5F, 0.25F}));
  CHECK_FALSE(logits({1, 0, 0}));
  CHECK(logits({0.25F, 0.5F, 0.5F}));
  CHECK(logits({-0.5F, 1, 0.5F}));
  CHECK(logits({1, std::numeric_limits<float>::quiet_NaN()}));
  hints.logits = false;
  CHECK_FALSE(logits({0.25F, 0.5F, 0.5F}));
  hints.layout = TorchScriptLayout::kLogits;
  CHECK(logits({0.25F, 0.5F, 0.25F}));
}

TEST_CASE("HeadGuess: a classifier's output may end in dimensions of 1, but in no others", "[model][unit]") {
  Hints hints;
  hints.task = Task::kClassify;
  CHECK(TestHead({10, 1, 1}).guess(hints)->classes == 10);
  for (const Sides& sides : {Sides{10, 2}, Sides{1, 10}, Sides{10, 1, 2}}) CHECK_FALSE(TestHead(sides).guess(hints));
}

TEST_CASE("HeadGuess: an output picture has three channels", "[model][unit]") {
  Hints hints;
  hints.task = Task::kImage;
  CHECK(TestHead({3, 4, 5}).guess(hints)->task == Task::kImage);
  for (const Sides& sides : {Sides{1, 4, 5}, Sides{4, 5}, Sides{3, 4, 5, 6}, Sides{3, 0, 5}}) {
    CHECK_FALSE(TestHead(sides).guess(hints));
  }
}

TEST_CASE("HeadGuess: the number of dimensions decides the task if no task is given", "[model][unit]") {
  CHECK(task_by_shape({1000}) == Task::kClassify);
  CHECK(task_by_shape({1000, 1, 1}) == Task::kClassify);
  CHECK(task_by_shape({84, 8400}) == Task::kDetect);
  CHECK(task_by_shape({3, 64, 64}) == Task::kImage);
  CHECK_FALSE(task_by_shape({32, 64, 64}));
  CHECK_FALSE(task_by_shape({}));
}

// ---- arrays ----

namespace {

TensorArray array_of(std::int64_t length) {
  return {ElementType::kUint8, {length}, std::vector<std::byte>(static_cast<std::size_t>(length))};
}

std::string npz_of(const std::vector<std::string>& names) {
  std::vector<NamedTensor> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) tensors.push_back({names[i], array_of(static_cast<int>(i) + 1)});
  return to_npz(tensors);
}

// Returns the lengths of the arrays. The length identifies the array.
std::vector<std::int64_t> lengths(const std::string& body, const std::vector<std::string>& inputs, bool more = false) {
  const auto arrays = read_arrays(body, inputs, more);
  INFO((arrays ? "" : arrays.error().message));
  REQUIRE(arrays);
  std::vector<std::int64_t> result;
  for (const auto& array : *arrays) result.push_back(array.shape.at(0));
  return result;
}

}  // namespace

TEST_CASE("TensorArrays: a single array is an .npy file or an .npz file with one array", "[model][unit]") {
  CHECK(lengths(to_npy(array_of(7)), {"x"}) == std::vector<std::int64_t>{7});
  CHECK(lengths(npz_of({"x"}), {"x"}) == std::vector<std::int64_t>{1});
  CHECK(lengths(npz_of({"arr_0"}), {"x"}) == std::vector<std::int64_t>{1});
}

TEST_CASE("TensorArrays: several arrays are assigned by their names or by their numbers", "[model][unit]") {
  CHECK(lengths(npz_of({"b", "a"}), {"a", "b"}) == std::vector<std::int64_t>{2, 1});
  CHECK(lengths(npz_of({"arr_1", "arr_0"}), {"a", "b"}) == std::vector<std::int64_t>{2, 1});
  CHECK(lengths(npz_of({"arr_2", "arr_0", "arr_1"}), {"list"}, true) == std::vector<std::int64_t>{2, 3, 1});
}

TEST_CASE("TensorArrays: a body that does not fit the inputs is a bad request, and the error names the inputs",
          "[model][unit]") {
  const std::vector<std::string> inputs{"left", "right"};
  for (const auto& body :
       {std::string("not an array"), std::string("PK and more"), to_npy(array_of(1)), npz_of({}), npz_of({"left"}),
        npz_of({"left", "x"}), npz_of({"arr_0", "arr_2"}), npz_of({"left", "right", "x"})}) {
    const auto arrays = read_arrays(body, inputs, false);
    REQUIRE_FALSE(arrays);
    CHECK(arrays.error().code == common::ErrorCode::kBadRequest);
  }
  CHECK_THAT(read_arrays(to_npy(array_of(1)), inputs, false).error().message, Catch::Contains("left, right"));
}

TEST_CASE("TensorArrays: the answer with one array is .npy, with any other number .npz", "[model][unit]") {
  CHECK(write_arrays({{"y", array_of(1)}}).type == common::FileType::kNpy);
  CHECK(write_arrays({{"y", array_of(1)}, {"z", array_of(2)}}).type == common::FileType::kNpz);
  CHECK(write_arrays({}).type == common::FileType::kNpz);
}
