#include "tools/scenes/plan_lights.hpp"

#include <algorithm>
#include <cmath>

#include "tools/scenes/signs.hpp"
#include "tools/scenes/wire.hpp"

namespace yolod::scenes {
namespace {

enum class Mount { kPole, kArm, kWire };

// The unit is a pixel of a picture with the width kStandardWidth.
constexpr float kShortestPlanned = 9;
constexpr float kLongestPlanned = 100;
constexpr float kArrowLens = 7;
constexpr float kDarkOff = 22;  // from this length on, an unlit light is visible at night
constexpr float kSmallestOff = 12;

const Color kPoleGrey(120, 122, 120);

class LightPlanner {
 public:
  LightPlanner(Plan& plan, Random& random) : plan_(plan), random_(random), view_(plan.view) {}

  void run() {
    constexpr std::array<float, 7> kCounts{0.08F, 0.2F, 0.23F, 0.21F, 0.14F, 0.09F, 0.05F};
    wanted_ = random_.weighted(kCounts);
    plan_.street = random_street(random_, std::clamp(distance_for(1.05F), 7.0F, 70.0F));
    for (int attempt = 0; attempt < 60 && plan_.lights.size() < wanted_; ++attempt) add_group();
  }

 private:
  // Returns the distance in metres at which a head of this length has the wanted length in the picture.
  float distance_for(float length) {
    const float pixels = random_.log_uniform(kShortestPlanned + 2, 95) / view_.standard();
    return view_.focal * length / pixels;
  }

  [[nodiscard]] float standard_pixels(float metres, float z) const {
    return metres * view_.scale(z) * view_.standard();
  }

  void add_group() {
    constexpr std::array<float, 3> kMounts{0.55F, 0.28F, 0.17F};
    constexpr std::array<float, 3> kWhere{0.42F, 0.2F, 0.38F};  // at the stop line, beyond the crossing, anywhere
    float z = 0;
    switch (random_.weighted(kWhere)) {
      case 0: z = plan_.street.junction + random_.uniform(-0.8F, 0.8F); break;
      case 1: z = plan_.street.junction + random_.uniform(13, 24); break;
      default: z = distance_for(1.05F); break;
    }
    switch (static_cast<Mount>(random_.weighted(kMounts))) {
      case Mount::kPole: add_pole(z); break;
      case Mount::kArm: add_arm(z); break;
      case Mount::kWire: add_wire(z); break;
    }
  }

  // Returns the position of a pole: mostly at a kerb, or on an island.
  float pole_x(float z) {
    if (random_.chance(0.14F)) {  // the picture's edge cuts it
      const auto width = static_cast<float>(view_.size.width);
      const float half = 0.19F * view_.scale(z) * random_.uniform(-0.25F, 0.65F);
      return view_.x_at(random_.chance(0.5F) ? half : width - half, z);
    }
    const float side = random_.sign();
    const float kerb = side > 0 ? plan_.street.right : plan_.street.left;
    const float at_kerb = kerb + side * random_.uniform(0.3F, 1.6F);
    const float column = view_.at(at_kerb, 0, z).x / static_cast<float>(view_.size.width);
    if (column > 0.03F && column < 0.97F) return at_kerb;
    const float column_on_island = random_.uniform(0.04F, 0.96F) * static_cast<float>(view_.size.width);
    return std::clamp(view_.x_at(column_on_island, z), plan_.street.walls_left + 0.6F, plan_.street.walls_right - 0.6F);
  }

  SignalHead next_head(float z, bool first) {
    constexpr float kLongestHead = 1.1F;
    const bool arrows = standard_pixels(0.3F, z) >= kArrowLens;
    const bool off = standard_pixels(kLongestHead, z) >= (plan_.air.night() ? kDarkOff : kSmallestOff);
    const std::array<float, kLightCount> weights{arrows ? 0.12F : 0.33F, arrows ? 0.11F : 0.28F, arrows ? 0.12F : 0.33F,
                                                 arrows ? 0.32F : 0,     arrows ? 0.3F : 0,      off ? 0.19F : 0};
    const bool as_before = !first && random_.chance(0.3F) && weights[static_cast<std::size_t>(last_)] > 0;
    last_ = as_before ? last_ : static_cast<Light>(random_.weighted(weights));
    auto head = random_head(random_, last_, plan_.air.night());
    // A small head that is turned away would show too little.
    if (!arrows) head.yaw *= 0.6F;
    return head;
  }

