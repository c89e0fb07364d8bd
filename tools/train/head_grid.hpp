// The cells and anchors of a network's heads, and the boxes that their logits mean.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/darknet/network.hpp"
#include "tools/train/objective.hpp"

namespace yolod::train {

// A box by its centre and size, in pixels of the input.
struct CenteredBox {
  float x{0};
  float y{0};
  float width{0};
  float height{0};
};

// A [yolo], [Gaussian_yolo] or [region] head, which has the same anchors at each cell of a map. Plain values: any
// thread may use them.
//
// The logits have a row for each candidate: x, y, width, height, objectness and a score for each class. With
// `gaussian`, the uncertainties of x, y, width and height follow. A [Gaussian_yolo] map has another order, see
// row_order().
struct HeadGrid {
  int rows{0};
  int columns{0};
  float cell_width{0};  // pixels of the input
  float cell_height{0};
  float scale_x_y{1};
  std::vector<model::darknet::Anchor> anchors;
  int classes{0};
  bool square_sizes{false};    // new_coords: a side is the anchor's side times (2 logistic(w))^2, not times e^w
  bool gaussian{false};        // the rows have uncertainties
  bool softmax_scores{false};  // the class scores are a softmax; otherwise each is a logistic
  Objective objective{};

  [[nodiscard]] int row_length() const { return 5 + classes + (gaussian ? 4 : 0); }
  // Returns, for each value of a row of logits, its index in the row of the map.
  [[nodiscard]] std::vector<std::int64_t> row_order() const;

  [[nodiscard]] std::size_t candidates() const {
    return anchors.size() * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  }
  // Returns the index of a candidate among the candidates of one picture. The candidates have the order of the map
  // in memory: cells row by row, and the anchors of a cell together. The server's list is anchor-major instead.
  [[nodiscard]] std::size_t index(int row, int column, std::size_t anchor) const {
    return (static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)) *
               anchors.size() +
           anchor;
  }
  // Returns how far beyond the edges of its cell the centre of a candidate can lie, in cells.
  [[nodiscard]] float reach() const { return (scale_x_y - 1) / 2; }

  // Returns the box of a candidate from its first four logits. The logistic of x and y places the centre between the
  // ends of its reach. The sides are the anchor's sides times side_of() of w and h. boxes_of() in decode.hpp does
  // the same for tensors.
  [[nodiscard]] CenteredBox box_of(std::span<const float> logits, int row, int column, std::size_t anchor) const {
    const auto logistic = [](float x) { return 1 / (1 + std::exp(-x)); };
    return {(logistic(logits[0]) * scale_x_y - reach() + static_cast<float>(column)) * cell_width,
            (logistic(logits[1]) * scale_x_y - reach() + static_cast<float>(row)) * cell_height,
            side_of(logits[2]) * anchors[anchor].width, side_of(logits[3]) * anchors[anchor].height};
  }
  [[nodiscard]] float side_of(float logit) const {
    if (!square_sizes) return std::exp(logit);
    const float doubled = 2 / (1 + std::exp(-logit));
    return doubled * doubled;
  }
};

// Returns the heads in the order of the cfg, with the default objective. REQUIRES: `network` is trainable
// (trainable_cfg.hpp).
[[nodiscard]] std::vector<HeadGrid> head_grids(const model::darknet::Network& network);

}  // namespace yolod::train
