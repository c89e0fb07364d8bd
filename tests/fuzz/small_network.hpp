// The network for which the targets read fuzzed weights.
#pragma once

#include "model/darknet/network.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace yolod::fuzz {

inline const model::darknet::Network& small_network() {
  static const auto network = [] {
    constexpr const char* kCfg =
        "[net]\nwidth=4\nheight=4\n[convolutional]\nfilters=2\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
        "[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nnum=1\nanchors=1,1\n";
    const auto cfg = model::darknet::parse_cfg(kCfg, "a.cfg");
    require(cfg.ok());
    auto built = model::darknet::build_network(*cfg, std::nullopt);
    require(built.ok());
    return std::move(built).value();
  }();
  return network;
}

}  // namespace yolod::fuzz
