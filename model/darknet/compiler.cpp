#include "model/darknet/compiler.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace yolod::model::darknet {
namespace {

// Python source for a float: shortest text that reads back the same, always with a point or exponent.
std::string literal(double value) {
  std::array<char, 64> buffer{};
  const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), status == std::errc{} ? end : buffer.data());
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string pair(std::int64_t first, std::int64_t second) {
  return "[" + std::to_string(first) + ", " + std::to_string(second) + "]";
}

// Emits statements layer by layer. Layer i's output is the value "x<i>"; the interpreter frees a value after its last
// use, so nothing here needs to say when.
class Emitter {
 public:
  Emitter(const Network& network, Weights weights) : network_(network), weights_(std::move(weights)) {}

  CompiledNetwork run() {
    source_ = "def forward(self, x: Tensor) -> Tensor:\n";
    for (index_ = 0; index_ < network_.layers.size(); ++index_) {
      const auto& layer = network_.layers[index_];
      std::visit([&](const auto& kind) { emit(layer, kind); }, layer.kind);
    }
    std::string list;
    for (const auto& head : heads_) list += (list.empty() ? "" : ", ") + head;
    source_ += "  return torch.cat([" + list + "], 1)\n";
    return {std::move(source_),   std::move(parameters_),    network_.input.channels, network_.input.height,
            network_.input.width, candidate_count(network_), network_.classes};
  }

 private:
  [[nodiscard]] static std::string value(std::size_t layer) { return "x" + std::to_string(layer); }
  [[nodiscard]] std::string output() const { return value(index_); }
  [[nodiscard]] std::string input() const { return index_ == 0 ? "x" : value(index_ - 1); }

  void assign(const std::string& name, const std::string& expression) {
    source_ += "  " + name + " = " + expression + "\n";
  }

  std::string parameter(const std::string& stem, std::vector<std::int64_t> shape, std::vector<float> values,
                        bool follows_precision) {
    auto name = stem + std::to_string(index_);
    parameters_.push_back({name, std::move(shape), std::move(values), follows_precision});
    return "self." + name;
  }

  void emit(const Layer& layer, const Convolutional& convolution) {
    auto& weights = weights_.layers[index_];
    const auto kernel = parameter(
        "w", {convolution.filters, layer.input.channels / convolution.groups, convolution.size, convolution.size},
        std::move(weights.weights), true);
    const auto bias = parameter("b", {convolution.filters}, std::move(weights.biases), true);
    assign(output(), "torch.conv2d(" + input() + ", " + kernel + ", " + bias + ", " +
                         pair(convolution.stride_y, convolution.stride_x) + ", " +
                         pair(convolution.padding, convolution.padding) + ", " +
                         pair(convolution.dilation, convolution.dilation) + ", " + std::to_string(convolution.groups) +
                         ")");
    source_ += activation_source(convolution.activation, output());
  }

  // Torch pads both sides alike, Darknet need not: what torch cannot do itself is padded before.
  void emit(const Layer& layer, const MaxPool& pool) {
    const auto& in = layer.input;
    const int before = pool.padding / 2;
    // How far the last window reaches past the input; negative when it ends inside.
    const int below = (layer.output.height - 1) * pool.stride_y + pool.size - before - in.height;
    const int right = (layer.output.width - 1) * pool.stride_x + pool.size - before - in.width;
    const auto window = pair(pool.size, pool.size) + ", " + pair(pool.stride_y, pool.stride_x);
    // With equal padding torch makes as many windows only if the slack behind the last one is less than a stride.
    const bool same_count = before <= pool.size / 2 && below <= before && right <= before &&
                            before - below < pool.stride_y && before - right < pool.stride_x;
    if (same_count) {
      assign(output(), "torch.max_pool2d(" + input() + ", " + window + ", " + pair(before, before) + ")");
      return;
    }
    assign("t", "torch.constant_pad_nd(" + input() + ", [" + std::to_string(before) + ", " + std::to_string(right) +
                    ", " + std::to_string(before) + ", " + std::to_string(below) + "], float(\"-inf\"))");
    assign(output(), "torch.max_pool2d(t, " + window + ")");
  }

  void emit(const Layer& /*layer*/, const AvgPool& /*pool*/) {
    assign(output(), "torch.adaptive_avg_pool2d(" + input() + ", [1, 1])");
  }

  void emit(const Layer& /*layer*/, const Route& route) {
    std::string list;
    for (const auto from : route.layers) {
      auto part = value(from);
      if (route.groups > 1) {
        const int channels = network_.layers[from].output.channels / route.groups;
        part = "torch.narrow(" + part + ", 1, " + std::to_string(channels * route.group_id) + ", " +
               std::to_string(channels) + ")";
      }
      list += (list.empty() ? "" : ", ") + part;
    }
    assign(output(), route.layers.size() == 1 ? list : "torch.cat([" + list + "], 1)");
  }

