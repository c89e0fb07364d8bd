// A small network, and pictures of coloured boxes for it to learn.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "model/darknet/network.hpp"
#include "tools/train/sample.hpp"

namespace yolod::tests {

// This cfg has each kind of layer that can be trained: an input of 64 x 64, three classes, heads of 8 x 8 and 4 x 4
// cells.
inline const std::string kTrainableCfg = R"([net]
width=64
height=64
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[convolutional]
batch_normalize=1
filters=16
size=3
stride=2
pad=1
activation=mish

[route]
layers=-1
groups=2
group_id=1

[convolutional]
batch_normalize=1
filters=8
size=3
pad=1
groups=2
activation=relu

[convolutional]
batch_normalize=1
filters=8
size=1
activation=swish

[shortcut]
from=-2
activation=leaky

[route]
layers=-1,1

[maxpool]
size=2
stride=2

[maxpool]
size=2
stride=1

[convolutional]
batch_normalize=1
filters=32
size=3
stride=2
pad=1
activation=leaky

[maxpool]
size=3
stride=1

[convolutional]
filters=16
size=1
activation=linear

[yolo]
mask=2,3
anchors=6,6, 12,12, 16,24, 24,16
classes=3
num=4
scale_x_y=1.5

[route]
layers=-3

[upsample]
stride=2

[route]
layers=-1,-8

[convolutional]
filters=16
size=1
activation=linear

[yolo]
mask=0,1
anchors=6,6, 12,12, 16,24, 24,16
classes=3
num=4
scale_x_y=2
)";

// This cfg has layers and activations that few networks have: an input of 64 x 64, three classes.
inline const std::string kRareLayersCfg = R"([net]
width=64
height=64
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=hard_mish

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
antialiasing=1
activation=gelu

[convolutional]
filters=8
size=3
pad=1
groups=8
activation=selu

[batchnorm]

[activation]
activation=relu6

[shortcut]
from=-3,-2
weights_type=per_channel
weights_normalization=softmax
activation=elu

[dropout]
probability=0.1

[maxpool]
maxpool_depth=1
out_channels=4

[convolutional]
batch_normalize=1
filters=8
size=1
activation=swish

[avgpool]

[convolutional]
filters=8
size=1
activation=logistic

[scale_channels]
from=-3
activation=linear

[convolutional]
filters=8
size=1
activation=logistic

[sam]
from=-2

[local_avgpool]
size=2
stride=2

[reorg3d]
stride=2

[shortcut]
from=-1
weights_type=per_feature
weights_normalization=relu
activation=ramp

[upsample]
stride=2
scale=0.5

[local]
filters=8
size=1
stride=1
activation=tanh

[convolutional]
filters=16
size=1
activation=linear

[yolo]
mask=0,1
anchors=8,10, 16,20
classes=3
num=2
)";

inline model::darknet::Network trainable_network(const std::string& text = kTrainableCfg) {
  const auto cfg = model::darknet::parse_cfg(text, "small.cfg");
  REQUIRE(cfg.ok());
  auto network = model::darknet::build_network(*cfg, std::nullopt);
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  return std::move(network).value();
}

// Makes four grey pictures of 64 x 64 with one or two boxes each. The box is red, green or blue, according to its
// class.
inline train::Batch boxes_in_pictures() {
  constexpr std::size_t kSide = 64;
  train::Batch batch;
  batch.pixels.assign(4 * kSide * kSide * 3, 0.4F);
  batch.targets = {{{0, 20, 20, 8, 10, false}, {1, 48, 40, 12, 12, false}},
                   {{2, 30, 44, 16, 22, false}},
                   {{1, 10, 50, 7, 6, false}, {0, 40, 12, 24, 14, false}},
                   {{2, 54, 54, 10, 12, false}}};
  for (std::size_t image = 0; image < batch.images(); ++image) {
    for (const auto& target : batch.targets[image]) {
      const auto left = static_cast<std::size_t>(target.x - target.width / 2);
      const auto top = static_cast<std::size_t>(target.y - target.height / 2);
      for (std::size_t y = top; y < top + static_cast<std::size_t>(target.height); ++y) {
        for (std::size_t x = left; x < left + static_cast<std::size_t>(target.width); ++x) {
          const auto pixel = ((image * kSide + y) * kSide + x) * 3;
          for (std::size_t c = 0; c < 3; ++c) batch.pixels[pixel + c] = c == target.class_id ? 1.0F : 0.0F;
        }
      }
    }
  }
  return batch;
}

}  // namespace yolod::tests
