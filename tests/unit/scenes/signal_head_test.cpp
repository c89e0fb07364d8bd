#include "tools/scenes/draw_head.hpp"

#include <catch2/catch.hpp>
#include <opencv2/core.hpp>

using namespace yolod::scenes;

namespace {

Air clear_day() {
  Air air;
  air.ambient = {1, 1, 1};
  air.horizon = {200, 200, 200};
  air.clear_distance = 1e6F;
  return air;
}

SignalHead plain_head(Light light, int lit) {
  SignalHead head;
  head.light = light;
  head.lit = lit;
  head.visor = Visor::kNone;
  head.body = {40, 40, 40};
  head.lit_color = {40, 40, 250};
  return head;
}

HeadPlace place_at(float pixels_per_metre) { return {{100, 100}, pixels_per_metre, 20, 0}; }

}  // namespace

TEST_CASE("SignalHead: the drawn head is as large as its outline", "[scenes][unit]") {
  const auto head = plain_head(Light::kRed, 0);
  const auto drawn = draw_head(head, place_at(50), clear_day(), true);
  const auto box = drawn.patch.covered();
  CHECK(box.width == Approx(head.outline().width * 50).margin(0.8));
  CHECK(box.height == Approx(head.outline().height * 50).margin(0.8));
  CHECK(box.x + box.width / 2 == Approx(100).margin(0.8));
  CHECK(box.y + box.height / 2 == Approx(100).margin(0.8));
}

TEST_CASE("SignalHead: red is at the top, and at the left of a horizontal head", "[scenes][unit]") {
  auto head = plain_head(Light::kRed, 0);
  auto drawn = draw_head(head, place_at(50), clear_day(), true);
  CHECK(drawn.lens_center.x == Approx(100).margin(0.5));
  CHECK(drawn.lens_center.y == Approx(100 - 50 * head.section()).margin(0.5));
  head.lying = true;
  drawn = draw_head(head, place_at(50), clear_day(), true);
  CHECK(drawn.lens_center.x == Approx(100 - 50 * head.section()).margin(0.5));
  CHECK(drawn.lens_center.y == Approx(100).margin(0.5));
  CHECK(drawn.lens_radius == Approx(50 * 0.48 * head.lens_diameter).margin(0.3));
}

TEST_CASE("SignalHead: a head that is off has no lit lens", "[scenes][unit]") {
  const auto drawn = draw_head(plain_head(Light::kOff, -1), place_at(30), clear_day(), true);
  CHECK(drawn.lens.empty());
  CHECK(drawn.lens_radius == 0);
}

TEST_CASE("SignalHead: a head that is turned away is narrower, and a head seen from below is lower", "[scenes][unit]") {
  auto head = plain_head(Light::kRed, 0);
  const auto facing = draw_head(head, place_at(50), clear_day(), true).patch.covered();
  auto below = place_at(50);
  below.elevation = 0.6F;
  CHECK(draw_head(head, below, clear_day(), true).lens_center.y > 100 - 50 * head.section() + 2);
  head.yaw = 1.2F;
  CHECK(draw_head(head, place_at(50), clear_day(), true).patch.covered().width < 0.85F * facing.width);
}

TEST_CASE("SignalHead: random heads have a lens of the color that they show", "[scenes][unit]") {
  Random random(5);
  for (int i = 0; i < 600; ++i) {
    const auto light = static_cast<Light>(i % static_cast<int>(kLightCount));
    const auto head = random_head(random, light, i % 2 == 0);
    REQUIRE(head.lens_count >= 2);
    REQUIRE(head.lens_count <= 4);
    if (light == Light::kOff) {
      CHECK(head.lit == -1);
      continue;
    }
    REQUIRE(head.lit >= 0);
    REQUIRE(head.lit < head.lens_count);
    const auto lens = head.lenses[static_cast<std::size_t>(head.lit)];
    const bool red = light == Light::kRed || light == Light::kRedArrow;
    CHECK(lens == (red ? LensColor::kRed : (light == Light::kYellow ? LensColor::kYellow : LensColor::kGreen)));
  }
}
