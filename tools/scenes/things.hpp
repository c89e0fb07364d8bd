// All that stands in a scene and is no traffic light. Each function makes the list of what is drawn, in any order;
// where a thing is drawn at once, it lies behind all else.
#pragma once

#include <vector>

#include "tools/scenes/stage.hpp"

namespace yolod::scenes {

// The street ahead. Metres right of the camera, and ahead of it.
struct Street {
  static constexpr float kLane = 3.3F;
  static constexpr float kEnd = 260;

  float left{0};  // kerbs
  float right{0};
  float pavement{0};    // its width
  float walls_left{0};  // where buildings begin
  float walls_right{0};
  int lanes{2};
  int oncoming{1};    // of them, those on the other side
  float junction{0};  // the stop line
  float side{1};      // 1: traffic keeps to the right; -1: to the left
};

[[nodiscard]] Street random_street(Random& random, float junction);

// backdrop.cpp: the sky and what stands at its edge.
void draw_sky(const Stage& stage, Random& random);
void draw_skyline(const Stage& stage, Random& random);

// road.cpp
void draw_road(const Stage& stage, Random& random, const Street& street);

// buildings.cpp
void add_buildings(std::vector<Item>& items, Random& random, const Street& street);

// trees.cpp: a crown of leaves; the trunk stands under its middle.
struct Tree {
  float x{0};
  float z{0};
  float trunk{3};   // metres to the lowest leaves
  float radius{2};  // of the crown
};
void add_trees(std::vector<Item>& items, Random& random, const Street& street);
// With leaves.
[[nodiscard]] Item tree_item(Random& random, const Tree& tree);

// vehicles.cpp
enum class VehicleKind { kCar, kVan, kBus, kTruck };
struct Vehicle {
  VehicleKind kind{VehicleKind::kCar};
  bool towards{false};  // it comes towards the camera: its front is seen
  float x{0};           // of its middle
  float z{0};           // of the end that is seen
  float width{1.8F};
  float height{1.5F};
};
void add_vehicles(std::vector<Item>& items, Random& random, const Street& street);
[[nodiscard]] Item vehicle_item(Random& random, const Vehicle& vehicle);

// furniture.cpp: street lamps, road signs, advertisements, lit signs of shops, people, wires.
void add_furniture(std::vector<Item>& items, Random& random, const Street& street);
[[nodiscard]] Item pole_item(Random& random, float x, float z, float width, float height);

// signs.cpp: a road sign of any kind. Metres; `size` is its height.
void draw_sign(const Stage& stage, Random& random, float x, float y, float z, float size);
// A lit or painted panel with discs, arrows and bars in loud colors.
void draw_advertisement(const Stage& stage, Random& random, const cv::Rect2f& metres, float z);

}  // namespace yolod::scenes
