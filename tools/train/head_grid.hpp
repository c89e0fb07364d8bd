// The places of a network's heads, and the boxes that their answers stand for.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::train {

// Centre and size in pixels of the input.
struct CenteredBox {
  float x{0};
  float y{0};
  float width{0};
  float height{0};
};

// A head of [yolo], [Gaussian_yolo] or [region]: anchors at each cell of a map.
//
// Its logits have a row for each answer: x, y, width, height, objectness, a score for each class, and with `gaussian`
// the uncertainties of x, y, width and height. (A [Gaussian_yolo] map has these in another order, see row_order().)
struct HeadGrid {
  int rows{0};
  int columns{0};
  float cell_width{0};  // pixels of the input
  float cell_height{0};
  float scale_x_y{1};
  std::vector<model::darknet::Anchor> anchors;
  int classes{0};
  bool square_sizes{false};    // sides are the anchor's times (2 logistic(w))^2, not e^w: new_coords
  bool gaussian{false};        // with uncertainties
  bool softmax_scores{false};  // of the classes; else a logistic of each

  [[nodiscard]] int row_length() const { return 5 + classes + (gaussian ? 4 : 0); }
  // Which value of the map's row each value of a row of logits is.
  [[nodiscard]] std::vector<std::int64_t> row_order() const;

  [[nodiscard]] std::size_t candidates() const {
    return anchors.size() * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  }
  // The place of an answer among those of one picture: cells row by row, their anchors together, as the map lies in
  // memory. (The server's list is anchor-major.)
  [[nodiscard]] std::size_t index(int row, int column, std::size_t anchor) const {
    return (static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)) *
               anchors.size() +
           anchor;
  }
  // How far beyond the edges of its cell an answer's centre can lie, in cells.
  [[nodiscard]] float reach() const { return (scale_x_y - 1) / 2; }

  // The box of an answer's first four logits: the centre is where the logistic of x and y lies between the ends of its
  // reach, the sides are the anchor's times side_of() w and h. boxes_of() in decode.hpp is the same of tensors.
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

// `network` must be trainable (trainable_cfg.hpp). In the cfg's order.
[[nodiscard]] std::vector<HeadGrid> head_grids(const model::darknet::Network& network);

}  // namespace yolod::train
