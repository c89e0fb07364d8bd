#include "tools/scenes/trees.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

namespace yolod::scenes {
namespace {

enum class TreeKind { kBroad, kConifer, kBare };

Color leaf_color(Random& random) {
  static const std::array<Color, 6> kLeaves{Color(45, 95, 60),   Color(40, 115, 85),  Color(55, 80, 50),
                                            Color(35, 130, 120), Color(40, 120, 170), Color(70, 105, 80)};
  const auto& color = random.pick(kLeaves);
  return color * random.uniform(0.7F, 1.15F);
}

// Draws leaves in clumps: large dark clumps first, then brighter ones towards the light above.
void draw_crown(const Stage& stage, Random& random, const Tree& tree) {
  const auto& view = stage.view;
  const float up = random.uniform(0.8F, 1.2F);
  const auto middle = view.at(tree.x, tree.trunk + tree.radius * up * 0.8F, tree.z);
  const float across = tree.radius * view.scale(tree.z);
  const float along = across * up;
  const auto area = area_of(std::array{cv::Point2f(middle.x - 1.25F * across, middle.y - 1.25F * along),
                                       cv::Point2f(middle.x + 1.25F * across, middle.y + 1.25F * along)},
                            stage.canvas.bounds());
  const auto color = leaf_color(random);
  if (area.empty()) return;
  Patch patch(area, 2);
  constexpr int kClumps = 90;
  for (int i = 0; i < kClumps; ++i) {
    const float late = static_cast<float>(i) / kClumps;
    const float angle = random.uniform(0, 6.2832F);
    const float out = std::sqrt(random.unit()) * (0.75F + 0.25F * late);
    const cv::Point2f place(out * std::cos(angle), out * std::sin(angle));
    const float radius = across * (0.3F - 0.22F * late) * random.uniform(0.5F, 1);
    const float shade = (0.55F + 0.45F * late) * (1 - 0.3F * place.y) * random.uniform(0.8F, 1.15F);
    const cv::Point2f at(middle.x + place.x * across, middle.y + place.y * along);
    if (at.x + radius < 0 || at.y + radius < 0) continue;
    patch.disc(at, std::max(radius, 0.6F), stage.air.surface(color * shade, tree.z));
  }
  stage.canvas.put(patch);
}

void draw_conifer(const Stage& stage, Random& random, const Tree& tree) {
  const auto color = leaf_color(random).mul(Color(0.9F, 0.75F, 0.7F));
  const float height = tree.trunk + tree.radius * 3;
  constexpr int kLayers = 6;
  for (int i = 0; i < kLayers; ++i) {
    const float low = tree.trunk * 0.4F + (height - tree.trunk * 0.4F) * static_cast<float>(i) / (kLayers + 1);
    const float half = tree.radius * 0.8F * (1 - static_cast<float>(i) / (kLayers + 0.5F));
    const float top = low + (height - low) * 0.45F;
    stage.canvas.fill(
        std::array{stage.view.at(tree.x - half, low, tree.z), stage.view.at(tree.x + half, low, tree.z),
                   stage.view.at(tree.x + 0.1F * half, top, tree.z), stage.view.at(tree.x - 0.1F * half, top, tree.z)},
        stage.air.surface(color * random.uniform(0.75F, 1.15F), tree.z));
  }
}

void draw_branches(const Stage& stage, Random& random, const Tree& tree, const Color& bark) {
  const auto root = stage.view.at(tree.x, tree.trunk * 0.7F, tree.z);
  const float reach = tree.radius * stage.view.scale(tree.z);
  for (int i = random.integer(7, 13); i > 0; --i) {
    const float angle = random.uniform(0.25F, 2.9F);
    const float length = reach * random.uniform(0.7F, 1.5F);
    const cv::Point2f tip(root.x + length * std::cos(angle), root.y - length * std::sin(angle));
    stage.canvas.stroke(root, tip, std::max(0.045F * reach, 0.5F), bark);
    for (int twig = 0; twig < 3; ++twig) {
      const auto from = root + (tip - root) * random.uniform(0.4F, 0.95F);
      const float turned = angle + random.uniform(-0.8F, 0.8F);
      stage.canvas.stroke(from, from + 0.4F * length * cv::Point2f(std::cos(turned), -std::sin(turned)),
                          std::max(0.02F * reach, 0.4F), bark);
    }
  }
}

Color draw_trunk(const Stage& stage, Random& random, const Tree& tree) {
  const auto bark = Color(45, 58, 72) * random.uniform(0.7F, 1.3F);
  const float half = 0.05F + 0.05F * tree.radius;
  stage.upright(tree.x - half, 0, tree.x + half, tree.trunk + 0.4F * tree.radius, tree.z, bark);
  return stage.air.surface(bark, tree.z);
}

void draw_tree(const Stage& stage, Random& random, const Tree& tree) {
  constexpr std::array<float, 3> kKinds{0.72F, 0.14F, 0.14F};
  const auto kind = static_cast<TreeKind>(random.weighted(kKinds));
  const auto bark = draw_trunk(stage, random, tree);
  switch (kind) {
    case TreeKind::kBroad: draw_crown(stage, random, tree); break;
    case TreeKind::kConifer: draw_conifer(stage, random, tree); break;
    case TreeKind::kBare: draw_branches(stage, random, tree, bark); break;
  }
}

cv::Rect2f crown_of(const Tree& tree) {
  return {tree.x - tree.radius, tree.trunk - 0.2F * tree.radius, 2 * tree.radius, 2 * tree.radius};
}

}  // namespace

Item tree_item(Random& random, const Tree& tree) {
  return {tree.z, random.bits(),
          [tree](const Stage& stage, Random& own) {
            draw_trunk(stage, own, tree);
            draw_crown(stage, own, tree);
          },
          crown_of(tree)};
}

void add_trees(std::vector<Item>& items, Random& random, const Street& street) {
  if (random.chance(0.3F)) return;
  const float spacing = random.uniform(7, 20);
  const float size = random.uniform(1.2F, 3);
  for (const float away : {-1.0F, 1.0F}) {
    if (random.chance(0.25F)) continue;
    const float kerb = away > 0 ? street.right : street.left;
    for (float z = random.uniform(7, 16); z < 90; z += spacing * random.uniform(0.7F, 1.4F)) {
      if (z > street.junction - 3 && z < street.junction + 15) continue;
      Tree tree;
      tree.x = kerb + away * random.uniform(1.6F, street.pavement + 1.5F);
      tree.z = z;
      tree.trunk = random.uniform(1.8F, 3.2F);
      tree.radius = size * random.uniform(0.7F, 1.3F);
      items.push_back(
          {z, random.bits(), [tree](const Stage& stage, Random& own) { draw_tree(stage, own, tree); }, crown_of(tree)});
    }
  }
}

}  // namespace yolod::scenes
