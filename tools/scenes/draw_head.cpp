#include "tools/scenes/draw_head.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolod::scenes {
namespace {

constexpr float kPi = static_cast<float>(CV_PI);
constexpr int kCircle = 20;  // corners of a lens
constexpr float kBodyDepth = 0.16F;

// Projects the head's own coordinates to the picture (metres from the middle of its front: x right, y down, z towards
// the camera).
class HeadProjection {
 public:
  HeadProjection(const SignalHead& head, const HeadPlace& place)
      : place_(place),
        cos_yaw_(std::cos(head.yaw)),
        sin_yaw_(std::sin(head.yaw)),
        cos_up_(std::cos(place.elevation)),
        sin_up_(std::sin(place.elevation)),
        cos_roll_(std::cos(head.roll)),
        sin_roll_(std::sin(head.roll)) {}

  [[nodiscard]] cv::Point2f at(const cv::Point2f& p, float z) const {
    const float x = p.x * cos_yaw_ + z * sin_yaw_;
    const float turned = z * cos_yaw_ - p.x * sin_yaw_;
    const float y = p.y * cos_up_ - turned * sin_up_;
    const float towards = turned * cos_up_ + p.y * sin_up_;
    const float scale = place_.pixels_per_metre * place_.distance / std::max(place_.distance - towards, 0.5F);
    return place_.center + cv::Point2f(x * cos_roll_ - y * sin_roll_, x * sin_roll_ + y * cos_roll_) * scale;
  }

 private:
  HeadPlace place_;
  float cos_yaw_;
  float sin_yaw_;
  float cos_up_;
  float sin_up_;
  float cos_roll_;
  float sin_roll_;
};

class HeadPainter {
 public:
  HeadPainter(const SignalHead& head, const HeadPlace& place, const Air& air, bool lit)
      : head_(head),
        air_(air),
        z_(place.distance),
        lit_(lit && head.lit >= 0),
        to_(head, place),
        patch_(area(head, to_), patch_scale(head, place)) {}

  DrawnHead draw() {
    const auto whole = head_.outline();
    if (head_.backplate != Backplate::kNone) draw_plate(whole);
    const cv::Size2f body(whole.width - 2 * head_.plate_margin, whole.height - 2 * head_.plate_margin);
    draw_body(body);
    for (int i = 0; i < head_.lens_count; ++i) draw_lens(i);
    for (int i = 0; i < head_.lens_count; ++i) draw_visor(i);
    DrawnHead drawn{std::move(patch_), {}, {}, 0, {}};
    if (lit_) {
      drawn.lens = circle(lens_center(head_.lit), lens_radius());
      drawn.lens_center = to_.at(lens_center(head_.lit), 0);
      drawn.lens_radius = static_cast<float>(std::sqrt(cv::contourArea(drawn.lens) / CV_PI));
      drawn.glow = air_.source(head_.lit_color, z_);
    }
    return drawn;
  }

 private:
  using Points = std::vector<cv::Point2f>;

  static int patch_scale(const SignalHead& head, const HeadPlace& place) {
    const auto size = head.outline();
    const float pixels = std::max(size.width, size.height) * place.pixels_per_metre;
    if (pixels < 40) return 5;
    return pixels < 90 ? 3 : 2;
  }

  static cv::Rect area(const SignalHead& head, const HeadProjection& to) {
    const auto size = head.outline();
    Points corners;
    for (const float z : {-kBodyDepth, head.visor_length}) {
      for (const float x : {-0.5F, 0.5F}) {
        for (const float y : {-0.5F, 0.5F}) corners.push_back(to.at({x * size.width, y * size.height}, z));
      }
    }
    return area_of(corners, {-4000, -4000, 12000, 12000});
  }

  [[nodiscard]] Points projected(const Points& flat, float z) const {
    Points points;
    for (const auto& point : flat) points.push_back(to_.at(point, z));
    return points;
  }

  [[nodiscard]] Points rectangle(const cv::Size2f& size, float z) const {
    const float x = size.width / 2;
    const float y = size.height / 2;
    return projected({{-x, -y}, {x, -y}, {x, y}, {-x, y}}, z);
  }

  // Leaves out the corners if the head is round.
  [[nodiscard]] Points front(const cv::Size2f& size, float z) const {
    if (!head_.rounded) return rectangle(size, z);
    const float x = size.width / 2;
    const float y = size.height / 2;
    const float r = 0.14F * std::min(size.width, size.height);
    return projected(
        {{-x + r, -y}, {x - r, -y}, {x, -y + r}, {x, y - r}, {x - r, y}, {-x + r, y}, {-x, y - r}, {-x, -y + r}}, z);
  }

