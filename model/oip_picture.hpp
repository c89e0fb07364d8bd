// Finds one picture, or its planes, in a decompressed inference request of the Open Inference Protocol. The front-end
// finds the pictures of other requests itself. Only a worker calls it: the bytes come from outside. Pure function; any
// thread may call it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model {

// Returns picture `part` of the request's first input: an element of the bytes that follow the JSON, or a text in
// base64. An Error has code kBadRequest, or kInvalidParameter for a value of "parameters".
[[nodiscard]] common::Outcome<std::vector<std::byte>> picture_in_oip(std::span<const std::byte> request,
                                                                     std::uint32_t part);

// Returns the planes of picture `part`: a part of the bytes that follow the JSON, which have equally long planes for
// each picture. The view lasts as long as `request`. An Error is as above.
[[nodiscard]] common::Outcome<std::span<const std::byte>> planes_in_oip(std::span<const std::byte> request,
                                                                        std::uint32_t part);

}  // namespace yolod::model
