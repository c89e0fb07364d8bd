// Builds networks from cfg texts, for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/darknet/network.hpp"

namespace yolod::tests {

// The cfg has a [net] of 8 x 8 x 3, then `layers`, then a convolution and a one-class head that fit any layers.
inline std::string detector_cfg(std::string_view layers) {
  return "[net]\nwidth=8\nheight=8\nchannels=3\n" + std::string(layers) +
         "\n[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nnum=1\nmask=0\nanchors=2,3\n";
}

inline common::Outcome<model::darknet::Network> build(std::string_view text,
                                                      std::optional<common::InputSize> size = std::nullopt) {
  const auto cfg = model::darknet::parse_cfg(text, "a.cfg");
  if (!cfg) return cfg.error();
  return model::darknet::build_network(*cfg, size);
}

}  // namespace yolod::tests
