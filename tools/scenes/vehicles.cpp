#include "tools/scenes/vehicles.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

namespace yolod::scenes {
namespace {

Color paint_color(Random& random) {
  static const std::array<Color, 9> kPaints{Color(215, 215, 215), Color(35, 35, 38),  Color(130, 130, 132),
                                            Color(70, 72, 75),    Color(40, 35, 165), Color(135, 75, 35),
                                            Color(180, 185, 188), Color(60, 95, 60),  Color(40, 165, 220)};
  const auto& color = random.pick(kPaints);
  return color * random.uniform(0.85F, 1.1F);
}

float length_of(const Vehicle& vehicle) { return vehicle.kind == VehicleKind::kCar ? 4.2F : 9; }

class VehiclePainter {
 public:
  VehiclePainter(const Stage& stage, Random& random, const Vehicle& vehicle)
      : stage_(stage), random_(random), v_(vehicle), patch_(area(), vehicle.z < 12 ? 1 : 2) {}

  void draw() {
    paint_ = paint_color(random_);
    draw_shadow();
    draw_side();
    if (v_.kind == VehicleKind::kCar) {
      draw_car();
    } else {
      draw_box();
    }
    draw_lamps();
    stage_.canvas.put(patch_);
    for (const auto& glow : glows_) stage_.canvas.glow(glow.center, glow.radius, glow.color);
  }

 private:
  struct Glow {
    cv::Point2f center;
    float radius;
    Color color;
  };

  [[nodiscard]] float length() const { return length_of(v_); }

  [[nodiscard]] cv::Rect area() const {
    std::vector<cv::Point2f> corners;
    for (const float z : {v_.z, v_.z + length()}) {
      for (const float x : {-0.6F, 0.6F}) {
        corners.push_back(stage_.view.at(v_.x + x * v_.width, -0.1F, z));
        corners.push_back(stage_.view.at(v_.x + x * v_.width, v_.height, z));
      }
    }
    return area_of(corners, stage_.canvas.bounds());
  }

  // Returns a point on the visible end: x in halves of its width, from -1 to 1; y in its heights.
  [[nodiscard]] cv::Point2f on_end(float x, float y) const {
    return stage_.view.at(v_.x + x * v_.width / 2, y * v_.height, v_.z);
  }
  [[nodiscard]] Color seen(const Color& albedo) const { return stage_.air.surface(albedo, v_.z); }

  void box(float x0, float y0, float x1, float y1, const Color& shown) { trapezium(x0, x1, y0, x0, x1, y1, shown); }
  void trapezium(float low0, float low1, float low, float high0, float high1, float high, const Color& shown) {
    patch_.fill(std::array{on_end(low0, low), on_end(low1, low), on_end(high1, high), on_end(high0, high)}, shown);
  }

  void draw_shadow() {
    const auto& view = stage_.view;
    const float half = 0.5F * v_.width;
    patch_.fill(std::array{view.at(v_.x - half, 0, v_.z), view.at(v_.x + half, 0, v_.z),
                           view.at(v_.x + half, 0.2F, v_.z + 1), view.at(v_.x - half, 0.2F, v_.z + 1)},
                seen({28, 28, 28}));
  }

  void draw_side() {
    const float half = 0.5F * v_.width;
    if (std::abs(v_.x) < half) return;
    const float x = v_.x > 0 ? v_.x - half : v_.x + half;
    const float far = v_.z + length();
    const auto wall = [&](float low, float high, float from, float to) {
      const auto& view = stage_.view;
      return std::array{view.at(x, low * v_.height, from), view.at(x, low * v_.height, to),
                        view.at(x, high * v_.height, to), view.at(x, high * v_.height, from)};
    };
    const bool car = v_.kind == VehicleKind::kCar;
    patch_.fill(wall(car ? 0.16F : 0.12F, car ? 0.62F : 1, v_.z, far), seen(paint_ * 0.75F));
    if (car) {
      patch_.fill(wall(0.6F, 0.98F, v_.z + 0.5F, v_.z + 0.75F * length()), seen(paint_ * 0.7F));
      patch_.fill(wall(0.64F, 0.92F, v_.z + 0.7F, v_.z + 0.7F * length()), seen({55, 50, 45}));
    } else if (v_.kind != VehicleKind::kTruck) {
      patch_.fill(wall(0.5F, 0.85F, v_.z + 0.3F, far - 0.3F), seen({60, 55, 50}));
    }
    for (const float at : {0.2F, 0.78F}) {
      const float z = v_.z + at * length();
      patch_.fill(wall(0, car ? 0.38F : 0.3F, z - 0.3F, z + 0.3F), seen({25, 25, 25}));
    }
  }