  [[nodiscard]] bool is_seen(const PlannedLight& light) const {
    const auto box = light.seen(view_);
    const float length = std::max(box.width, box.height) * view_.standard();
    if (length < kShortestPlanned || length > kLongestPlanned) return false;
    const auto& head = light.head;
    const float facing = std::cos(head.yaw);
    if (head.arrow() && standard_pixels(head.lens_diameter, light.z) * facing < kArrowLens) return false;
    if (head.light == Light::kOff && length < (plan_.air.night() ? kDarkOff : kSmallestOff)) return false;
    if (plan_.air.clearness(light.z) < (head.light == Light::kOff ? 0.55F : 0.42F)) return false;
    const cv::Point2f center(box.x + box.width / 2, box.y + box.height / 2);
    const auto width = static_cast<float>(view_.size.width);
    const auto height = static_cast<float>(view_.size.height);
    if (center.x < 0 || center.x > width || center.y < 0 || center.y > 0.66F * height) return false;
    const auto inside = box & cv::Rect2f(0, 0, width, height);
    if (inside.area() < 0.5F * box.area()) return false;
    return std::none_of(plan_.lights.begin(), plan_.lights.end(), [&](const PlannedLight& other) {
      const auto theirs = other.seen(view_);
      return (theirs & box).area() > 0.04F * std::min(theirs.area(), box.area());
    });
  }

  bool has_room() const { return plan_.lights.size() < wanted_; }

  // Returns false if the light would not be visible, or not well.
  bool hang(const SignalHead& head, float x, float y, float z) {
    const PlannedLight light{head, x, y, z};
    if (!has_room() || !is_seen(light)) return false;
    plan_.lights.push_back(light);
    return true;
  }

  void add_item(float z, std::function<void(const Stage&, Random&)> draw) {
    plan_.items.push_back({z, random_.bits(), std::move(draw)});
  }

  void add_pole(float z) {
    const float x = pole_x(z);
    if (std::abs(x) < 1.7F) return;
    const float y = random_.uniform(2.4F, 3.9F);
    const auto head = next_head(z, true);
    const bool beside = random_.chance(0.4F);  // the head is beside the pole, not in front of it
    const float shift = beside ? random_.sign() * (0.5F * head.outline().width + 0.12F) : 0;
    if (!hang(head, x + shift, y, z)) return;
    float top = y + head.outline().height / 2;
    if (random_.chance(0.4F)) {  // a second head at the same height
      const auto second = next_head(z, false);
      const float gap = head.outline().width / 2 + second.outline().width / 2 + random_.uniform(0.05F, 0.4F);
      const float way = beside ? -std::copysign(1.0F, shift) : random_.sign();
      if (hang(second, x + shift + way * gap, y, z)) top = std::max(top, y + second.outline().height / 2);
    }
    const auto color = random_.chance(0.25F) ? head.body : kPoleGrey * random_.uniform(0.4F, 1.3F);
    const float thick = random_.uniform(0.09F, 0.16F);
    const bool island = x > plan_.street.left && x < plan_.street.right;
    add_item(z + 0.2F, [=](const Stage& stage, Random& own) {
      if (island) stage.ground(x - 0.8F, x + 0.8F, z - 1.5F, z + 1.5F, Color(150, 152, 152));
      stage.upright(x - thick / 2, 0, x + thick / 2, top + own.uniform(-0.2F, 0.4F), z, color);
      const float arm = y + own.uniform(0.1F, 0.3F);
      stage.upright(std::min(x, x + shift), arm, std::max(x, x + shift), arm + 0.05F, z, color * 0.8F);
      if (own.chance(0.4F)) stage.upright(x - 0.1F, 1, x + 0.1F, 1.3F, z, Color(60, 160, 200));  // a push button
      if (own.chance(0.2F)) draw_sign(stage, own, x, top + 0.6F, z, 0.6F);
    });
  }

