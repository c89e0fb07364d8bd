// Deterministic pseudo-random weights for any network that model/darknet can read: the ones for which the test data
// has Darknet's output, byte for byte.
#pragma once

#include <filesystem>

#include "model/darknet/network.hpp"

namespace yolod::tests {

// The k-th number of the stream (from 0) is the SplitMix64 finaliser of (k + 1) * 0x9E3779B97F4A7C15, its upper 40 bits
// scaled to [-1, 1). By convolution: biases 0.1 u; with batch normalisation scales 1 + 0.25 u, means 0.1 u, variances
// 1 + 0.5 u; weights u * gain * sqrt(6 / fan_in). By weighted shortcut: 0.5 + 0.1 u. No other layers' are made.
void write_synthetic_weights(const model::darknet::Network& network, double gain, const std::filesystem::path& file);

}  // namespace yolod::tests
