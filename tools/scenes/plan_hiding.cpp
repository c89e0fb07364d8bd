#include "tools/scenes/plan_hiding.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "tools/scenes/furniture.hpp"
#include "tools/scenes/signs.hpp"
#include "tools/scenes/trees.hpp"
#include "tools/scenes/vehicles.hpp"

namespace yolod::scenes {
namespace {

enum class Cover { kLeaves, kPole, kVehicleBeside, kVehicleBelow, kSign };

// Returns from which side to hide the light, left (-1) or right (1), so that the lit lens stays visible.
float free_side(const SignalHead& head, Random& random) {
  if (!head.lying || head.lit < 0) return random.sign();
  const float middle = 0.5F * static_cast<float>(head.lens_count - 1);
  if (static_cast<float>(head.lit) == middle) return random.sign();
  return static_cast<float>(head.lit) < middle ? 1.0F : -1.0F;
}

class Hider {
 public:
  Hider(const Plan& plan, Random& random, const PlannedLight& light)
      : plan_(plan),
        random_(random),
        view_(plan.view),
        light_(light),
        box_(light.seen(plan.view)),
        side_(free_side(light.head, random)) {
    // Hides less of an arrow, whose shape must be visible, and of a small light.
    constexpr float kSmallHead = 20;  // pixels of a picture with the width kStandardWidth
    const bool small = std::max(box_.width, box_.height) * view_.standard() < kSmallHead;
    cut_ = light.head.arrow() || small ? random.uniform(0.2F, 0.34F) : random.uniform(0.2F, 0.45F);
    edge_ = side_ > 0 ? box_.x + box_.width * (1 - cut_) : box_.x + box_.width * cut_;
  }

  // Returns nullopt if the item would hide too much of this light or of another.
  std::optional<Item> item() {
    auto made = make(static_cast<Cover>(random_.weighted(std::array{0.42F, 0.15F, 0.13F, 0.2F, 0.1F})));
    if (!made) return made;
    constexpr float kMost = 0.55F;
    constexpr float kMostOfAnother = 0.3F;
    constexpr float kMostOfLens = 0.45F;
    for (const auto& light : plan_.lights) {
      const float share = hidden_share(light.seen(view_), light.z, *made, view_);
      const float of_lens = hidden_share(light.lens_seen(view_), light.z, *made, view_);
      if (share > (&light == &light_ ? kMost : kMostOfAnother) || of_lens > kMostOfLens) return std::nullopt;
    }
    return made;
  }

 private:
  std::optional<Item> make(Cover cover) {
    switch (cover) {
      case Cover::kLeaves: return leaves();
      case Cover::kPole: return pole();
      case Cover::kVehicleBeside: return vehicle_beside();
      case Cover::kVehicleBelow: return vehicle_below();
      case Cover::kSign: return board();
    }
    return std::nullopt;
  }

  [[nodiscard]] float row() const { return box_.y + box_.height / 2; }

  Item leaves() {
    Tree tree;
    tree.z = std::max(4.0F, light_.z * random_.uniform(0.5F, 0.92F));
    tree.radius = random_.uniform(0.8F, 2);
    // A crown has a ragged outline; its leaves are dense up to 0.95 of its radius.
    tree.x = view_.x_at(edge_ + side_ * 0.95F * tree.radius * view_.scale(tree.z), tree.z);
    const float middle = view_.y_at(row() + random_.uniform(-0.3F, 0.3F) * box_.height, tree.z);
    tree.trunk = std::max(0.6F, middle - 0.8F * tree.radius);
    return tree_item(random_, tree);
  }

  Item pole() {
    const float z = std::max(3.0F, light_.z * random_.uniform(0.55F, 0.95F));
    const float pixels = cut_ * box_.width;
    const float column = edge_ + side_ * pixels / 2 - side_ * random_.uniform(0, 0.12F) * box_.width;
    return pole_item(random_, view_.x_at(column, z), z, pixels / view_.scale(z),
                     std::max(5.0F, view_.y_at(box_.y, z) + random_.uniform(0.5F, 3)));
  }

