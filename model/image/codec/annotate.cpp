#include "model/image/codec/annotate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "model/image/codec/encode.hpp"

namespace yolod::model::image {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// Uses hues a golden angle apart, so that neighbouring class ids look different.
cv::Scalar color_of(std::uint32_t class_id) {
  const auto hue = static_cast<unsigned char>(std::fmod(static_cast<double>(class_id) * 137.508, 360.0) / 2);
  cv::Mat pixel(1, 1, CV_8UC3, cv::Scalar(hue, 200, 255));
  cv::cvtColor(pixel, pixel, cv::COLOR_HSV2BGR);
  const auto bgr = pixel.at<cv::Vec3b>(0, 0);
  return {static_cast<double>(bgr[0]), static_cast<double>(bgr[1]), static_cast<double>(bgr[2])};
}

std::string caption(const common::Detection& detection, std::span<const std::string> labels) {
  std::array<char, 16> confidence{};
  std::snprintf(confidence.data(), confidence.size(), " %.2f", static_cast<double>(detection.confidence));
  const auto label =
      detection.class_id < labels.size() ? labels[detection.class_id] : std::to_string(detection.class_id);
  return label + confidence.data();
}

void draw(cv::Mat& canvas, const common::Detection& detection, std::span<const std::string> labels) {
  const int shorter = std::min(canvas.cols, canvas.rows);
  const int thickness = std::max(1, shorter / 300);
  const double font_scale = std::max(0.4, shorter / 900.0);
  const auto color = color_of(detection.class_id);
  const cv::Point corner(static_cast<int>(std::lround(detection.box.x_min)),
                         static_cast<int>(std::lround(detection.box.y_min)));
  const cv::Point opposite(static_cast<int>(std::lround(detection.box.x_max)),
                           static_cast<int>(std::lround(detection.box.y_max)));
  cv::rectangle(canvas, corner, opposite, color, thickness);

  const auto text = caption(detection, labels);
  int baseline = 0;
  const auto size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, font_scale, thickness, &baseline);
  const int height = size.height + baseline + 2 * thickness;
  // Places the text above the box, or inside the box if there is no room above.
  const int top = corner.y >= height ? corner.y - height : corner.y;
  const int left = std::clamp(corner.x, 0, std::max(0, canvas.cols - size.width));
  cv::rectangle(canvas, {left, top}, {left + size.width, top + height}, color, cv::FILLED);
  cv::putText(canvas, text, {left, top + size.height + thickness}, cv::FONT_HERSHEY_SIMPLEX, font_scale,
              cv::Scalar(0, 0, 0), thickness, cv::LINE_AA);
}

}  // namespace

Outcome<std::vector<std::byte>> annotate(const Picture& picture, std::span<const common::Detection> detections,
                                         std::span<const std::string> labels, common::FileType type) {
  try {
    const auto view = picture.view();
    // The view is on constant pixels, but the canvas is a copy.
    auto* pixels = const_cast<std::uint8_t*>(view.bgr);
    cv::Mat canvas = cv::Mat(view.height, view.width, CV_8UC3, pixels, view.stride_bytes).clone();
    // Draws the most confident detections last, so that they lie on top.
    for (auto i = std::min(detections.size(), kMostDrawn); i > 0; --i) draw(canvas, detections[i - 1], labels);
    return encode({canvas.data, canvas.cols, canvas.rows, canvas.step[0]}, type);
  } catch (const std::exception&) {
    return Error{ErrorCode::kInternal, "the picture cannot be drawn or encoded"};
  }
}

}  // namespace yolod::model::image
