// A traffic light's head, of one of many designs.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/types.hpp>

#include "tools/scenes/canvas.hpp"
#include "tools/scenes/random.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::scenes {

enum class LensColor : std::uint8_t { kRed, kYellow, kGreen };
enum class ArrowWay : std::uint8_t { kLeft, kUp, kRight };
enum class Visor : std::uint8_t { kNone, kCap, kTunnel };
enum class Backplate : std::uint8_t { kNone, kDark, kBordered, kPale };

// Lengths are in metres. Lenses are counted from the red end: from the top, or from the left for a horizontal head.
struct SignalHead {
  Light light{Light::kOff};
  std::array<LensColor, 4> lenses{LensColor::kRed, LensColor::kYellow, LensColor::kGreen, LensColor::kGreen};
  int lens_count{3};
  int lit{-1};
  bool lying{false};
  ArrowWay arrow_way{ArrowWay::kUp};
  float lens_diameter{0.3F};
  Visor visor{Visor::kCap};
  float visor_length{0.2F};
  Backplate backplate{Backplate::kNone};
  float plate_margin{0};
  Color plate_border;
  Color body;
  bool rounded{false};
  bool matrix{false};  // true: light-emitting diodes
  bool smoked{false};  // true: the lenses are nearly black when unlit
  Color lit_color;
  float whiteness{0};  // of the brightest part
  float yaw{0};        // radians to the right of the camera
  float roll{0};

  [[nodiscard]] bool arrow() const { return light == Light::kRedArrow || light == Light::kGreenArrow; }
  [[nodiscard]] float section() const { return 1.17F * lens_diameter; }
  // Returns the size including the backplate.
  [[nodiscard]] cv::Size2f outline() const;
};

[[nodiscard]] SignalHead random_head(Random& random, Light light, bool night);

}  // namespace yolod::scenes