  std::optional<Item> vehicle_beside() {
    Vehicle vehicle;
    vehicle.kind = random_.chance(0.5F) ? VehicleKind::kTruck : VehicleKind::kBus;
    vehicle.z = std::max(5.0F, light_.z * random_.uniform(0.4F, 0.8F));
    vehicle.width = 2.5F;
    vehicle.height = std::max(3.0F, view_.y_at(box_.y, vehicle.z) + random_.uniform(0.1F, 0.6F));
    if (vehicle.height > 4.2F) return std::nullopt;
    vehicle.x = view_.x_at(edge_, vehicle.z) + side_ * vehicle.width / 2;
    // The vehicle's side towards the camera's axis would hide more than its end.
    if (std::abs(vehicle.x) > 1.25F && vehicle.x * side_ < 0) return std::nullopt;
    return vehicle_item(random_, vehicle);
  }

  // Returns a vehicle whose roof hides the lower part of the light.
  std::optional<Item> vehicle_below() {
    const auto& head = light_.head;
    float cut = cut_;
    if (head.lit >= 0) {
      if (head.lying) return std::nullopt;
      const float below = static_cast<float>(head.lens_count - 1 - head.lit) / static_cast<float>(head.lens_count);
      cut = std::min(cut, below + 0.03F);
    }
    if (cut < 0.18F) return std::nullopt;
    Vehicle vehicle;
    vehicle.z = std::max(4.0F, light_.z * random_.uniform(0.35F, 0.8F));
    vehicle.height = view_.y_at(box_.y + box_.height * (1 - cut), vehicle.z);
    if (vehicle.height < 1.9F || vehicle.height > 4.1F) return std::nullopt;
    vehicle.kind =
        vehicle.height < 2.7F ? VehicleKind::kVan : (random_.chance(0.5F) ? VehicleKind::kTruck : VehicleKind::kBus);
    vehicle.width = vehicle.height < 2.7F ? 2 : 2.5F;
    const float room = std::max(0.0F, vehicle.width - box_.width / view_.scale(vehicle.z)) / 2;
    vehicle.x = view_.x_at(box_.x + box_.width / 2, vehicle.z) + random_.uniform(-room, room);
    return vehicle_item(random_, vehicle);
  }

  Item board() {
    const float z = std::max(3.0F, light_.z * random_.uniform(0.6F, 0.95F));
    const float width = random_.uniform(0.6F, 1.6F);
    const float height = random_.uniform(0.7F, 1.6F);
    const float near_edge = view_.x_at(edge_, z);
    const float left = side_ > 0 ? near_edge : near_edge - width;
    const float middle = view_.y_at(row() + random_.uniform(-0.3F, 0.3F) * box_.height, z);
    const cv::Rect2f metres(left, middle - height / 2, width, height);
    return {z, random_.bits(),
            [=](const Stage& stage, Random& own) {
              const float pole = left + width * own.uniform(0.3F, 0.7F);
              stage.upright(pole - 0.05F, 0, pole + 0.05F, metres.y, z, Color(100, 100, 100));
              draw_advertisement(stage, own, metres, z);
            },
            metres};
  }

  const Plan& plan_;
  Random& random_;
  const View& view_;
  const PlannedLight& light_;
  cv::Rect2f box_;
  float side_;
  float cut_{0};
  float edge_{0};  // the light is hidden up to this column
};

}  // namespace

void plan_hiding(Plan& plan, Random& random) {
  constexpr float kShare = 0.29F;
  constexpr int kAttempts = 4;
  for (const auto& light : plan.lights) {
    if (!random.chance(kShare)) continue;
    std::optional<Item> item;
    for (int i = 0; i < kAttempts && !item; ++i) item = Hider(plan, random, light).item();
    if (item) plan.items.push_back(std::move(*item));
  }
}

}  // namespace yolod::scenes
