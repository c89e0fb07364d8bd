// A Darknet network as plain values: its layers with their shapes, checked. What compiler.hpp and weights.hpp read.
//
// A layer kind is a struct in LayerKind, a parser in layer_parsers.cpp, a line in weights.cpp if it has any, and an
// emitter in compiler.cpp. A section or activation without one is an error that names its line, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "model/darknet/activation.hpp"
#include "model/darknet/cfg.hpp"

namespace yolod::model::darknet {

struct Shape {
  int channels{0};
  int height{0};
  int width{0};

  [[nodiscard]] std::int64_t count() const {
    return static_cast<std::int64_t>(channels) * static_cast<std::int64_t>(height) * static_cast<std::int64_t>(width);
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Convolutional {
  int filters{1};
  int size{1};
  int stride_x{1};
  int stride_y{1};
  int padding{0};  // on each side, dilation included
  int dilation{1};
  int groups{1};
  bool batch_normalize{false};
  Activation activation{Activation::kLinear};
};

// Darknet pads by `padding` in all (size - 1 unless the cfg says otherwise), padding / 2 of it before, with -infinity.
struct MaxPool {
  int size{1};
  int stride_x{1};
  int stride_y{1};
  int padding{0};
};

struct AvgPool {};  // over the whole map

// Indices of other layers are absolute from here on.
struct Route {
  std::vector<std::size_t> layers;
  int groups{1};  // of each layer's channels in `groups` equal parts, part `group_id` alone
  int group_id{0};
};

struct Shortcut {
  std::vector<std::size_t> from;
  Activation activation{Activation::kLinear};
};

struct Upsample {
  int stride{2};
  float scale{1};
};

struct Dropout {};  // the identity outside training

// The map of `from`, each channel times the one value of this layer's input for it.
struct ScaleChannels {
  std::size_t from{0};
  Activation activation{Activation::kLinear};
};

// What NMS compares with its threshold: the IoU, or the IoU less a penalty for the distance of the centres.
enum class NmsKind { kIou, kDiou };

struct Anchor {
  float width{0};  // pixels of the input
  float height{0};
};

struct Yolo {
  std::vector<Anchor> anchors;  // those that the mask picks, in its order
  int classes{0};
  float scale_x_y{1};
  bool new_coords{false};  // the convolution before it has done the logistic; sizes are squares
  NmsKind nms_kind{NmsKind::kIou};
  float beta_nms{0.6F};  // of kDiou
};

using LayerKind =
    std::variant<Convolutional, MaxPool, AvgPool, Route, Shortcut, Upsample, Dropout, ScaleChannels, Yolo>;

struct Layer {
  std::string section;  // as the cfg calls it
  std::size_t line{0};
  Shape input;
  Shape output;
  LayerKind kind;
};

struct Network {
  std::string source_name;
  Shape input;
  bool letter_box{false};
  std::vector<Layer> layers;
  int classes{0};  // the same for every head
};

// Builds the layers of `cfg`, for `input_size` instead of the cfg's own where given. Errors are kBadModel,
// `source:line: [section]: what`.
[[nodiscard]] common::Outcome<Network> build_network(const Cfg& cfg, std::optional<common::InputSize> input_size);

// The heads of a network, in the cfg's order.
[[nodiscard]] std::vector<const Layer*> heads(const Network& network);

// Rows of the raw output: over all heads, anchors times cells.
[[nodiscard]] std::int64_t candidate_count(const Network& network);

}  // namespace yolod::model::darknet
