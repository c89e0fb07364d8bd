// Reads a network's input for one picture from a client: [channels, height, width], the values as the network takes
// them. Pure functions; any thread may call them.
#pragma once

#include <cstddef>
#include <span>

#include "common/outcome.hpp"

namespace yolod::model::image {

// Fills `room`, [height, width, channels], from `planes`. The size of `planes` tells the type: FP32, FP16, or UINT8,
// whose values 0 to 255 become 0 to 1. An Error has code kBadRequest: the size fits none of them. A value that is not
// finite becomes 0.
[[nodiscard]] common::Outcome<void> interleave_planes(std::span<const std::byte> planes, std::size_t channels,
                                                      std::span<float> room);

}  // namespace yolod::model::image