  void draw_car() {
    const Color glass = seen(Color(75, 68, 60) * random_.uniform(0.6F, 1.3F));
    const float shoulder = random_.uniform(0.56F, 0.64F);
    for (const float side : {-1.0F, 1.0F}) {
      box(std::min(side, side * 0.74F), 0, std::max(side, side * 0.74F), 0.25F, seen({22, 22, 22}));
    }
    trapezium(-0.9F, 0.9F, shoulder, -0.68F, 0.68F, 1, seen(paint_ * 0.9F));
    trapezium(-0.78F, 0.78F, shoulder + 0.03F, -0.62F, 0.62F, 0.94F, glass);
    trapezium(-0.97F, 0.97F, 0.12F, -1, 1, 0.4F, seen(paint_ * 0.85F));
    trapezium(-1, 1, 0.4F, -0.9F, 0.9F, shoulder + 0.02F, seen(paint_));
    box(-0.95F, 0.14F, 0.95F, 0.24F, seen(paint_ * 0.5F));
    if (v_.towards) box(-0.5F, 0.3F, 0.5F, 0.42F, seen({30, 30, 30}));
    const float plate = v_.towards ? 0.2F : random_.uniform(0.26F, 0.42F);
    box(-0.28F, plate, 0.28F, plate + 0.08F, seen({215, 218, 218}));
  }

  void draw_box() {
    const bool truck = v_.kind == VehicleKind::kTruck;
    for (const float side : {-1.0F, 1.0F}) {
      box(std::min(side, side * 0.7F), 0, std::max(side, side * 0.7F), 0.16F, seen({22, 22, 22}));
    }
    box(-1, 0.1F, 1, 1, seen(paint_));
    box(-1, 0.1F, 1, 0.16F, seen(paint_ * 0.4F));
    if (!truck || v_.towards) {
      const float low = truck ? 0.42F : random_.uniform(0.45F, 0.55F);
      box(-0.9F, low, 0.9F, truck ? 0.68F : 0.88F, seen({62, 56, 50}));
    } else {
      box(-0.012F, 0.18F, 0.012F, 0.98F, seen(paint_ * 0.6F));  // the doors
      box(-0.94F, 0.96F, 0.94F, 0.975F, seen(paint_ * 0.7F));
      if (random_.chance(0.4F)) {
        const auto area = cv::Rect2f(-0.6F, 0.4F, 1.2F, 0.3F);
        box(area.x, area.y, area.x + area.width, area.y + area.height, seen(paint_color(random_)));
        box(area.x + 0.1F, area.y + 0.1F, area.x + 0.9F, area.y + 0.17F, seen(paint_color(random_)));
      }
    }
    if (v_.kind == VehicleKind::kBus && random_.chance(0.6F)) {  // the destination, in amber letters
      box(-0.7F, 0.9F, 0.7F, 0.98F, seen({20, 20, 20}));
      for (float x = -0.5F; x < 0.4F; x += 0.16F)
        box(x, 0.92F, x + 0.1F, 0.96F, stage_.air.source({40, 150, 250}, v_.z));
    }
  }

  void lamp(float x0, float y0, float x1, float y1, const Color& color, float glow) {
    box(x0, y0, x1, y1, glow > 0 ? stage_.air.source(color, v_.z) : seen(color));
    if (glow <= 0) return;
    const float width = (x1 - x0) * v_.width / 2 * stage_.view.scale(v_.z);
    glows_.push_back(
        {on_end((x0 + x1) / 2, (y0 + y1) / 2), std::max(width * 2.2F, 2.5F), stage_.air.source(color, v_.z) * glow});
  }

