#include "tools/train/decode.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cstdint>

namespace yolod::train {
namespace {

// Returns the corners of all cells: [rows, columns, 1, 2], x and y in pixels.
at::Tensor cell_corners(const HeadGrid& head) {
  const auto x = at::arange(head.columns, at::kFloat).sub_(head.reach()).mul_(head.cell_width);
  const auto y = at::arange(head.rows, at::kFloat).sub_(head.reach()).mul_(head.cell_height);
  return at::stack(
             {x.view({1, -1}).expand({head.rows, head.columns}), y.view({-1, 1}).expand({head.rows, head.columns})}, 2)
      .unsqueeze(2);
}

}  // namespace

at::Tensor boxes_of(const at::Tensor& centers, const at::Tensor& sizes, const HeadGrid& head, const at::Tensor& corners,
                    const at::Tensor& anchors) {
  const std::array<float, 2> range{head.cell_width * head.scale_x_y, head.cell_height * head.scale_x_y};
  const auto sides = head.square_sizes ? at::square(at::sigmoid(sizes) * 2) : at::exp(sizes);
  return at::cat({at::sigmoid(centers) * at::tensor(range) + corners, sides * anchors}, -1);
}

at::Tensor decode_boxes(const at::Tensor& logits, const HeadGrid& head) {
  auto anchors = at::empty({static_cast<std::int64_t>(head.anchors.size()), 2});
  for (std::size_t a = 0; a < head.anchors.size(); ++a) {
    anchors[static_cast<std::int64_t>(a)][0] = head.anchors[a].width;
    anchors[static_cast<std::int64_t>(a)][1] = head.anchors[a].height;
  }
  return boxes_of(logits.narrow(-1, 0, 2), logits.narrow(-1, 2, 2), head, cell_corners(head), anchors);
}

at::Tensor decode(const std::vector<at::Tensor>& logits, const std::vector<HeadGrid>& heads) {
  std::vector<at::Tensor> decoded;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const auto& head = logits[h];
    const auto objectness = at::sigmoid(head.narrow(-1, 4, 1));
    const auto classes = head.narrow(-1, 5, heads[h].classes);
    auto scores = heads[h].softmax_scores ? at::softmax(classes, -1) : at::sigmoid(classes);
    if (heads[h].gaussian) scores = scores * (1 - at::sigmoid(head.narrow(-1, 5 + heads[h].classes, 4)).mean(-1, true));
    const auto rows = at::cat({decode_boxes(head, heads[h]), objectness, scores}, -1);
    decoded.push_back(rows.permute({0, 3, 1, 2, 4}).reshape({head.size(0), -1, rows.size(-1)}));
  }
  return at::cat(decoded, 1);
}

}  // namespace yolod::train
