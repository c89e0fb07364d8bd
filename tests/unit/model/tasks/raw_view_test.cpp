// Tests a detector's raw view: planes in, the network's output out.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/model/tiny_detector.hpp"

using namespace yolod;

namespace {

// Returns the planes of 4 x 4 pixels that are black, except for a red pixel at the upper left corner.
std::vector<float> planes_with_red_corner() {
  std::vector<float> planes(3 * 4 * 4);
  planes[0] = 1;
  return planes;
}

model::Input raw_input(const std::vector<float>& planes) {
  model::Input input{std::as_bytes(std::span(planes)), common::ContentKind::kPlanes};
  input.options.tensors = true;
  return input;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("RawView: planes give boxes in pixels, and scores with objectness", "[model][torch]") {
  tests::TinyDetector detector;
  const auto model = detector.load();
  CHECK(model->description().input_channels == 3);
  CHECK(model->description().raw_output == std::array<std::uint32_t, 2>{6, 4});
  const auto red = planes_with_red_corner();
  const std::vector<float> black(red.size());
  const std::vector<model::Input> inputs{raw_input(black), raw_input(red)};
  const auto outputs = model->run(inputs);
  REQUIRE(outputs.size() == 2);
  REQUIRE(outputs[1].prediction.ok());
  const auto& list = std::get<common::TensorList>(*outputs[1].prediction);
  REQUIRE(list.tensors.size() == 1);
  CHECK(list.tensors[0].name == "output0");
  const auto& array = list.tensors[0].array;
  REQUIRE(array.shape == std::vector<std::int64_t>{6, 4});
  std::vector<float> values(24);
  REQUIRE(array.bytes.size() == sizeof(float) * values.size());
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  // Each row has a value of the four cells.
  CHECK(values[0] == Approx(1).margin(0.01));
  CHECK(values[1] == Approx(3).margin(0.01));
  CHECK(values[4] == Approx(1).margin(0.01));
  CHECK(values[8] == Approx(2).margin(0.01));
  CHECK(values[12] == Approx(2).margin(0.01));
  CHECK(values[16] == Approx(sigmoid(10) * sigmoid(3)).margin(0.001));
  CHECK(values[17] == Approx(sigmoid(-10) * sigmoid(3)).margin(0.001));
  CHECK(values[20] == values[16]);
}

TEST_CASE("RawView: planes of another size, and an output above the limit, fail their own input", "[model][torch]") {
  tests::TinyDetector detector;
  detector.config.limits.max_result_bytes = 64;
  const auto model = detector.load();
  const std::vector<float> small(5);
  const auto red = planes_with_red_corner();
  const std::vector<model::Input> inputs{raw_input(small), raw_input(red)};
  const auto outputs = model->run(inputs);
  CHECK(outputs[0].prediction.error().code == common::ErrorCode::kBadRequest);
  CHECK(outputs[1].prediction.error().message.find("limits.max_result_bytes is 64") != std::string::npos);
}
