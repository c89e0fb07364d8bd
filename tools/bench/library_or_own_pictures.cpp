// Compares the resize before a network and the views of test-time augmentation with OpenCV's and ATen's.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <random>

#include "model/image/placement.hpp"
#include "model/image/resize.hpp"
#include "model/image/scale.hpp"
#include "tools/bench/library_or_own.hpp"

namespace yolod::bench {
namespace {

using model::image::Fit;
using model::image::Rounding;
using model::image::Sampling;
using model::image::Size;
using Floats = std::vector<float>;

std::size_t value_count(Size size) {
  return 3 * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

// Draws waves of several lengths with some noise.
std::vector<std::uint8_t> picture_of(Size size) {
  std::vector<std::uint8_t> bytes(value_count(size));
  std::mt19937 random(3);
  const auto row = 3 * static_cast<std::size_t>(size.width);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto x = static_cast<double>(i % row / 3);
    const auto y = static_cast<double>(i / row);
    const double wave = 60 * std::sin(x / 7) + 50 * std::cos(y / 11 + static_cast<double>(i % 3));
    bytes[i] = static_cast<std::uint8_t>(std::clamp(128 + wave + static_cast<double>(random() % 9), 0.0, 255.0));
  }
  return bytes;
}

std::string difference(const Floats& one, const Floats& other, double scale, const char* unit) {
  double worst = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(one[i]) - static_cast<double>(other[i])));
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "at most %.2g %s", scale * worst, unit);
  return text.data();
}

// As a network's input is filled, without a crop: [height, width, 3] float, RGB, 0..1.
class ResizeCase {
 public:
  ResizeCase(Size from, Size to) : from_(from), to_(to), picture_(picture_of(from)) {}

  void own(Sampling sampling, Floats& out) const {
    model::image::resize_into({picture_.data(), from_.width, from_.height, 3 * static_cast<std::size_t>(from_.width)},
                              place(Fit::kStretch, from_, to_, Rounding::kTruncated), to_, {}, sampling, out);
  }

  // In 8 bits, as Ultralytics' LetterBox calls it.
  void opencv_bytes(Floats& out) const {
    cv::Mat small;
    cv::resize(as_mat(), small, {to_.width, to_.height}, 0, 0, cv::INTER_LINEAR);
    cv::cvtColor(small, small, cv::COLOR_BGR2RGB);
    cv::Mat input(to_.height, to_.width, CV_32FC3, out.data());
    small.convertTo(input, CV_32F, 1 / 255.0);
  }

  // In floats: what is blended is not rounded to a byte.
  void opencv_floats(Floats& out) const {
    cv::Mat values;
    as_mat().convertTo(values, CV_32F, 1 / 255.0);
    cv::Mat input(to_.height, to_.width, CV_32FC3, out.data());
    cv::resize(values, input, input.size(), 0, 0, cv::INTER_LINEAR);
    cv::cvtColor(input, input, cv::COLOR_BGR2RGB);
  }

  void aten(Sampling sampling, Floats& out) const {
    const c10::InferenceMode no_gradients;
    const auto bytes = at::from_blob(const_cast<std::uint8_t*>(picture_.data()), {1, from_.height, from_.width, 3},
                                     at::TensorOptions(at::kByte));
    const auto values = bytes.permute({0, 3, 1, 2}).to(at::kFloat);
    const std::array<std::int64_t, 2> size{to_.height, to_.width};
    auto resized = sampling == Sampling::kAveraged
                       ? at::_upsample_bilinear2d_aa(values, size, false)
                       : at::upsample_bilinear2d(values, size, sampling == Sampling::kCornersAligned);
    resized = resized.flip(1).mul_(1.0F / 255.0F);
    auto input = at::from_blob(out.data(), {1, to_.height, to_.width, 3}, at::TensorOptions(at::kFloat));
    input.copy_(resized.permute({0, 2, 3, 1}));
  }

  void print(Sampling sampling, const std::string& name, int rounds) const {
    Floats reference(value_count(to_));
    Floats from_bytes(reference.size());
    Floats from_floats(reference.size());
    Floats from_aten(reference.size());
    own(sampling, reference);
    aten(sampling, from_aten);
    std::vector<Way> ways{{"own: model/image/resize", [&] { own(sampling, reference); }}};
    if (sampling == Sampling::kCentersAligned) {
      opencv_bytes(from_bytes);
      opencv_floats(from_floats);
      ways.push_back(
          {"cv::resize of bytes", [&] { opencv_bytes(from_bytes); }, difference(reference, from_bytes, 255, "of 255")});
      ways.push_back({"cv::resize of floats", [&] { opencv_floats(from_floats); },
                      difference(reference, from_floats, 255, "of 255")});
    }
    ways.push_back({sampling == Sampling::kAveraged ? "at::_upsample_bilinear2d_aa" : "at::upsample_bilinear2d",
                    [&] { aten(sampling, from_aten); }, difference(reference, from_aten, 255, "of 255")});
    compare("resize, " + name + ", " + text(from_) + " to " + text(to_), ways, 1, rounds);
  }

