// What a scene is drawn on: its pixels, and of each pixel which traffic light it shows.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>
#include <vector>

namespace yolod::scenes {

using Color = cv::Vec3f;  // BGR, 0..255

inline Color mix(const Color& a, const Color& b, float share_of_b) { return a + (b - a) * share_of_b; }

// One thing, drawn `scale` times as large as it is shown and then averaged: its edges and its small parts come out as a
// camera's pixels see them. Points are in pixels of the picture. One owner, one thread.
class Patch {
 public:
  // `area` is what it can cover, in pixels of the picture, and may reach beyond it.
  Patch(const cv::Rect& area, int scale);

  void fill(std::span<const cv::Point2f> convex, const Color& color);
  void disc(const cv::Point2f& center, float radius, const Color& color);

  [[nodiscard]] const cv::Rect& area() const { return area_; }
  [[nodiscard]] int scale() const { return scale_; }
  // What it covers so far: pixels of the picture, in fractions of 1 / scale.
  [[nodiscard]] cv::Rect2f covered() const;
  [[nodiscard]] float covered_pixels() const;
  [[nodiscard]] const cv::Mat& colors() const { return colors_; }  // 8-bit BGR, black where nothing is
  [[nodiscard]] const cv::Mat& mask() const { return mask_; }      // 8-bit, 255 where something is

 private:
  cv::Rect area_;
  int scale_;
  cv::Mat colors_;
  cv::Mat mask_;
};

// One owner, one thread. What is drawn later hides what was drawn before.
class Canvas {
 public:
  static constexpr std::uint8_t kNothing = 0;

  explicit Canvas(cv::Size size);

  // A convex polygon; its edges are smoothed.
  void fill(std::span<const cv::Point2f> convex, const Color& color);
  void fill(const std::array<cv::Point2f, 4>& convex, const Color& color) {
    fill(std::span<const cv::Point2f>(convex), color);
  }
  // The same with rough edges, in half the time.
  void fill_roughly(const std::array<cv::Point2f, 4>& convex, const Color& color);
  void stroke(const cv::Point2f& from, const cv::Point2f& to, float width, const Color& color);
  // `housing` marks its pixels, `lens` those of them within `lens_outline`. Of a marked patch, returns the share of its
  // pixels that stand out from what was there; else 0.
  float put(const Patch& patch, std::uint8_t housing = kNothing, std::span<const cv::Point2f> lens_outline = {},
            std::uint8_t lens = kNothing);
  void glow(const cv::Point2f& center, float radius, const Color& color);

  [[nodiscard]] cv::Mat& picture() { return picture_; }
  [[nodiscard]] cv::Rect bounds() const { return {0, 0, picture_.cols, picture_.rows}; }
  // Pixels there that still show this mark.
  [[nodiscard]] int count(std::uint8_t mark, const cv::Rect& area) const;

 private:
  void fill(std::span<const cv::Point2f> convex, const Color& color, int edges);

  cv::Mat picture_;
  cv::Mat marks_;
  bool marked_{false};
};

// Light scattered around a source, added to 8-bit BGR pixels; `color` is what it adds at the centre.
void add_glow(cv::Mat& picture, const cv::Point2f& center, float radius, const Color& color);

// The smallest rectangle of whole pixels around these points, one pixel wider on each side, within `limit`.
[[nodiscard]] cv::Rect area_of(std::span<const cv::Point2f> points, const cv::Rect& limit);

}  // namespace yolod::scenes
