// The things that an object needs to draw itself: the canvas, the camera's view and the air; and the list of objects.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "tools/scenes/air.hpp"
#include "tools/scenes/canvas.hpp"
#include "tools/scenes/random.hpp"
#include "tools/scenes/view.hpp"

namespace yolod::scenes {

struct Stage {
  Canvas& canvas;
  const View& view;
  const Air& air;

  // Fills an upright rectangle that faces the camera, `z` metres away.
  void upright(float left, float bottom, float right, float top, float z, const Color& albedo) const {
    canvas.fill({view.at(left, bottom, z), view.at(right, bottom, z), view.at(right, top, z), view.at(left, top, z)},
                air.surface(albedo, z));
  }
  // Fills a rectangle on the road from `near` to `far`.
  void ground(float left, float right, float near, float far, const Color& albedo) const {
    canvas.fill(lying(left, right, near, far), air.surface(albedo, (near + far) / 2));
  }
  [[nodiscard]] std::array<cv::Point2f, 4> lying(float left, float right, float near, float far) const {
    return {view.at(left, 0, near), view.at(right, 0, near), view.at(right, 0, far), view.at(left, 0, far)};
  }
};

// An object of a scene. It has a separate random generator, so omitting another object does not change it.
struct Item {
  float depth{0};  // in metres; the most distant item is drawn first
  std::uint64_t seed{0};
  std::function<void(const Stage&, Random&)> draw;
  cv::Rect2f reach{};  // in metres at its depth: x and y of the lower left corner, y upwards; empty for a thin item
};

}  // namespace yolod::scenes
