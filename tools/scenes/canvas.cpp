#include "tools/scenes/canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

namespace yolod::scenes {
namespace {

// Points are passed to OpenCV in units of 1/16 pixel.
constexpr int kShift = 4;
constexpr float kUnit = 1 << kShift;
constexpr float kFarthest = 30000;  // pixels outside the picture
constexpr std::size_t kMaxCorners = 64;
constexpr int kStandsOut = 10;  // levels, the mean of the channels

cv::Scalar scalar(const Color& color) { return {color[0], color[1], color[2]}; }

// OpenCV's pixel (0, 0) extends from -0.5 to 0.5; here it extends from 0 to 1.
struct FixedPoints {
  FixedPoints(std::span<const cv::Point2f> points, const cv::Point2f& origin, float scale) {
    for (const auto& point : points.first(std::min(points.size(), kMaxCorners))) {
      const auto fixed = [&](float x) {
        return static_cast<int>(std::lround((std::clamp(x, -kFarthest, kFarthest) - 0.5F) * kUnit));
      };
      corners[count++] = {fixed((point.x - origin.x) * scale), fixed((point.y - origin.y) * scale)};
    }
  }
  std::array<cv::Point, kMaxCorners> corners;
  std::size_t count{0};
};

bool misses(const FixedPoints& points, const cv::Mat& picture) {
  int left = points.corners[0].x;
  int right = left;
  int top = points.corners[0].y;
  int bottom = top;
  for (std::size_t i = 1; i < points.count; ++i) {
    left = std::min(left, points.corners[i].x);
    right = std::max(right, points.corners[i].x);
    top = std::min(top, points.corners[i].y);
    bottom = std::max(bottom, points.corners[i].y);
  }
  return right < -kUnit || bottom < -kUnit || left > (static_cast<float>(picture.cols) + 1) * kUnit ||
         top > (static_cast<float>(picture.rows) + 1) * kUnit;
}

}  // namespace

Patch::Patch(const cv::Rect& area, int scale)
    : area_(area),
      scale_(scale),
      colors_(std::max(area.height, 1) * scale, std::max(area.width, 1) * scale, CV_8UC3, cv::Scalar::all(0)),
      mask_(colors_.size(), CV_8UC1, cv::Scalar::all(0)) {
  area_.width = std::max(area_.width, 1);
  area_.height = std::max(area_.height, 1);
}

void Patch::fill(std::span<const cv::Point2f> convex, const Color& color) {
  const FixedPoints points(convex, area_.tl(), static_cast<float>(scale_));
  const auto count = static_cast<int>(points.count);
  cv::fillConvexPoly(colors_, points.corners.data(), count, scalar(color), cv::LINE_8, kShift);
  cv::fillConvexPoly(mask_, points.corners.data(), count, cv::Scalar::all(255), cv::LINE_8, kShift);
}

void Patch::disc(const cv::Point2f& center, float radius, const Color& color) {
  const auto scale = static_cast<float>(scale_);
  const cv::Point at(static_cast<int>(std::floor((center.x - static_cast<float>(area_.x)) * scale)),
                     static_cast<int>(std::floor((center.y - static_cast<float>(area_.y)) * scale)));
  const int around = static_cast<int>(std::lround(radius * scale - 0.5F));
  if (around < 0) return;
  cv::circle(colors_, at, around, scalar(color), cv::FILLED);
  cv::circle(mask_, at, around, cv::Scalar::all(255), cv::FILLED);
}

cv::Rect2f Patch::covered() const {
  const auto box = cv::boundingRect(mask_);
  const auto scale = static_cast<float>(scale_);
  return {static_cast<float>(area_.x) + static_cast<float>(box.x) / scale,
          static_cast<float>(area_.y) + static_cast<float>(box.y) / scale, static_cast<float>(box.width) / scale,
          static_cast<float>(box.height) / scale};
}

float Patch::covered_pixels() const {
  return static_cast<float>(cv::countNonZero(mask_)) / static_cast<float>(scale_ * scale_);
}

Canvas::Canvas(cv::Size size)
    : picture_(size, CV_8UC3, cv::Scalar::all(0)), marks_(size, CV_8UC1, cv::Scalar::all(0)) {}

void Canvas::fill(std::span<const cv::Point2f> convex, const Color& color) { fill(convex, color, cv::LINE_AA); }

void Canvas::fill_roughly(const std::array<cv::Point2f, 4>& convex, const Color& color) {
  fill(convex, color, cv::LINE_8);
}

void Canvas::fill(std::span<const cv::Point2f> convex, const Color& color, int edges) {
  const FixedPoints points(convex, {0, 0}, 1);
  if (points.count < 3 || misses(points, picture_)) return;
  const auto count = static_cast<int>(points.count);
  cv::fillConvexPoly(picture_, points.corners.data(), count, scalar(color), edges, kShift);
  if (marked_) cv::fillConvexPoly(marks_, points.corners.data(), count, cv::Scalar::all(kNothing), cv::LINE_8, kShift);
}

void Canvas::stroke(const cv::Point2f& from, const cv::Point2f& to, float width, const Color& color) {
  const auto along = to - from;
  const float length = std::hypot(along.x, along.y);
  if (length <= 0) return;
  const cv::Point2f across(-along.y / length * width / 2, along.x / length * width / 2);
  fill({from + across, to + across, to - across, from - across}, color);
}

float Canvas::put(const Patch& patch, std::uint8_t housing, std::span<const cv::Point2f> lens_outline,
                  std::uint8_t lens) {
  const auto seen = patch.area() & bounds();
  if (seen.empty()) return 0;
  const auto& area = patch.area();
  cv::Mat colors;
  cv::Mat mask;
  cv::resize(patch.colors(), colors, area.size(), 0, 0, cv::INTER_AREA);
  cv::resize(patch.mask(), mask, area.size(), 0, 0, cv::INTER_AREA);
  cv::Mat in_lens;
  if (!lens_outline.empty()) {
    in_lens = cv::Mat(area.size(), CV_8UC1, cv::Scalar::all(0));
    const FixedPoints points(lens_outline, area.tl(), 1);
    cv::fillConvexPoly(in_lens, points.corners.data(), static_cast<int>(points.count), cv::Scalar::all(255), cv::LINE_8,
                       kShift);
  }
  int standing_out = 0;
  int covered = 0;
  for (int y = seen.y; y < seen.br().y; ++y) {
    const auto* color = colors.ptr<cv::Vec3b>(y - area.y) - area.x;
    const auto* opacity = mask.ptr<std::uint8_t>(y - area.y) - area.x;
    auto* pixel = picture_.ptr<cv::Vec3b>(y);
    auto* mark = marks_.ptr<std::uint8_t>(y);
    for (int x = seen.x; x < seen.br().x; ++x) {
      if (opacity[x] == 0) continue;
      const auto old = pixel[x];
      if (opacity[x] == 255) {
        pixel[x] = color[x];
      } else {
        const int rest = 255 - opacity[x];
        for (int c = 0; c < 3; ++c) {
          pixel[x][c] = static_cast<std::uint8_t>(std::min(255, color[x][c] + (old[c] * rest + 127) / 255));
        }
      }
      if (opacity[x] < 128) continue;
      if (housing != kNothing) {
        int difference = 0;
        for (int c = 0; c < 3; ++c) difference += std::abs(pixel[x][c] - old[c]);
        if (difference >= 3 * kStandsOut) ++standing_out;
        ++covered;
      }
      const bool of_lens = !in_lens.empty() && in_lens.at<std::uint8_t>(y - area.y, x - area.x) != 0;
      mark[x] = of_lens ? lens : housing;
    }
  }
  if (housing != kNothing) marked_ = true;
  return covered == 0 ? 0 : static_cast<float>(standing_out) / static_cast<float>(covered);
}

void Canvas::glow(const cv::Point2f& center, float radius, const Color& color) {
  add_glow(picture_, center, radius, color);
}

void add_glow(cv::Mat& picture, const cv::Point2f& center, float radius, const Color& color) {
  const auto area = area_of(std::array{center - cv::Point2f(radius, radius), center + cv::Point2f(radius, radius)},
                            {0, 0, picture.cols, picture.rows});
  const float per_radius = 1 / (radius * radius);
  for (int y = area.y; y < area.br().y; ++y) {
    auto* pixel = picture.ptr<cv::Vec3b>(y);
    const float dy = static_cast<float>(y) + 0.5F - center.y;
    for (int x = area.x; x < area.br().x; ++x) {
      const float dx = static_cast<float>(x) + 0.5F - center.x;
      const float left = 1 - (dx * dx + dy * dy) * per_radius;
      if (left <= 0) continue;
      const float share = left * left * left / 255;
      for (int c = 0; c < 3; ++c) {
        const auto old = static_cast<float>(pixel[x][c]);
        pixel[x][c] = static_cast<std::uint8_t>(old + (255 - old) * std::min(1.0F, color[c] * share));
      }
    }
  }
}

int Canvas::count(std::uint8_t mark, const cv::Rect& area) const {
  const auto part = area & bounds();
  return part.empty() ? 0 : cv::countNonZero(marks_(part) == mark);
}

cv::Rect area_of(std::span<const cv::Point2f> points, const cv::Rect& limit) {
  float left = points[0].x;
  float right = left;
  float top = points[0].y;
  float bottom = top;
  for (const auto& point : points) {
    left = std::min(left, point.x);
    right = std::max(right, point.x);
    top = std::min(top, point.y);
    bottom = std::max(bottom, point.y);
  }
  const auto whole = [](float x) { return static_cast<int>(std::floor(std::clamp(x, -kFarthest, kFarthest))); };
  const cv::Point first(whole(left) - 1, whole(top) - 1);
  const cv::Point last(whole(right) + 2, whole(bottom) + 2);
  return cv::Rect(first, last) & limit;
}

}  // namespace yolod::scenes
