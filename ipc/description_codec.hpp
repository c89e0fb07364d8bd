// Encodes a model's description into a lane and decodes it. The worker encodes; the front-end decodes and trusts
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/domain/description.hpp"

namespace yolod::ipc {

// Returns the number of bytes written. Returns nullopt if `out` is too small, or if a text is not UTF-8 or longer
// than kMaxLabelBytes (the front-end would reject it).
[[nodiscard]] std::optional<std::uint64_t> encode_description(const common::ModelDescription& description,
                                                              std::span<std::byte> out);
[[nodiscard]] std::optional<common::ModelDescription> decode_description(std::span<const std::byte> bytes);

}  // namespace yolod::ipc
