#include "tools/train/head_grid.hpp"

#include <numeric>
#include <utility>
#include <variant>

namespace yolod::train {

// In a [Gaussian_yolo] map, the uncertainty of x, y, width or height follows directly after its value.
std::vector<std::int64_t> HeadGrid::row_order() const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(row_length()));
  std::iota(order.begin(), order.end(), 0);
  if (!gaussian) return order;
  order = {0, 2, 4, 6};
  for (int i = 0; i <= classes; ++i) order.push_back(8 + i);
  for (const std::int64_t uncertainty : {1, 3, 5, 7}) order.push_back(uncertainty);
  return order;
}

std::vector<HeadGrid> head_grids(const model::darknet::Network& network) {
  std::vector<HeadGrid> grids;
  for (const auto* head : model::darknet::heads(network)) {
    const auto& yolo = std::get<model::darknet::Yolo>(head->kind);
    HeadGrid grid;
    grid.rows = head->output.height;
    grid.columns = head->output.width;
    grid.cell_width = static_cast<float>(network.input.width) / static_cast<float>(grid.columns);
    grid.cell_height = static_cast<float>(network.input.height) / static_cast<float>(grid.rows);
    grid.scale_x_y = yolo.scale_x_y;
    grid.anchors = yolo.anchors;
    grid.classes = yolo.classes;
    grid.square_sizes = yolo.new_coords;
    grid.gaussian = yolo.gaussian;
    grid.softmax_scores = yolo.scores == model::darknet::ClassScores::kSoftmax;
    grids.push_back(std::move(grid));
  }
  return grids;
}

}  // namespace yolod::train