  void draw_lamps() {
    const bool dark = stage_.air.daytime != Daytime::kDay || stage_.air.rain > 0.4F;
    const bool car = v_.kind == VehicleKind::kCar;
    const float low = car ? random_.uniform(0.4F, 0.5F) : 0.17F;
    const float high = low + (car ? random_.uniform(0.07F, 0.14F) : 0.07F);
    const float inner = random_.uniform(0.55F, 0.75F);
    const bool lit = dark ? random_.chance(0.97F) : random_.chance(v_.towards ? 0.25F : 0.4F);
    const float strength = lit ? (stage_.air.night() ? random_.uniform(0.6F, 1) : 0.25F) : 0;
    const Color white = Color(235, 248, 255);
    const Color red = lit ? Color(45, 40, random_.uniform(215, 255)) : Color(30, 28, 125);
    for (const float side : {-1.0F, 1.0F}) {
      const float a = std::min(side * inner, side * 0.96F);
      const float b = std::max(side * inner, side * 0.96F);
      lamp(a, low, b, high, v_.towards ? (lit ? white : Color(190, 195, 195)) : red,
           strength * (v_.towards ? 1.4F : 0.8F));
    }
    if (!v_.towards && lit && random_.chance(0.5F)) lamp(-0.12F, 0.9F, 0.12F, 0.93F, red, 0.4F * strength);
    if (random_.chance(0.1F)) lamp(0.8F, low, 0.95F, high, {30, 150, 255}, strength);  // a turn signal
  }

  const Stage& stage_;
  Random& random_;
  Vehicle v_;
  Patch patch_;
  Color paint_;
  std::vector<Glow> glows_;
};

Vehicle random_vehicle(Random& random, float x, float z) {
  constexpr std::array<float, 4> kKinds{0.74F, 0.14F, 0.06F, 0.06F};
  Vehicle vehicle;
  vehicle.kind = static_cast<VehicleKind>(random.weighted(kKinds));
  vehicle.x = x;
  vehicle.z = z;
  switch (vehicle.kind) {
    case VehicleKind::kCar:
      vehicle.width = random.uniform(1.65F, 1.95F);
      vehicle.height = random.uniform(1.38F, 1.8F);
      break;
    case VehicleKind::kVan:
      vehicle.width = random.uniform(1.9F, 2.1F);
      vehicle.height = random.uniform(1.95F, 2.6F);
      break;
    case VehicleKind::kBus:
    case VehicleKind::kTruck:
      vehicle.width = random.uniform(2.4F, 2.55F);
      vehicle.height = random.uniform(3, 3.6F);
      break;
  }
  return vehicle;
}

}  // namespace

Item vehicle_item(Random& random, const Vehicle& vehicle) {
  const float half = vehicle.width / 2;
  float left = vehicle.x - half;
  float right = vehicle.x + half;
  // The far end of the side, if the side is visible.
  const float shrunk = vehicle.z / (vehicle.z + length_of(vehicle));
  if (left > 0) left *= shrunk;
  if (right < 0) right *= shrunk;
  return {vehicle.z, random.bits(),
          [vehicle](const Stage& stage, Random& own) { VehiclePainter(stage, own, vehicle).draw(); },
          cv::Rect2f(left, 0, right - left, vehicle.height)};
}

void add_vehicles(std::vector<Item>& items, Random& random, const Street& street) {
  const float traffic = random.uniform(0, 0.75F);
  const float lane_width = (street.right - street.left) / static_cast<float>(street.lanes);
  for (int lane = 0; lane < street.lanes; ++lane) {
    const bool towards = street.side > 0 ? lane < street.oncoming : lane >= street.lanes - street.oncoming;
    const float x = street.left + lane_width * (static_cast<float>(lane) + 0.5F);
    const bool own_lane = std::abs(x) < lane_width / 2;
    for (float z = own_lane ? random.uniform(6, 12) : random.uniform(4, 10); z < 80; z += random.uniform(6, 22)) {
      if (!random.chance(traffic)) continue;
      auto vehicle = random_vehicle(random, x + random.uniform(-0.3F, 0.3F), z);
      vehicle.towards = towards;
      // A high and near vehicle would hide everything else.
      if (vehicle.height > 2.2F && z < 14 && std::abs(x) < 5) continue;
      items.push_back(vehicle_item(random, vehicle));
      z += vehicle.kind == VehicleKind::kCar ? 5 : 10;
    }
  }
}

}  // namespace yolod::scenes
