#include "tools/train/ciou.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace yolod::train {
namespace {

constexpr double kTiny = 1e-7;

struct Corners {
  at::Tensor low;   // [n, 2]
  at::Tensor high;  // [n, 2]
};

Corners corners_of(const at::Tensor& centers, const at::Tensor& sizes) {
  return {centers - sizes / 2, centers + sizes / 2};
}

at::Tensor angle_of(const at::Tensor& sizes) { return at::atan(sizes.select(1, 0) / (sizes.select(1, 1) + kTiny)); }

}  // namespace

at::Tensor ciou(const at::Tensor& boxes, const at::Tensor& truths) {
  const auto centers = boxes.narrow(1, 0, 2);
  const auto sizes = boxes.narrow(1, 2, 2);
  const auto true_centers = truths.narrow(1, 0, 2);
  const auto true_sizes = truths.narrow(1, 2, 2);
  const auto [low, high] = corners_of(centers, sizes);
  const auto [true_low, true_high] = corners_of(true_centers, true_sizes);

  const auto shared = (at::minimum(high, true_high) - at::maximum(low, true_low)).clamp_min(0).prod(1);
  const auto iou = shared / (sizes.prod(1) + true_sizes.prod(1) - shared + kTiny);
  const auto diagonal = (at::maximum(high, true_high) - at::minimum(low, true_low)).square().sum(1) + kTiny;
  const auto distance = (centers - true_centers).square().sum(1);
  const auto v = (angle_of(true_sizes) - angle_of(sizes)).square() * (4 / (std::numbers::pi * std::numbers::pi));
  const auto alpha = (v / (1 - iou + v + kTiny)).detach();
  return iou - distance / diagonal - alpha * v;
}

}  // namespace yolod::train
