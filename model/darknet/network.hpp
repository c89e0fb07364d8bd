// A Darknet network as plain values: its layers with their shapes, checked. What compiler.hpp and weights.hpp read.
//
// A layer kind is a struct in LayerKind, a parser in layer_parsers.cpp (head_parsers.cpp for heads), a line in
// weights.cpp if it has any, one in operations.cpp if Darknet counts it, and an emitter in compiler.cpp
// (compile_heads.cpp). A section or activation without one is an error that names its line, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/compiled_network.hpp"
#include "model/darknet/activation.hpp"
#include "model/darknet/cfg.hpp"
#include "model/heads/overlap.hpp"

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

// Darknet's `antialiasing`: the layer itself strides by 1, and then a fixed blur of each channel strides instead.
struct Blur {
  int size{0};  // 3: [1 2 1] both ways, padded by 1; 2: the mean of four, not padded; 0: none
  int stride_x{1};
  int stride_y{1};
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
  bool flipped{false};  // the weights file has its kernel transposed: [channels / groups, size, size, filters]
  Activation activation{Activation::kLinear};
  Blur blur;
  // The layer whose weights this one uses too (`share_index`), one that has its own; then the file has none for it.
  std::optional<std::size_t> shared_from;
};

// Convolutions of several sizes side by side, each with filters of its own: Ultralytics' `size=3,5,7`.
struct MixedConvolutional {
  struct Part {
    int size{1};
    int filters{1};
  };
  std::vector<Part> parts;
  int stride_x{1};
  int stride_y{1};
  bool batch_normalize{false};
  Activation activation{Activation::kLinear};

  // One of them by itself, without what follows them all.
  [[nodiscard]] Convolutional part(std::size_t index) const;
};

struct BatchNormalization {};  // alone: [batchnorm]

// Every output from every input; the map becomes 1 x 1.
struct Connected {
  int outputs{1};
  bool batch_normalize{false};
  Activation activation{Activation::kLinear};
};

// A convolution with weights of its own at each place.
struct Local {
  int filters{1};
  int size{1};
  int stride{1};
  int padding{0};  // on each side
  Activation activation{Activation::kLinear};
};

// Darknet pads by `padding` in all (size - 1 unless the cfg says otherwise), padding / 2 of it before.
struct Window {
  int size{1};
  int stride_x{1};
  int stride_y{1};
  int padding{0};
};

// What is padded never wins.
struct MaxPool {
  Window window;
  Blur blur;
  bool zero_edge{false};  // the map first grows by a column and a row of zeros, to the right and below
};

// `maxpool_depth`: output channel i is the largest of the input channels i, i + channels, i + 2 * channels ...
struct MaxPoolDepth {
  int channels{1};
};

// The mean of what a window holds of the map: what is padded does not count.
struct LocalAvgPool {
  Window window;
};

struct AvgPool {};  // over the whole map

// Indices of other layers are absolute from here on.
struct Route {
  std::vector<std::size_t> layers;
  int groups{1};  // of each layer's channels in `groups` equal parts, part `group_id` alone
  int group_id{0};
};

enum class ShortcutWeights { kNone, kPerFeature, kPerChannel };
enum class WeightsNormalization { kNone, kRelu, kSoftmax, kSigmoid };

// The sum of this layer's input and the layers of `from`, on the channels that both have; weighted: each with a factor
// (kPerFeature) or a factor a channel. A larger map is sampled at every (its side / this side)th place.
struct Shortcut {
  std::vector<std::size_t> from;
  ShortcutWeights weights{ShortcutWeights::kNone};
  WeightsNormalization normalization{WeightsNormalization::kNone};
  Activation activation{Activation::kLinear};
};

struct Upsample {
  int stride{2};
  float scale{1};
};

// Moves the places of a `stride` x `stride` square into channels, or back (`reverse`).
struct Reorg {
  int stride{1};
  bool reverse{false};
  // [reorg], not [reorg3d]: it reads a map of c, h, w as if it were one of c / stride^2, h * stride, w * stride. Its
  // reverse is right; that of [reorg3d] misreads in the same way.
  bool odd{false};
};

// The middle of the map; twice its values less 1 unless `keeps_values` (`noadjust`).
struct Crop {
  bool keeps_values{false};
};