  // Adds heads below or in front of an arm that reaches from the kerb over the street.
  void add_arm(float z) {
    const float side = random_.chance(0.7F) ? plan_.street.side : -plan_.street.side;
    const float foot = (side > 0 ? plan_.street.right : plan_.street.left) + side * random_.uniform(0.5F, 1.5F);
    const float height = random_.uniform(5.4F, 6.6F);
    const float spacing = random_.uniform(1.6F, 4);
    const bool before = random_.chance(0.5F);
    float reach = random_.uniform(1.5F, 4);
    float tip = 0;
    for (int i = random_.integer(1, 4); i > 0; --i) {
      const auto head = next_head(z, tip == 0);
      const float y = before ? height : height - head.outline().height / 2 - 0.1F;
      if (hang(head, foot - side * reach, y, z)) tip = reach;
      reach += spacing * random_.uniform(0.8F, 1.2F);
    }
    if (tip == 0) return;
    const auto color = kPoleGrey * random_.uniform(0.4F, 1.3F);
    const float end = foot - side * (tip + random_.uniform(0.2F, 0.8F));
    add_item(z + 0.2F, [=](const Stage& stage, Random& own) {
      stage.upright(foot - 0.11F, 0, foot + 0.11F, height + 0.3F, z, color);
      const float half = own.uniform(0.05F, 0.09F);
      stage.upright(std::min(foot, end), height - half, std::max(foot, end), height + half, z, color);
      if (own.chance(0.3F)) draw_sign(stage, own, foot - side * own.uniform(0.8F, 1.3F), height - 0.1F, z, 0.7F);
    });
  }

  // Adds heads that hang from a wire across the street.
  void add_wire(float z) {
    const float height = random_.uniform(5.8F, 7);
    const float sag = random_.uniform(0.1F, 0.5F);
    const float from = plan_.street.left - 1;
    const float to = plan_.street.right + 1;
    const auto wire_y = [=](float x) { return wire_height(height, sag, (x - from) / (to - from)); };
    std::vector<cv::Point2f> tops;
    for (int i = random_.integer(1, 4); i > 0; --i) {
      const float x = random_.uniform(from + 1.5F, to - 1.5F);
      const auto head = next_head(z, tops.empty());
      const float top = wire_y(x) - 0.35F;
      if (hang(head, x, top - head.outline().height / 2, z)) tops.emplace_back(x, top);
    }
    if (tops.empty()) return;
    const bool poles = random_.chance(0.7F);
    add_item(z + 0.2F, [=](const Stage& stage, Random&) {
      constexpr int kPieces = 10;
      const auto color = stage.air.surface({40, 40, 40}, z);
      const float width = std::max(0.025F * stage.view.scale(z), 0.6F);
      for (int k = 0; k < kPieces; ++k) {
        const float a = from + (to - from) * static_cast<float>(k) / kPieces;
        const float b = from + (to - from) * static_cast<float>(k + 1) / kPieces;
        stage.canvas.stroke(stage.view.at(a, wire_y(a), z), stage.view.at(b, wire_y(b), z), width, color);
      }
      for (const auto& top : tops) {
        stage.canvas.stroke(stage.view.at(top.x, wire_y(top.x), z), stage.view.at(top.x, top.y, z), width, color);
      }
      for (const float x : {from, to}) {
        if (poles) stage.upright(x - 0.09F, 0, x + 0.09F, height + 0.4F, z, kPoleGrey * 0.7F);
      }
    });
  }

  Plan& plan_;
  Random& random_;
  const View& view_;
  std::size_t wanted_{0};
  Light last_{Light::kRed};
};

}  // namespace

void plan_lights(Plan& plan, Random& random) { LightPlanner(plan, random).run(); }

}  // namespace yolod::scenes
