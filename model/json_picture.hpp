// Reads a picture from a text of JSON in base64, for clients that cannot send bytes. The text may be a data: URL
// (RFC 2397). Both alphabets of base64 (RFC 4648) are accepted, with line breaks, and with or without padding.
//
// Only a worker calls it: the bytes come from outside, and decoding a long text would block the front-end's event
// loop. Pure functions; any thread may call them. They allocate less than three times the size of the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"
#include "model/model.hpp"

namespace yolod::model {

// Returns the picture of an input: its body, or the picture in its base64 or its compressed body, which is then stored
// in `unwrapped`. An Error has code kBadRequest and describes the fault in the text.
[[nodiscard]] common::Outcome<std::span<const std::byte>> picture_of(const Input& input,
                                                                     std::vector<std::byte>& unwrapped);

// Returns whether the input has planes (image/planes.hpp) instead of a picture.
[[nodiscard]] bool has_planes(const Input& input);
// Returns the planes of such an input: its body, or a part of its compressed body, which is then stored in `unpacked`.
// An Error has code kBadRequest. REQUIRES: has_planes().
[[nodiscard]] common::Outcome<std::span<const std::byte>> planes_of(const Input& input,
                                                                    std::vector<std::byte>& unpacked,
                                                                    std::uint64_t most_bytes);
// Returns how many bytes planes_of() decompresses at most. `most_bytes` is the size of the longest planes of a picture.
[[nodiscard]] std::uint64_t unpacked_bytes(const Input& input, std::uint64_t most_bytes);

// Returns the bytes of a JSON text (without its quotes) that has a picture in base64. An Error has code kBadRequest.
[[nodiscard]] common::Outcome<std::vector<std::byte>> picture_in_base64(std::span<const std::byte> text);

// Returns nullopt if `text` is not base64.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace yolod::model
