// Makes deterministic pseudo-random weights for any network that model/darknet can read. The test data has Darknet's
// output for these weights, so every byte must stay the same.
#pragma once

#include <filesystem>

#include "model/darknet/network.hpp"

namespace yolod::tests {

// The k-th number of the stream (k counts from 0) comes from the SplitMix64 finaliser of (k + 1) *
// 0x9E3779B97F4A7C15. The upper 24 bits of the result are scaled to u in [-1, 1). A convolution has biases 0.1 u and
// weights u * gain * sqrt(6 / fan_in). With batch normalisation its scales are 1 + 0.25 u, its means 0.1 u and its
// variances 1 + 0.5 u. A weighted shortcut has the weights 0.5 + 0.1 u. The function makes no weights for other
// layers.
void write_synthetic_weights(const model::darknet::Network& network, double gain, const std::filesystem::path& file);

}  // namespace yolod::tests
