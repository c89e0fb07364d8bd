#include "tools/scenes/buildings.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

namespace yolod::scenes {
namespace {

struct Building {
  float wall{0};  // x of its front
  float away{1};  // 1: right of the street; -1: left
  float near{0};  // z of its near corner
  float far{0};
  float height{10};
  Color color;
};

// A position on one of the two walls: `along` is 0 to 1 from the near corner, `up` is in metres.
struct Wall {
  const Building& building;
  bool facing;  // true: the wall towards the camera; false: the wall towards the street

  [[nodiscard]] float length() const { return facing ? 16 : building.far - building.near; }
  [[nodiscard]] float depth(float along) const {
    return facing ? building.near : building.near + along * (building.far - building.near);
  }
  [[nodiscard]] cv::Point2f at(const View& view, float along, float up) const {
    return view.at(facing ? building.wall + building.away * along * length() : building.wall, up, depth(along));
  }
  [[nodiscard]] std::array<cv::Point2f, 4> rectangle(const View& view, float a0, float a1, float low,
                                                     float high) const {
    return {at(view, a0, low), at(view, a1, low), at(view, a1, high), at(view, a0, high)};
  }
};

bool too_small(const std::array<cv::Point2f, 4>& corners, float standard) {
  return std::abs(corners[1].x - corners[0].x) * standard < 1.6F ||
         std::abs(corners[3].y - corners[0].y) * standard < 2.2F;
}

bool beside(const std::array<cv::Point2f, 4>& corners, const View& view) {
  const auto [left, right] = std::minmax(corners[0].x, corners[1].x);
  return right < 0 || left > static_cast<float>(view.size.width);
}

bool outside(const std::array<cv::Point2f, 4>& corners, const View& view) {
  return beside(corners, view) || std::max(corners[0].y, corners[1].y) < 0;
}

Color lit_window(Random& random) {
  static const std::array<Color, 5> kLamps{Color(120, 205, 250), Color(170, 225, 245), Color(230, 235, 235),
                                           Color(90, 180, 245), Color(235, 200, 160)};
  const auto& color = random.pick(kLamps);
  return color * random.uniform(0.35F, 0.95F);
}

void draw_windows(const Stage& stage, Random& random, const Wall& wall, float from, float shade) {
  const float floor = random.uniform(2.8F, 3.8F);
  const float spacing = random.uniform(1.8F, 4);
  const float wide = random.uniform(0.35F, 0.85F);
  const float tall = random.uniform(0.4F, 0.75F);
  const bool framed = random.chance(0.3F);
  const auto glass = Color(95, 88, 80) * random.uniform(0.4F, 1.3F);
  const float lit =
      stage.air.night() ? random.uniform(0.05F, 0.45F) : (stage.air.daytime == Daytime::kDusk ? 0.15F : 0.01F);
  const int columns = std::min(12, static_cast<int>(wall.length() / spacing));
  const int rows = std::min(10, static_cast<int>((wall.building.height - from) / floor));
  for (int column = 0; column < columns; ++column) {
    const float begin = (static_cast<float>(column) + (1 - wide) / 2) / static_cast<float>(columns);
    const float end = begin + wide / static_cast<float>(columns);
    const float z = wall.depth((begin + end) / 2);
    const auto lowest = wall.rectangle(stage.view, begin, end, from, from + tall * floor);
    if (too_small(lowest, stage.view.standard()) || beside(lowest, stage.view)) continue;
    for (int row = 0; row < rows; ++row) {
      const float low = from + (static_cast<float>(row) + (1 - tall) / 2) * floor;
      const auto window = wall.rectangle(stage.view, begin, end, low, low + tall * floor);
      const bool shines = random.chance(lit);
      const float tone = random.uniform(0.8F, 1.2F);
      const auto lamp = lit_window(random);
      if (outside(window, stage.view)) continue;
      if (framed) {
        const float rim = 0.12F / wall.length();
        stage.canvas.fill_roughly(
            wall.rectangle(stage.view, begin - rim, end + rim, low - 0.12F, low + tall * floor + 0.12F),
            stage.air.surface(wall.building.color * (1.25F * shade), z));
      }
      // Rough edges are invisible with so many windows.
      stage.canvas.fill_roughly(window,
                                shines ? stage.air.source(lamp, z) : stage.air.surface(glass * (tone * shade), z));
    }
  }
}

Color sign_color(Random& random) {
  static const std::array<Color, 7> kLoud{Color(40, 40, 215),  Color(60, 170, 50),   Color(30, 190, 240),
                                          Color(200, 110, 40), Color(235, 235, 235), Color(45, 45, 45),
                                          Color(60, 120, 240)};
  return random.pick(kLoud);
}

// Draws shop windows and a name board above them; both shine at night.
void draw_shops(const Stage& stage, Random& random, const Wall& wall, float height) {
  const int shops = std::max(1, static_cast<int>(wall.length() / random.uniform(4, 8)));
  for (int shop = 0; shop < shops; ++shop) {
    const float begin = (static_cast<float>(shop) + 0.05F) / static_cast<float>(shops);
    const float end = (static_cast<float>(shop) + 0.95F) / static_cast<float>(shops);
    const float z = wall.depth((begin + end) / 2);
    const bool open = stage.air.night() ? random.chance(0.7F) : random.chance(0.2F);
    const auto inside = lit_window(random);
    const auto board = sign_color(random);
    const auto letters = random.chance(0.6F) ? Color(240, 240, 240) : sign_color(random);
    const bool board_shines = stage.air.night() && random.chance(0.6F);
    const auto glass = wall.rectangle(stage.view, begin, end, 0.5F, 0.68F * height);
    const auto seed = random.bits();
    if (too_small(glass, stage.view.standard()) || outside(glass, stage.view)) continue;
    const auto shown = [&](const Color& color) {
      return board_shines ? stage.air.source(color, z) : stage.air.surface(color, z);
    };
    stage.canvas.fill(glass, open ? stage.air.source(inside, z) : stage.air.surface(Color(70, 68, 62), z));
    stage.canvas.fill(wall.rectangle(stage.view, begin, end, 0.72F * height, 0.95F * height), shown(board));
    Random name(seed);
    for (float at = 0.1F; at < 0.8F;) {
      const float step = name.uniform(0.04F, 0.1F);
      const float a = begin + at * (end - begin);
      const float b = begin + (at + 0.6F * step) * (end - begin);
      stage.canvas.fill(wall.rectangle(stage.view, a, b, 0.77F * height, (name.chance(0.5F) ? 0.88F : 0.91F) * height),
                        shown(letters));
      at += step;
    }
  }
}

void draw_building(const Stage& stage, Random& random, const Building& building) {
  const float ground_floor = random.uniform(3.2F, 4.6F);
  const bool shops = random.chance(0.55F);
  const float sunny = random.uniform(0.75F, 1);
  for (const bool facing : {true, false}) {
    const Wall wall{building, facing};
    const float shade = facing ? 0.8F * sunny : 1;
    // Draws a long wall in two parts, so that haze can grow along it.
    for (int part = 1; part >= 0; --part) {
      const float begin = 0.5F * static_cast<float>(part);
      const auto corners = wall.rectangle(stage.view, begin, begin + 0.5F, 0, building.height);
      stage.canvas.fill(corners, stage.air.surface(building.color * shade, wall.depth(begin + 0.25F)));
    }
    const auto whole = wall.rectangle(stage.view, 0, 1, 0, building.height);
    if (outside(whole, stage.view) || too_small(whole, stage.view.standard())) continue;
    draw_windows(stage, random, wall, ground_floor, shade);
    if (shops) draw_shops(stage, random, wall, ground_floor);
  }
}

Color wall_color(Random& random) {
  static const std::array<Color, 9> kWalls{Color(150, 165, 175), Color(95, 110, 150),  Color(170, 185, 195),
                                           Color(120, 150, 180), Color(110, 112, 115), Color(80, 95, 120),
                                           Color(190, 195, 198), Color(135, 125, 115), Color(75, 80, 85)};
  const auto& color = random.pick(kWalls);
  return color * random.uniform(0.75F, 1.2F);
}

}  // namespace

void add_buildings(std::vector<Item>& items, Random& random, const Street& street) {
  const float gaps = random.uniform(0.05F, 0.5F);
  const float tall = random.uniform(7, 26);
  for (const float away : {-1.0F, 1.0F}) {
    for (float z = random.uniform(2, 8); z < 130;) {
      const float length = random.uniform(9, 24);
      const float end = z + length;
      const bool at_crossing = end > street.junction + 3 && z < street.junction + 16;
      if (at_crossing) {
        z = street.junction + 16 + random.uniform(0, 2);
        if (z - length < street.junction - 4 || random.chance(0.3F)) continue;
      }
      if (random.chance(gaps)) {
        z = end;
        continue;
      }
      Building building;
      building.away = away;
      building.wall = (away > 0 ? street.walls_right : street.walls_left) + away * random.uniform(0, 1.5F);
      building.near = z;
      building.far = z + length;
      building.height = tall * random.uniform(0.5F, 1.6F);
      building.color = wall_color(random);
      items.push_back({building.far, random.bits(),
                       [building](const Stage& stage, Random& own) { draw_building(stage, own, building); }});
      z += length + (random.chance(0.3F) ? random.uniform(0.5F, 5) : 0);
    }
  }
}

}  // namespace yolod::scenes
