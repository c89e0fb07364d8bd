// A Darknet network as plain values: its checked layers with their shapes, which compiler.hpp and weights.hpp read.
//
// To add a layer kind, add a struct to LayerKind, a parser to layer_parsers.cpp (head_parsers.cpp for heads), and an
// emitter to compiler.cpp (compile_heads.cpp). If the kind has weights, add a line to weights.cpp. If Darknet counts
// its operations, add a line to operations.cpp. A section or activation without these is an error that names its
// line.
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

// Darknet's `antialiasing`: the layer itself has a stride of 1, and a fixed blur of each channel has the stride
// instead.
struct Blur {
  int size{0};  // 3: [1 2 1] in both directions, padded by 1; 2: the mean of four, not padded; 0: none
  int stride_x{1};
  int stride_y{1};
};

struct Convolutional {
  int filters{1};
  int size{1};
  int stride_x{1};
  int stride_y{1};
  int padding{0};  // on each side, including the dilation
  int dilation{1};
  int groups{1};
  bool batch_normalize{false};
  bool flipped{false};  // the weights file has the kernel transposed: [channels / groups, size, size, filters]
  Activation activation{Activation::kLinear};
  Blur blur;
  // The layer whose weights this layer also uses (`share_index`). That layer has its own weights, and the file has
  // none for this layer.
  std::optional<std::size_t> shared_from;
};

// Convolutions of several sizes side by side, each with separate filters: Ultralytics' `size=3,5,7`.
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

  // Returns one of the convolutions, without the layers that follow all of them.
  [[nodiscard]] Convolutional part(std::size_t index) const;
};

struct BatchNormalization {};  // a separate layer: [batchnorm]

// Computes every output from every input; the map becomes 1 x 1.
struct Connected {
  int outputs{1};
  bool batch_normalize{false};
  Activation activation{Activation::kLinear};
};

// A convolution with separate weights for each position.
struct Local {
  int filters{1};
  int size{1};
  int stride{1};
  int padding{0};  // on each side
  Activation activation{Activation::kLinear};
};

// Darknet pads by `padding` in total (size - 1 unless the cfg gives another value), with padding / 2 before the map.
struct Window {
  int size{1};
  int stride_x{1};
  int stride_y{1};
  int padding{0};
};

// A padding value is never the maximum.
struct MaxPool {
  Window window;
  Blur blur;
  bool zero_edge{false};  // first adds a column and a row of zeros, to the right and below
};

// `maxpool_depth`: output channel i is the largest of the input channels i, i + channels, i + 2 * channels ...
struct MaxPoolDepth {
  int channels{1};
};

// The mean of the values of the map in the window, without padding.
struct LocalAvgPool {
  Window window;
};

struct AvgPool {};  // over the whole map

// From here on, indices of other layers are absolute.
struct Route {
  std::vector<std::size_t> layers;
  int groups{1};  // splits each layer's channels into `groups` equal parts and takes part `group_id`
  int group_id{0};
};

enum class ShortcutWeights { kNone, kPerFeature, kPerChannel };
enum class WeightsNormalization { kNone, kRelu, kSoftmax, kSigmoid };

// Adds this layer's input and the layers of `from`, on the channels that both have. The weighted form multiplies each
// term by a factor (kPerFeature) or by a factor per channel. It samples a larger map at every (its side / this
// side)th position.
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

// Moves the positions of a `stride` x `stride` square into channels, or back (`reverse`).
struct Reorg {
  int stride{1};
  bool reverse{false};
  // True for [reorg], false for [reorg3d]. [reorg] reads a map of c, h, w as if it were a map of c / stride^2, h *
  // stride, w * stride. Its reverse is correct, but the reverse of [reorg3d] misreads the map in that way.
  bool odd{false};
};

// Takes the middle of the map, and returns twice its values minus 1 unless `keeps_values` (`noadjust`).
struct Crop {
  bool keeps_values{false};
};

struct ActivationLayer {
  Activation activation{Activation::kLinear};
};

// A section that has no effect outside training, such as dropout and cost.
struct PassThrough {
  float dropout{0};  // the chance of a value to become 0, in training
};