struct ActivationLayer {
  Activation activation{Activation::kLinear};
};

struct PassThrough {};  // dropout, cost and what else does nothing outside training

// The map of `from` times this layer's input: one value for each channel ([scale_channels]), for each place (its
// scale_wh), or for each value ([sam]).
struct Scale {
  std::size_t from{0};
  Activation activation{Activation::kLinear};
};

struct Anchor {
  float width{0};  // pixels of the input
  float height{0};
};

enum class ClassScores { kLogistic, kSoftmax };
enum class BoxPoint { kCenter, kLeftTop, kRightBottom };

// [yolo], [Gaussian_yolo] and [region]: anchors at each cell of the map.
struct Yolo {
  std::vector<Anchor> anchors;  // those that the mask picks, in its order
  int classes{0};
  float scale_x_y{1};
  bool new_coords{false};             // the convolution before it has done the logistic; sizes are squares
  bool gaussian{false};               // each of x, y, w, h has an uncertainty after it
  BoxPoint point{BoxPoint::kCenter};  // which point of the box x and y are
  ClassScores scores{ClassScores::kLogistic};
  heads::Overlap nms_kind{heads::Overlap::kIou};
  float beta_nms{0.6F};  // of kDiou

  [[nodiscard]] int row_length() const { return classes + (gaussian ? 9 : 5); }
};

// [detection], YOLOv1's: a vector of the class scores of side x side cells, their confidences, their boxes.
struct Detection {
  int side{7};
  int boxes{1};  // for each cell, which share its class scores
  int classes{1};
  bool softmax{false};
  bool square{false};  // sizes are the squares of what was learned (`sqrt`)
};

struct Softmax {
  int groups{1};
  float temperature{1};
};

using LayerKind = std::variant<Convolutional, MixedConvolutional, BatchNormalization, Connected, Local, MaxPool,
                               MaxPoolDepth, LocalAvgPool, AvgPool, Route, Shortcut, Upsample, Reorg, Crop,
                               ActivationLayer, PassThrough, Scale, Yolo, Detection, Softmax>;

struct Layer {
  std::string section;  // as the cfg calls it
  std::size_t line{0};
  Shape input;
  Shape output;
  LayerKind kind;
  // Whether other layers can be built on it: not on heads (what leaves them is answers) and what follows them.
  bool readable{true};
};

// Whose program a cfg is for: the same syntax means other things in places.
enum class Rules {
  kDarknet,      // AlexeyAB's
  kUltralytics,  // Ultralytics' yolov3, its archive branch: what the weights of a checkpoint were trained with
};

struct Network {
  std::string source_name;
  Rules rules{Rules::kDarknet};
  Shape input;
  bool letter_box{false};
  std::vector<Layer> layers;
  HeadKind head{HeadKind::kDetections};
  int classes{0};  // the same for every head; 0: it has none
  // Of the cfg, and its keys that no program knows: for people. At most kMaxCfgWarnings.
  std::vector<std::string> warnings;
};

// Builds the layers of `cfg`, for `input_size` instead of the cfg's own where given. A cfg that only Ultralytics'
// program can read is built by its rules whatever `rules` says. Errors are kBadModel, `source:line: [section]: what`.
[[nodiscard]] common::Outcome<Network> build_network(const Cfg& cfg, std::optional<common::InputSize> input_size,
                                                     Rules rules = Rules::kDarknet);

// Why `network` answers nothing: it has no head, only layers. Nothing for one that has.
[[nodiscard]] std::optional<common::Error> missing_head(const Network& network);

// The heads of a network, in the cfg's order.
[[nodiscard]] std::vector<const Layer*> heads(const Network& network);

// Rows of the raw output: over all heads, boxes times cells; of a classifier 1.
[[nodiscard]] std::int64_t candidate_count(const Network& network);

struct NmsSettings {
  heads::Overlap kind{heads::Overlap::kIou};
  float beta{0.6F};
};

// Darknet takes the rule of the network's last head for all of them.
[[nodiscard]] NmsSettings nms_settings(const Network& network);

// The maps that these make of `input`, before a blur; a side below 1 where the window does not fit.
[[nodiscard]] Shape convolved(const Shape& input, const Convolutional& convolution);
[[nodiscard]] Shape pooled(const Shape& input, const Window& window);

}  // namespace yolod::model::darknet