 private:
  static std::string text(Size size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }
  [[nodiscard]] cv::Mat as_mat() const {
    return {from_.height, from_.width, CV_8UC3, const_cast<std::uint8_t*>(picture_.data())};
  }

  Size from_;
  Size to_;
  std::vector<std::uint8_t> picture_;
};

using Scale = void (*)(const Floats&, Size, const model::image::ScaledView&, Floats&);

void scale_own(const Floats& input, Size size, const model::image::ScaledView& view, Floats& out) {
  model::image::scale_into(input, size, view, out);
}

void scale_opencv(const Floats& input, Size size, const model::image::ScaledView& view, Floats& out) {
  const cv::Mat from(size.height, size.width, CV_32FC3, const_cast<float*>(input.data()));
  cv::Mat to(view.output.height, view.output.width, CV_32FC3, out.data());
  const auto& padding = view.padding;
  to.setTo(
      cv::Scalar(static_cast<double>(padding[0]), static_cast<double>(padding[1]), static_cast<double>(padding[2])));
  cv::Mat corner = to(cv::Rect(0, 0, view.scaled.width, view.scaled.height));
  cv::resize(from, corner, corner.size(), 0, 0, cv::INTER_LINEAR);
  if (view.mirrored) cv::flip(corner, corner, 1);
}

void scale_aten(const Floats& input, Size size, const model::image::ScaledView& view, Floats& out) {
  const c10::InferenceMode no_gradients;
  const at::TensorOptions floats(at::kFloat);
  auto from = at::from_blob(const_cast<float*>(input.data()), {1, size.height, size.width, 3}, floats);
  from = from.permute({0, 3, 1, 2});
  if (view.mirrored) from = from.flip(3);
  const auto scaled = at::upsample_bilinear2d(from, {view.scaled.height, view.scaled.width}, false);
  auto to = at::from_blob(out.data(), {view.output.height, view.output.width, 3}, floats);
  to.copy_(at::from_blob(const_cast<float*>(view.padding.data()), {3}, floats));
  to.slice(0, 0, view.scaled.height).slice(1, 0, view.scaled.width).copy_(scaled[0].permute({1, 2, 0}));
}

// Scales noise to both views of a network of 640 x 640: the ways differ most there.
void compare_scales(int rounds) {
  constexpr Size kInput{640, 640};
  const std::array<model::image::ScaledView, 2> views{
      {{true, {531, 531}, {576, 576}, {0.4F, 0.5F, 0.6F}}, {false, {428, 428}, {448, 448}, {0.4F, 0.5F, 0.6F}}}};
  Floats input(value_count(kInput));
  std::mt19937 random(1);
  for (float& value : input) value = static_cast<float>(random() % 256) / 255;
  std::array<Floats, 2> out{Floats(value_count(views[0].output)), Floats(value_count(views[1].output))};
  const auto both = [&](Scale scale) {
    for (std::size_t i = 0; i < views.size(); ++i) scale(input, kInput, views[i], out[i]);
  };
  both(scale_aten);  // as Ultralytics' programs do
  const auto reference = out;
  const auto way = [&](const char* name, Scale scale) {
    both(scale);
    auto remark =
        difference(reference[0], out[0], 1e6, "millionths, ") + difference(reference[1], out[1], 1e6, "millionths");
    return Way{name, [&both, scale] { both(scale); }, remark};
  };
  compare("two views of 640 x 640 for test-time augmentation; differences from PyTorch's interpolate()",
          {way("own: model/image/scale", scale_own), way("cv::resize, cv::flip", scale_opencv),
           way("at::upsample_bilinear2d", scale_aten)},
          1, rounds);
}

}  // namespace

void compare_pictures(int rounds) {
  cv::setNumThreads(1);
  at::set_num_threads(1);
  compare_scales(rounds);
  for (const auto& [from, to] : {std::pair<Size, Size>{{768, 576}, {416, 416}}, {{1920, 1080}, {640, 640}}}) {
    const ResizeCase one(from, to);
    one.print(Sampling::kCornersAligned, "Darknet's", rounds);
    one.print(Sampling::kCentersAligned, "Ultralytics'", rounds);
    one.print(Sampling::kAveraged, "torchvision's", rounds);
  }
}

}  // namespace yolod::bench