  // Where channel counts differ Darknet adds those that both have.
  void emit(const Layer& layer, const Shortcut& shortcut) {
    auto sum = input();
    for (const auto from : shortcut.from) {
      const int own = layer.input.channels;
      const int other = network_.layers[from].output.channels;
      const auto narrow = [](const std::string& name, int start, int count) {
        return "torch.narrow(" + name + ", 1, " + std::to_string(start) + ", " + std::to_string(count) + ")";
      };
      if (own == other) {
        assign(output(), sum + " + " + value(from));
      } else if (other > own) {
        assign(output(), sum + " + " + narrow(value(from), 0, own));
      } else {
        assign(output(), "torch.cat([" + narrow(sum, 0, other) + " + " + value(from) + ", " +
                             narrow(sum, other, own - other) + "], 1)");
      }
      sum = output();
    }
    source_ += activation_source(shortcut.activation, output());
  }

  void emit(const Layer& layer, const Upsample& upsample) {
    assign(output(),
           "torch.upsample_nearest2d(" + input() + ", " + pair(layer.output.height, layer.output.width) + ")");
    if (upsample.scale != 1) assign(output(), output() + " * " + literal(upsample.scale));
  }

  void emit(const Layer& /*layer*/, const Dropout& /*dropout*/) { assign(output(), input()); }

  void emit(const Layer& /*layer*/, const ScaleChannels& scale) {
    assign(output(), value(scale.from) + " * " + input());
    source_ += activation_source(scale.activation, output());
  }

  // Anchor-major, then row, then column: the order of Darknet's own candidates.
  void emit(const Layer& layer, const Yolo& yolo) {
    const auto anchors = static_cast<std::int64_t>(yolo.anchors.size());
    const std::int64_t values = 5 + yolo.classes;
    const std::int64_t rows = layer.output.height;
    const std::int64_t columns = layer.output.width;
    const double cell_height = static_cast<double>(network_.input.height) / static_cast<double>(rows);
    const double cell_width = static_cast<double>(network_.input.width) / static_cast<double>(columns);

    // x = (column + s * scale - (scale - 1) / 2) * cell_width, and y alike: s * cell + grid.
    std::vector<float> grid;
    grid.reserve(static_cast<std::size_t>(2 * rows * columns));
    const double shift = 0.5 * (yolo.scale_x_y - 1.0);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        grid.push_back(static_cast<float>((static_cast<double>(column) - shift) * cell_width));
        grid.push_back(static_cast<float>((static_cast<double>(row) - shift) * cell_height));
      }
    }
    std::vector<float> cell{static_cast<float>(yolo.scale_x_y * cell_width),
                            static_cast<float>(yolo.scale_x_y * cell_height)};
    std::vector<float> sizes;
    for (const auto& anchor : yolo.anchors) {
      // new_coords: (2 t)^2 times the anchor.
      sizes.push_back(yolo.new_coords ? 4 * anchor.width : anchor.width);
      sizes.push_back(yolo.new_coords ? 4 * anchor.height : anchor.height);
    }
    const auto self_grid = parameter("grid", {1, 1, rows, columns, 2}, std::move(grid), false);
    const auto self_cell = parameter("cell", {2}, std::move(cell), false);
    const auto self_size = parameter("size", {1, anchors, 1, 1, 2}, std::move(sizes), false);

    const auto head = "h" + std::to_string(index_);
    // dtype 6 is float: the head is decoded in it whatever the network runs in.
    assign("t", "torch.to(" + input() + ", 6)");
    assign("t", "torch.permute(torch.reshape(t, [-1, " + std::to_string(anchors) + ", " + std::to_string(values) +
                    ", " + std::to_string(rows) + ", " + std::to_string(columns) + "]), [0, 1, 3, 4, 2])");
    if (yolo.new_coords) {
      assign("s", "t");
      assign("wh", "torch.square(torch.narrow(t, 4, 2, 2)) * " + self_size);
    } else {
      assign("s", "torch.sigmoid(t)");
      assign("wh", "torch.exp(torch.narrow(t, 4, 2, 2)) * " + self_size);
    }
    assign("xy", "torch.narrow(s, 4, 0, 2) * " + self_cell + " + " + self_grid);
    assign(head, "torch.reshape(torch.cat([xy, wh, torch.narrow(s, 4, 4, " + std::to_string(1 + yolo.classes) +
                     ")], 4), [-1, " + std::to_string(anchors * rows * columns) + ", " + std::to_string(values) + "])");
    // A [route] may follow and name earlier layers, but nothing reads this one's own value.
    heads_.push_back(head);
  }

  const Network& network_;
  Weights weights_;
  std::size_t index_{0};
  std::string source_;
  std::vector<NetworkParameter> parameters_;
  std::vector<std::string> heads_;
};

}  // namespace

CompiledNetwork compile(const Network& network, Weights weights) { return Emitter(network, std::move(weights)).run(); }

}  // namespace yolod::model::darknet
