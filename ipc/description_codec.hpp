// Model descriptions as bytes in a lane, and back. Encoding is the worker's, decoding the front-end's, and it trusts
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/domain/description.hpp"

namespace yolod::ipc {

// Bytes written, or nothing if `out` is too small or the front-end would not read it back: a text that is not UTF-8 or
// longer than kMaxLabelBytes.
[[nodiscard]] std::optional<std::uint64_t> encode_description(const common::ModelDescription& description,
                                                              std::span<std::byte> out);
[[nodiscard]] std::optional<common::ModelDescription> decode_description(std::span<const std::byte> bytes);

}  // namespace yolod::ipc
