#include "tools/train/head_grid.hpp"

#include <utility>
#include <variant>

namespace yolod::train {

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
    grids.push_back(std::move(grid));
  }
  return grids;
}

}  // namespace yolod::train