// Multiplies the map of `from` by this layer's input: one value for each channel ([scale_channels]), for each
// position (its scale_wh), or for each value ([sam]).
struct Scale {
  std::size_t from{0};
  Activation activation{Activation::kLinear};
};

struct Anchor {
  float width{0};  // in pixels of the input
  float height{0};
};

enum class ClassScores { kLogistic, kSoftmax };
enum class BoxPoint { kCenter, kLeftTop, kRightBottom };

// The heads [yolo], [Gaussian_yolo] and [region] have anchors at each cell of the map.
struct Yolo {
  std::vector<Anchor> anchors;  // the anchors that the mask selects, in its order
  int classes{0};
  float scale_x_y{1};
  bool new_coords{false};             // the previous convolution has applied the logistic function; sizes are squares
  bool gaussian{false};               // an uncertainty follows each of x, y, w, h
  BoxPoint point{BoxPoint::kCenter};  // the point of the box that x and y describe
  ClassScores scores{ClassScores::kLogistic};
  heads::Overlap nms_kind{heads::Overlap::kIou};
  float beta_nms{0.6F};  // for kDiou

  [[nodiscard]] int row_length() const { return classes + (gaussian ? 9 : 5); }
};

// [detection], the head of YOLOv1, is a vector: the class scores of side x side cells, then their confidences, then
// their boxes.
struct Detection {
  int side{7};
  int boxes{1};  // for each cell; the boxes of a cell share its class scores
  int classes{1};
  bool softmax{false};
  bool square{false};  // the sizes are the squares of the network's values (`sqrt`)
};

struct Softmax {
  int groups{1};
  float temperature{1};
};

using LayerKind = std::variant<Convolutional, MixedConvolutional, BatchNormalization, Connected, Local, MaxPool,
                               MaxPoolDepth, LocalAvgPool, AvgPool, Route, Shortcut, Upsample, Reorg, Crop,
                               ActivationLayer, PassThrough, Scale, Yolo, Detection, Softmax>;

struct Layer {
  std::string section;  // the name in the cfg
  std::size_t line{0};
  Shape input;
  Shape output;
  LayerKind kind;
  // Whether other layers can use its output: false for heads and for layers that follow heads.
  bool readable{true};
};

// The program for which a cfg was written: the same syntax has different meanings in places.
enum class Rules {
  kDarknet,      // AlexeyAB's program
  kUltralytics,  // Ultralytics' yolov3, archive branch, which trained the weights of a checkpoint
};

struct Network {
  std::string source_name;
  Rules rules{Rules::kDarknet};
  Shape input;
  bool letter_box{false};
  std::vector<Layer> layers;
  HeadKind head{HeadKind::kDetections};
  int classes{0};  // the same for every head; 0: there is no head
  // The warnings of the cfg, and warnings about keys that no program knows. There are at most kMaxCfgWarnings.
  std::vector<std::string> warnings;
};

// Builds the layers of `cfg`, for `input_size` instead of the cfg's size if it is given. A cfg that only Ultralytics'
// program can read is built by its rules, whatever `rules` says. Errors have the code kBadModel and the form
// `source:line: [section]: what`.
[[nodiscard]] common::Outcome<Network> build_network(const Cfg& cfg, std::optional<common::InputSize> input_size,
                                                     Rules rules = Rules::kDarknet);

// Returns an Error if `network` has no head and therefore no answer; otherwise nullopt.
[[nodiscard]] std::optional<common::Error> missing_head(const Network& network);

// Returns the heads of a network in the cfg's order.
[[nodiscard]] std::vector<const Layer*> heads(const Network& network);

// Returns the rows of the raw output: the boxes times the cells of all heads, or 1 for a classifier.
[[nodiscard]] std::int64_t candidate_count(const Network& network);

struct NmsSettings {
  heads::Overlap kind{heads::Overlap::kIou};
  float beta{0.6F};
};

// Darknet applies the rule of the network's last head to all heads.
[[nodiscard]] NmsSettings nms_settings(const Network& network);

// Returns the map that the layer makes of `input`, before a blur. A side is below 1 if the window does not fit.
[[nodiscard]] Shape convolved(const Shape& input, const Convolutional& convolution);
[[nodiscard]] Shape pooled(const Shape& input, const Window& window);

}  // namespace yolod::model::darknet
