// The canvas of a scene: its pixels, and for each pixel the traffic light that it shows.
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

// A single object, drawn `scale` times as large as it appears and then averaged, so that its edges and small parts
// look as a camera's pixels see them. Points are in pixels of the picture. One thread owns and uses it.
class Patch {
 public:
  // `area` is the region that the object can cover, in pixels of the picture; it may extend beyond the picture.
  Patch(const cv::Rect& area, int scale);

  void fill(std::span<const cv::Point2f> convex, const Color& color);
  void disc(const cv::Point2f& center, float radius, const Color& color);

  [[nodiscard]] const cv::Rect& area() const { return area_; }
  [[nodiscard]] int scale() const { return scale_; }
  // Returns the region covered so far, in pixels of the picture, in fractions of 1 / scale.
  [[nodiscard]] cv::Rect2f covered() const;
  [[nodiscard]] float covered_pixels() const;
  [[nodiscard]] const cv::Mat& colors() const { return colors_; }  // 8-bit BGR, black where the object is not
  [[nodiscard]] const cv::Mat& mask() const { return mask_; }      // 8-bit, 255 where the object is

 private:
  cv::Rect area_;
  int scale_;
  cv::Mat colors_;
  cv::Mat mask_;
};

// One thread owns and uses it. Later objects hide earlier objects.
class Canvas {
 public:
  static constexpr std::uint8_t kNothing = 0;

  explicit Canvas(cv::Size size);

  // Fills a convex polygon with smooth edges.
  void fill(std::span<const cv::Point2f> convex, const Color& color);
  void fill(const std::array<cv::Point2f, 4>& convex, const Color& color) {
    fill(std::span<const cv::Point2f>(convex), color);
  }
  // Fills the polygon like fill(), but with rough edges and in half the time.
  void fill_roughly(const std::array<cv::Point2f, 4>& convex, const Color& color);
  void stroke(const cv::Point2f& from, const cv::Point2f& to, float width, const Color& color);
  // `housing` marks the patch's pixels, and `lens` those within `lens_outline`. Returns the share of a marked patch's
  // pixels that differ visibly from the background; 0 for an unmarked patch.
  float put(const Patch& patch, std::uint8_t housing = kNothing, std::span<const cv::Point2f> lens_outline = {},
            std::uint8_t lens = kNothing);
  void glow(const cv::Point2f& center, float radius, const Color& color);

  [[nodiscard]] cv::Mat& picture() { return picture_; }
  [[nodiscard]] cv::Rect bounds() const { return {0, 0, picture_.cols, picture_.rows}; }
  // Returns the number of pixels in the area that still show this mark.
  [[nodiscard]] int count(std::uint8_t mark, const cv::Rect& area) const;

 private:
  void fill(std::span<const cv::Point2f> convex, const Color& color, int edges);

  cv::Mat picture_;
  cv::Mat marks_;
  bool marked_{false};
};

// Adds the light scattered around a source to 8-bit BGR pixels; `color` is the amount at the centre.
void add_glow(cv::Mat& picture, const cv::Point2f& center, float radius, const Color& color);

// Returns the smallest rectangle of whole pixels around these points, extended by one pixel on each side, within
// `limit`.
[[nodiscard]] cv::Rect area_of(std::span<const cv::Point2f> points, const cv::Rect& limit);

}  // namespace yolod::scenes
