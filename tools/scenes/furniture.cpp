#include "tools/scenes/furniture.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

#include "tools/scenes/signs.hpp"
#include "tools/scenes/wire.hpp"

namespace yolod::scenes {
namespace {

const Color kMetal(112, 112, 110);

float free_z(Random& random, const Street& street, float near, float far) {
  const float z = random.uniform(near, far);
  return z > street.junction - 1.5F && z < street.junction + 1.5F ? street.junction + 2.5F : z;
}

void draw_street_lamp(const Stage& stage, Random& random, float x, float z, float height, float arm) {
  const auto color = Color(95, 98, 96) * random.uniform(0.5F, 1.3F);
  stage.upright(x - 0.08F, 0, x + 0.08F, height, z, color);
  const auto top = stage.view.at(x, height, z);
  const auto tip = stage.view.at(x + arm, height + 0.25F, z);
  stage.canvas.stroke(top, tip, std::max(0.09F * stage.view.scale(z), 0.6F), stage.air.surface(color, z));
  const bool lit =
      stage.air.night() ? random.chance(0.93F) : stage.air.daytime == Daytime::kDusk && random.chance(0.5F);
  static const std::array<Color, 4> kLamps{Color(90, 190, 255), Color(165, 225, 255), Color(245, 250, 250),
                                           Color(60, 160, 250)};
  const auto light = stage.air.source(random.pick(kLamps), z);
  const float half = std::copysign(0.35F, arm);
  const auto head =
      std::array{stage.view.at(x + arm - half, height + 0.1F, z), stage.view.at(x + arm + half, height + 0.1F, z),
                 stage.view.at(x + arm + half, height + 0.32F, z), stage.view.at(x + arm - half, height + 0.32F, z)};
  stage.canvas.fill(head, lit ? light : stage.air.surface(color * 0.8F, z));
  if (lit) {
    const float pixels = stage.view.scale(z);
    stage.canvas.glow(tip, std::max(1.6F * pixels, 4.0F),
                      light * (stage.air.night() ? random.uniform(0.5F, 1.1F) : 0.3F));
  }
}

void add_street_lamps(std::vector<Item>& items, Random& random, const Street& street) {
  if (random.chance(0.25F)) return;
  const float height = random.uniform(5, 10);
  const float spacing = random.uniform(16, 34);
  const bool both = random.chance(0.5F);
  const float first_side = random.sign();
  for (const float side : {first_side, -first_side}) {
    if (side != first_side && !both) continue;
    const float x = side > 0 ? street.right + 0.6F : street.left - 0.6F;
    for (float z = random.uniform(8, 25); z < 150; z += spacing) {
      items.push_back(
          {z, random.bits(),
           [=](const Stage& stage, Random& own) { draw_street_lamp(stage, own, x, z, height, -side * 1.8F); },
           cv::Rect2f(x - 0.1F, 0, 0.2F, height)});
    }
  }
}

void add_signs(std::vector<Item>& items, Random& random, const Street& street) {
  for (int i = random.integer(0, 5); i > 0; --i) {
    const float side = random.sign();
    const float x = (side > 0 ? street.right : street.left) + side * random.uniform(0.4F, 2);
    const float z = free_z(random, street, 7, 55);
    const float size = random.uniform(0.55F, 0.95F);
    const float y = random.uniform(2, 3.2F);
    const bool two = random.chance(0.25F);
    items.push_back({z, random.bits(),
                     [=](const Stage& stage, Random& own) {
                       stage.upright(x - 0.035F, 0, x + 0.035F, y + 0.3F, z, kMetal);
                       draw_sign(stage, own, x, y, z, size);
                       if (two) draw_sign(stage, own, x, y - 1.05F * size, z, 0.9F * size);
                     },
                     cv::Rect2f(x - 0.75F * size, y - 0.5F * size, 1.5F * size, size)});
  }
}

void add_advertisements(std::vector<Item>& items, Random& random, const Street& street) {
  for (int i = random.integer(0, 3); i > 0; --i) {
    const float side = random.sign();
    const bool on_wall = random.chance(0.6F);
    const float width = on_wall ? random.uniform(0.6F, 2) : random.uniform(1.2F, 3.5F);
    const float height = on_wall ? random.uniform(0.6F, 4) : random.uniform(1.4F, 2.4F);
    const float low = on_wall ? random.uniform(2.8F, 7) : random.uniform(0.6F, 3);
    const float edge = on_wall ? (side > 0 ? street.walls_right - width : street.walls_left)
                               : (side > 0 ? street.right + 0.8F : street.left - 0.8F - width);
    const float z = free_z(random, street, 9, 60);
    const cv::Rect2f metres(edge, low, width, height);
    items.push_back({z, random.bits(),
                     [=](const Stage& stage, Random& own) {
                       for (const float post : {0.15F, 0.8F}) {
                         stage.upright(edge + post * width, 0, edge + (post + 0.05F) * width, low, z, kMetal);
                       }
                       draw_advertisement(stage, own, metres, z);
                     },
                     metres});
  }
}

void draw_person(const Stage& stage, Random& random, float x, float z) {
  static const std::array<Color, 7> kClothes{Color(45, 42, 40),    Color(110, 70, 45), Color(50, 45, 160),
                                             Color(150, 150, 150), Color(70, 110, 70), Color(70, 150, 200),
                                             Color(195, 190, 185)};
  static const std::array<Color, 3> kSkins{Color(140, 170, 215), Color(95, 125, 175), Color(55, 75, 110)};
  const float tall = random.uniform(1.5F, 1.9F) / 1.75F;
  const float step = random.uniform(0, 0.18F);
  const auto legs = random.pick(kClothes) * 0.8F;
  stage.upright(x - 0.16F - step, 0, x - 0.02F, 0.85F * tall, z, legs);
  stage.upright(x + 0.02F, 0, x + 0.16F + step, 0.85F * tall, z, legs * 0.9F);
  stage.canvas.fill({stage.view.at(x - 0.19F, 0.8F * tall, z), stage.view.at(x + 0.19F, 0.8F * tall, z),
                     stage.view.at(x + 0.24F, 1.42F * tall, z), stage.view.at(x - 0.24F, 1.42F * tall, z)},
                    stage.air.surface(random.pick(kClothes), z));
  std::array<cv::Point2f, 8> head;
  for (std::size_t k = 0; k < head.size(); ++k) {
    const float angle = 0.7854F * static_cast<float>(k);
    head[k] = stage.view.at(x + 0.11F * std::cos(angle), 1.6F * tall + 0.14F * std::sin(angle), z);
  }
  stage.canvas.fill(head, stage.air.surface(random.pick(kSkins), z));
}

void add_people(std::vector<Item>& items, Random& random, const Street& street) {
  for (int i = random.integer(-2, 6); i > 0; --i) {
    const bool crossing = random.chance(0.25F);
    const float side = random.sign();
    const float x = crossing ? random.uniform(street.left, street.right)
                             : (side > 0 ? street.right : street.left) + side * random.uniform(0.4F, street.pavement);
    const float z = crossing ? street.junction + random.uniform(1.5F, 4) : random.uniform(6, 50);
    items.push_back({z, random.bits(), [=](const Stage& stage, Random& own) { draw_person(stage, own, x, z); }});
  }
}

// Adds sagging wires, across or along the street.
void add_wires(std::vector<Item>& items, Random& random, const Street& street) {
  if (random.chance(0.65F)) return;
  for (int i = random.integer(1, 4); i > 0; --i) {
    const float height = random.uniform(6, 9);
    const float near = random.uniform(6, 40);
    const float far = random.chance(0.5F) ? near : near + 60;
    const float from = random.chance(0.5F) ? street.walls_left : street.right + 1;
    const float to = far > near ? from : street.walls_right;
    items.push_back({far, random.bits(), [=](const Stage& stage, Random&) {
                       constexpr int kPieces = 8;
                       constexpr float kSag = 0.6F;
                       auto last = stage.view.at(from, height, near);
                       for (int k = 1; k <= kPieces; ++k) {
                         const float t = static_cast<float>(k) / kPieces;
                         const float z = near + t * (far - near);
                         const auto next = stage.view.at(from + t * (to - from), wire_height(height, kSag, t), z);
                         stage.canvas.stroke(last, next, std::max(0.02F * stage.view.scale(z), 0.5F),
                                             stage.air.surface({35, 35, 35}, z));
                         last = next;
                       }
                     }});
  }
}

}  // namespace

Item pole_item(Random& random, float x, float z, float width, float height) {
  return {z, random.bits(),
          [=](const Stage& stage, Random& own) {
            const auto color = own.chance(0.7F) ? Color(105, 108, 108) : Color(60, 80, 105);
            stage.upright(x - width / 2, 0, x + width / 2, height, z, color * own.uniform(0.5F, 1.3F));
          },
          cv::Rect2f(x - width / 2, 0, width, height)};
}

void add_furniture(std::vector<Item>& items, Random& random, const Street& street) {
  add_street_lamps(items, random, street);
  add_signs(items, random, street);
  add_advertisements(items, random, street);
  add_people(items, random, street);
  add_wires(items, random, street);
}

}  // namespace yolod::scenes
