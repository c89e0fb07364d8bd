// LibTorch must come before Catch. CMakeLists.txt gives the reason.
#include <ATen/ATen.h>

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "tools/train/ciou.hpp"

using yolod::train::ciou;

namespace {

using Box = std::array<float, 4>;  // centre and size

at::Tensor tensor_of(const Box& box) { return at::tensor(box).view({1, 4}); }
double value(const Box& box, const Box& truth) { return ciou(tensor_of(box), tensor_of(truth)).item<double>(); }

// Returns the gradient of CIoU by the box's values.
std::array<double, 4> gradient(const Box& box, const Box& truth) {
  auto boxes = tensor_of(box).requires_grad_();
  ciou(boxes, tensor_of(truth)).sum().backward();
  std::array<double, 4> result{};
  for (std::size_t i = 0; i < 4; ++i) result[i] = boxes.grad()[0][static_cast<std::int64_t>(i)].item<double>();
  return result;
}

}  // namespace

TEST_CASE("CIoU: the CIoU of equal boxes is 1", "[train][unit]") {
  CHECK(value({10, 20, 4, 8}, {10, 20, 4, 8}) == Approx(1).margin(1e-5));
}

TEST_CASE("CIoU: distance lowers the CIoU of boxes of the same shape", "[train][unit]") {
  // The boxes lie side by side: they do not overlap, their centres are 4 apart, and a box of 8 x 4 encloses both.
  CHECK(value({0, 0, 4, 4}, {4, 0, 4, 4}) == Approx(-16.0 / 80).margin(1e-5));
  // Each box covers half of the other: their IoU is a third, their centres are 2 apart, and a box of 6 x 4 encloses
  // both.
  CHECK(value({0, 0, 4, 4}, {2, 0, 4, 4}) == Approx(1.0 / 3 - 4.0 / 52).margin(1e-5));
}

TEST_CASE("CIoU: different shapes lower the CIoU of boxes with the same centre", "[train][unit]") {
  const double iou = 16.0 / 48;
  const double angles = std::atan(0.5) - std::atan(2.0);
  const double v = 4 / (std::numbers::pi * std::numbers::pi) * angles * angles;
  CHECK(value({0, 0, 4, 8}, {0, 0, 8, 4}) == Approx(iou - v / (1 - iou + v) * v).margin(1e-5));
}

TEST_CASE("CIoU: the gradient leads to the truth, also from a large distance", "[train][unit]") {
  for (const Box& box : {Box{1, 0, 4, 4}, Box{30, 0, 4, 4}}) CHECK(gradient(box, {0, 0, 4, 4})[0] < 0);
  CHECK(gradient({-30, -30, 4, 4}, {0, 0, 4, 4})[0] > 0);
  CHECK(gradient({-30, -30, 4, 4}, {0, 0, 4, 4})[1] > 0);
  const auto of_small = gradient({0, 0, 2, 2}, {0, 0, 4, 4});
  CHECK(of_small[2] > 0);
  CHECK(of_small[3] > 0);
  const auto of_large = gradient({0, 0, 8, 8}, {0, 0, 4, 4});
  CHECK(of_large[2] < 0);
  CHECK(of_large[3] < 0);
}