  [[nodiscard]] Points circle(const cv::Point2f& center, float radius) const {
    Points flat;
    for (int k = 0; k < kCircle; ++k) {
      const float angle = 2 * kPi * static_cast<float>(k) / kCircle;
      flat.emplace_back(center.x + radius * std::cos(angle), center.y + radius * std::sin(angle));
    }
    return projected(flat, 0.01F);
  }

  [[nodiscard]] float lens_radius() const { return 0.48F * head_.lens_diameter; }
  [[nodiscard]] cv::Point2f lens_center(int index) const {
    const float along = (static_cast<float>(index) - 0.5F * static_cast<float>(head_.lens_count - 1)) * head_.section();
    return head_.lying ? cv::Point2f(along, 0) : cv::Point2f(0, along);
  }
  [[nodiscard]] Color seen(const Color& albedo) const { return air_.surface(albedo, z_); }

  void draw_plate(const cv::Size2f& size) {
    constexpr float kBehind = -0.06F;
    const bool pale = head_.backplate == Backplate::kPale;
    const Color plate = pale ? Color(190, 192, 190) : Color(34, 34, 34);
    if (head_.backplate != Backplate::kBordered) {
      patch_.fill(front(size, kBehind), seen(plate));
      return;
    }
    const float border = 0.3F * head_.plate_margin;
    patch_.fill(front(size, kBehind), seen(head_.plate_border));
    patch_.fill(front({size.width - 2 * border, size.height - 2 * border}, kBehind), seen(plate));
  }

  void draw_body(const cv::Size2f& size) {
    const auto near = front(size, 0);
    auto corners = front(size, head_.backplate == Backplate::kNone ? -kBodyDepth : -0.06F);
    corners.insert(corners.end(), near.begin(), near.end());
    Points hull;
    cv::convexHull(corners, hull);
    patch_.fill(hull, seen(head_.body * 0.6F));
    patch_.fill(near, seen(head_.body));
    // Draws the gaps between the sections.
    for (int i = 1; i < head_.lens_count; ++i) {
      const auto middle = (lens_center(i - 1) + lens_center(i)) / 2;
      const cv::Point2f half = head_.lying ? cv::Point2f(0.008F, size.height / 2) : cv::Point2f(size.width / 2, 0.008F);
      patch_.fill(projected({middle - half,
                             {middle.x + half.x, middle.y - half.y},
                             middle + half,
                             {middle.x - half.x, middle.y + half.y}},
                            0),
                  seen(head_.body * 0.5F));
    }
  }

  void draw_lens(int index) {
    const auto center = lens_center(index);
    const float radius = lens_radius();
    patch_.fill(circle(center, 1.1F * radius), seen(head_.body * 0.45F));
    if (lit_ && index == head_.lit && !head_.arrow()) {
      draw_lit_disc(center, radius);
      return;
    }
    draw_unlit_disc(center, radius, index);
    if (lit_ && index == head_.lit) draw_arrow(center, radius);
  }

  void draw_unlit_disc(const cv::Point2f& center, float radius, int index) {
    Color tint(30, 30, 30);
    if (!head_.smoked && !(head_.arrow() && index == head_.lit)) {
      switch (head_.lenses[static_cast<std::size_t>(index)]) {
        case LensColor::kRed: tint = {28, 24, 88}; break;
        case LensColor::kYellow: tint = {24, 72, 98}; break;
        case LensColor::kGreen: tint = {58, 68, 30}; break;
      }
    }
    patch_.fill(circle(center, radius), seen(tint * 0.7F));
    patch_.fill(circle({center.x, center.y + 0.12F * radius}, 0.7F * radius), seen(tint));
    if (!air_.night()) {
      patch_.fill(circle({center.x - 0.3F * radius, center.y - 0.35F * radius}, 0.2F * radius),
                  seen(tint + Color(40, 40, 40)));
    }
  }

