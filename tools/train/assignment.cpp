#include "tools/train/assignment.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "tools/train/anchors.hpp"

namespace yolod::train {
namespace {

bool ratio_fits(const Anchor& anchor, const Target& target) {
  const float width = target.width / anchor.width;
  const float height = target.height / anchor.height;
  return std::max({width, 1 / width, height, 1 / height}) < kMaxShapeRatio;
}

struct HeadAnchor {
  std::size_t head{0};
  std::size_t anchor{0};

  friend bool operator==(const HeadAnchor&, const HeadAnchor&) = default;
};

struct Nearest {
  HeadAnchor place;  // the first, if several anchors are equally near
  float shape_iou{-1};
};

Nearest nearest_anchor(const Anchor& shape, std::span<const HeadGrid> heads) {
  Nearest best;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    for (std::size_t a = 0; a < heads[h].anchors.size(); ++a) {
      const float overlap = shape_iou(heads[h].anchors[a], shape);
      if (overlap > best.shape_iou) best = {{h, a}, overlap};
    }
  }
  return best;
}

// Returns how far beyond the edges of a cell an object of that cell can have its centre, in cells.
float usable_reach(const HeadGrid& head) {
  return head.objective.shape_iou ? 0 : head.reach() - kReachMargin * head.scale_x_y;
}

// Finds, along one side, the cell that holds `position` (in cells) and the neighbouring cells that reach it.
class Cells {
 public:
  Cells(float position, const HeadGrid& head, int count) {
    const float beyond = usable_reach(head);
    const int own = std::clamp(static_cast<int>(position), 0, count - 1);
    cells_[count_++] = own;
    const float within = position - static_cast<float>(own);
    if (own > 0 && within < beyond) cells_[count_++] = own - 1;
    if (own + 1 < count && 1 - within < beyond) cells_[count_++] = own + 1;
  }
  [[nodiscard]] std::span<const int> all() const { return std::span(cells_).first(count_); }
  [[nodiscard]] int own() const { return cells_[0]; }

 private:
  std::array<int, 3> cells_{};
  std::size_t count_{0};
};

struct Claim {
  std::size_t target;
  float shape_iou;
};

}  // namespace

std::vector<std::vector<Match>> assign(std::span<const Target> targets, std::span<const HeadGrid> heads) {
  std::vector<std::map<std::size_t, Claim>> claims(heads.size());
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const auto& target = targets[t];
    if (target.ignored) continue;
    const Anchor shape{target.width, target.height};
    const auto nearest = nearest_anchor(shape, heads);
    for (std::size_t h = 0; h < heads.size(); ++h) {
      const auto& head = heads[h];
      const Cells columns(target.x / head.cell_width, head, head.columns);
      const Cells rows(target.y / head.cell_height, head, head.rows);
      for (std::size_t a = 0; a < head.anchors.size(); ++a) {
        const Claim claim{t, shape_iou(head.anchors[a], shape)};
        // Two heads can have the same anchor, for example in yolov4-tiny. Darknet assigns the object to both heads.
        const auto least = head.objective.shape_iou;
        const bool fits = least ? claim.shape_iou > *least || claim.shape_iou >= nearest.shape_iou
                                : ratio_fits(head.anchors[a], target) || nearest.place == HeadAnchor{h, a};
        if (!fits) continue;
        const auto ask = [&](int row, int column) {
          const auto [place, is_free] = claims[h].try_emplace(head.index(row, column, a), claim);
          if (!is_free && claim.shape_iou > place->second.shape_iou) place->second = claim;
        };
        for (const int column : columns.all()) ask(rows.own(), column);
        for (const int row : rows.all().subspan(1)) ask(row, columns.own());
      }
    }
  }
  std::vector<std::vector<Match>> matches(heads.size());
  for (std::size_t h = 0; h < heads.size(); ++h) {
    for (const auto& [index, claim] : claims[h]) matches[h].push_back({index, claim.target});
  }
  return matches;
}

}  // namespace yolod::train
