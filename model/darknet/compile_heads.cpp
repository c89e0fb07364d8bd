#include "model/darknet/compile_heads.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace yolod::model::darknet {
namespace {

// Returns the upper left corner (x, y) of each cell in pixels, moved by `shift` cells, ordered by row and then
// column.
std::vector<float> corners(std::int64_t rows, std::int64_t columns, double cell_width, double cell_height,
                           double shift) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(2 * rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      values.push_back(static_cast<float>((static_cast<double>(column) + shift) * cell_width));
      values.push_back(static_cast<float>((static_cast<double>(row) + shift) * cell_height));
    }
  }
  return values;
}

// Selects two of the values in each row as one value.
std::string two(const std::string& value, int first, int second) {
  if (second == first + 1) return narrow(value, 4, first, 2);
  return concatenate(narrow(value, 4, first, 1) + ", " + narrow(value, 4, second, 1), 4);
}

}  // namespace

// The candidates are ordered by anchor, then row, then column, as in Darknet.
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Yolo& yolo, const Shape& network_input) {
  const auto number = std::to_string(index);
  const auto anchors = static_cast<std::int64_t>(yolo.anchors.size());
  const std::int64_t rows = layer.output.height;
  const std::int64_t columns = layer.output.width;
  const double cell_height = static_cast<double>(network_input.height) / static_cast<double>(rows);
  const double cell_width = static_cast<double>(network_input.width) / static_cast<double>(columns);

  // x = (column + s * scale - (scale - 1) / 2) * cell_width, and y likewise; the code computes s * cell + grid.
  const double shift = -0.5 * (static_cast<double>(yolo.scale_x_y) - 1.0);
  std::vector<float> sizes;
  for (const auto& anchor : yolo.anchors) {
    // With new_coords the size is (2 t)^2 times the anchor.
    sizes.push_back(yolo.new_coords ? 4 * anchor.width : anchor.width);
    sizes.push_back(yolo.new_coords ? 4 * anchor.height : anchor.height);
  }
  const auto grid = source.parameter("grid" + number, {1, 1, rows, columns, 2},
                                     corners(rows, columns, cell_width, cell_height, shift), false);
  const auto cell = source.parameter(
      "cell" + number, {2},
      {static_cast<float>(yolo.scale_x_y * cell_width), static_cast<float>(yolo.scale_x_y * cell_height)}, false);
  const auto size = source.parameter("size" + number, {1, anchors, 1, 1, 2}, std::move(sizes), false);

  source.assign("t",
                permute(reshape(to_float(input), {-1, anchors, yolo.row_length(), rows, columns}), {0, 1, 3, 4, 2}));
  source.assign("s", yolo.new_coords ? "t" : "torch.sigmoid(t)");
  // A Gaussian head has x, y, w, h at 0, 2, 4, 6, each followed by its uncertainty.
  const int objectness = yolo.gaussian ? 8 : 4;
  source.assign("xy", two("s", 0, yolo.gaussian ? 2 : 1) + " * " + cell + " + " + grid);
  const auto raw_size = two("t", yolo.gaussian ? 4 : 2, yolo.gaussian ? 6 : 3);
  source.assign("wh", (yolo.new_coords ? "torch.square(" : "torch.exp(") + raw_size + ") * " + size);
  switch (yolo.point) {
    case BoxPoint::kCenter: break;
    case BoxPoint::kLeftTop: source.assign("xy", "xy + wh * 0.5"); break;
    case BoxPoint::kRightBottom: source.assign("xy", "xy - wh * 0.5"); break;
  }
  std::string scores = narrow("s", 4, objectness, 1 + yolo.classes);
  if (yolo.gaussian) {
    const auto uncertainty = narrow("s", 4, 1, 1) + " + " + narrow("s", 4, 3, 1) + " + " + narrow("s", 4, 5, 1) +
                             " + " + narrow("s", 4, 7, 1);
    source.assign("c", "1.0 - (" + uncertainty + ") * 0.25");
    scores = narrow("s", 4, objectness, 1) + ", " + narrow("s", 4, objectness + 1, yolo.classes) + " * c";
  } else if (yolo.scores == ClassScores::kSoftmax) {
    scores = narrow("s", 4, objectness, 1) + ", torch.softmax(" + narrow("t", 4, objectness + 1, yolo.classes) + ", 4)";
  }
  source.assign(head, reshape(concatenate("xy, wh, " + scores, 4), {-1, anchors * rows * columns, 5 + yolo.classes}));
}

// The candidates are ordered by box, then row, then column.
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Detection& detection, const Shape& network_input) {
  const auto number = std::to_string(index);
  const std::int64_t side = detection.side;
  const std::int64_t cells = side * side;
  const std::int64_t boxes = detection.boxes;
  const std::int64_t classes = detection.classes;
  const double cell_height = static_cast<double>(network_input.height) / static_cast<double>(side);
  const double cell_width = static_cast<double>(network_input.width) / static_cast<double>(side);
  const auto grid =
      source.parameter("grid" + number, {1, 1, cells, 2}, corners(side, side, cell_width, cell_height, 0), false);
  const auto cell =
      source.parameter("cell" + number, {2}, {static_cast<float>(cell_width), static_cast<float>(cell_height)}, false);
  const auto size = source.parameter(
      "size" + number, {2}, {static_cast<float>(network_input.width), static_cast<float>(network_input.height)}, false);

  source.assign("t", reshape(to_float(input), {-1, layer.input.count()}));
  source.assign("c", reshape(narrow("t", 1, 0, cells * classes), {-1, 1, cells, classes}));
  if (detection.softmax) source.assign("c", "torch.softmax(c, 3)");
  source.assign("c", "torch.expand(c, " + list({-1, boxes, -1, -1}) + ")");
  source.assign("o",
                permute(reshape(narrow("t", 1, cells * classes, cells * boxes), {-1, cells, boxes, 1}), {0, 2, 1, 3}));
  source.assign("b",
                permute(reshape(narrow("t", 1, cells * (classes + boxes), cells * boxes * 4), {-1, cells, boxes, 4}),
                        {0, 2, 1, 3}));
  source.assign("xy", narrow("b", 3, 0, 2) + " * " + cell + " + " + grid);
  source.assign("wh", narrow("b", 3, 2, 2));
  if (detection.square) source.assign("wh", "torch.square(wh)");
  source.assign("wh", "wh * " + size);
  source.assign(head, reshape(concatenate("xy, wh, o, c", 3), {-1, boxes * cells, 5 + classes}));
}

void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t /*index*/,
                  const Layer& layer, const Softmax& softmax, const Shape& /*network_input*/) {
  const std::int64_t classes = layer.output.channels;
  source.assign("t", reshape(to_float(input), {-1, softmax.groups, classes / softmax.groups}));
  if (softmax.temperature != 1) source.assign("t", "t * " + literal(1 / static_cast<double>(softmax.temperature)));
  source.assign(head, reshape("torch.softmax(t, 2)", {-1, classes}));
}

}  // namespace yolod::model::darknet