  void draw_lit_disc(const cv::Point2f& center, float radius) {
    const float pixels = radius * cv::norm(to_.at({1, 0}, 0) - to_.at({0, 0}, 0)) * static_cast<float>(patch_.scale());
    // A small lens shows hardly more than its color.
    const float whiteness = head_.whiteness * std::clamp(pixels / static_cast<float>(patch_.scale()) / 5, 0.3F, 1.0F);
    const auto bright = mix(head_.lit_color, {255, 255, 255}, whiteness);
    patch_.fill(circle(center, radius), air_.source(head_.lit_color * 0.8F, z_));
    if (!head_.matrix) {
      patch_.fill(circle(center, 0.85F * radius), air_.source(head_.lit_color, z_));
      patch_.fill(circle(center, 0.6F * radius), air_.source(mix(head_.lit_color, bright, 0.5F), z_));
      patch_.fill(circle(center, 0.38F * radius), air_.source(bright, z_));
      return;
    }
    if (pixels < 14) {
      patch_.fill(circle(center, 0.9F * radius), air_.source(mix(head_.lit_color, bright, 0.5F), z_));
      return;
    }
    constexpr int kRow = 4;  // diodes on each side of the middle
    const float step = radius / (kRow + 0.5F);
    for (int row = -kRow; row <= kRow; ++row) {
      for (int column = -kRow; column <= kRow; ++column) {
        if (row * row + column * column > kRow * kRow + 1) continue;
        const cv::Point2f diode(center.x + step * static_cast<float>(column),
                                center.y + step * static_cast<float>(row));
        patch_.disc(to_.at(diode, 0.01F), 0.4F * pixels / (kRow + 0.5F) / static_cast<float>(patch_.scale()),
                    air_.source(bright, z_));
      }
    }
  }

  void draw_arrow(const cv::Point2f& center, float radius) {
    const auto place = [&](float x, float y) {
      switch (head_.arrow_way) {
        case ArrowWay::kUp: return center + radius * cv::Point2f(x, y);
        case ArrowWay::kLeft: return center + radius * cv::Point2f(y, -x);
        case ArrowWay::kRight: return center + radius * cv::Point2f(-y, x);
      }
      return center;
    };
    const auto color = air_.source(mix(head_.lit_color, {255, 255, 255}, 0.5F * head_.whiteness), z_);
    patch_.fill(projected({place(-0.17F, -0.1F), place(0.17F, -0.1F), place(0.17F, 0.8F), place(-0.17F, 0.8F)}, 0.01F),
                color);
    patch_.fill(projected({place(-0.68F, 0.02F), place(0, -0.85F), place(0.68F, 0.02F)}, 0.01F), color);
  }

  // Draws a roof over the lens, or a tube around it except its lowest part: strips from the lens towards the camera.
  void draw_visor(int index) {
    if (head_.visor == Visor::kNone) return;
    constexpr int kStrips = 14;
    const float from = head_.visor == Visor::kCap ? kPi : 0.75F * kPi;
    const float to = head_.visor == Visor::kCap ? 2 * kPi : 2.25F * kPi;
    const auto center = lens_center(index);
    const float radius = 1.08F * lens_radius();
    const auto rim = [&](int k) {
      const float angle = from + (to - from) * static_cast<float>(k) / kStrips;
      return cv::Point2f(center.x + radius * std::cos(angle), center.y + radius * std::sin(angle));
    };
    for (const bool inside : {true, false}) {  // the inside lies behind the outside
      for (int k = 0; k < kStrips; ++k) {
        // The visor is shorter towards its lower ends.
        const float up = 1 - std::abs(2 * (static_cast<float>(k) + 0.5F) / kStrips - 1);
        const float length = head_.visor_length * (0.45F + 0.55F * std::min(1.0F, 2 * up));
        const std::array<cv::Point2f, 4> strip{to_.at(rim(k), 0), to_.at(rim(k + 1), 0), to_.at(rim(k + 1), length),
                                               to_.at(rim(k), length)};
        const auto along = strip[1] - strip[0];
        const auto outwards = strip[3] - strip[0];
        if ((along.cross(outwards) < 0) != inside) continue;
        Color color = seen(head_.body * (inside ? 0.4F : 0.85F));
        if (inside && lit_ && index == head_.lit) color = mix(color, air_.source(head_.lit_color, z_), 0.3F);
        patch_.fill(strip, color);
      }
    }
  }

  const SignalHead& head_;
  const Air& air_;
  float z_;
  bool lit_;
  HeadProjection to_;
  Patch patch_;
};

}  // namespace

DrawnHead draw_head(const SignalHead& head, const HeadPlace& place, const Air& air, bool lit) {
  return HeadPainter(head, place, air, lit).draw();
}

}  // namespace yolod::scenes
