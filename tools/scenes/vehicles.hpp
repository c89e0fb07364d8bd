// Draws the vehicles on the street.
#pragma once

#include <vector>

#include "tools/scenes/stage.hpp"
#include "tools/scenes/street.hpp"

namespace yolod::scenes {

enum class VehicleKind { kCar, kVan, kBus, kTruck };

// Lengths are in metres.
struct Vehicle {
  VehicleKind kind{VehicleKind::kCar};
  bool towards{false};  // the vehicle comes towards the camera, which sees its front
  float x{0};           // of its middle
  float z{0};           // of the visible end
  float width{1.8F};
  float height{1.5F};
};

void add_vehicles(std::vector<Item>& items, Random& random, const Street& street);
[[nodiscard]] Item vehicle_item(Random& random, const Vehicle& vehicle);

}  // namespace yolod::scenes
