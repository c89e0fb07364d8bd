// Encodes predictions into a result slot and decodes them. The worker encodes; the front-end decodes and trusts
// nothing. Decoding checks that the sizes match, that numbers are finite, that text is UTF-8, and that a file begins
// with the magic bytes of its type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/config/model_config.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::ipc {

// Returns the size of the largest answer of this model, which follows from its task and limits. A picture or tensors
// have no such bound, so limits.max_result_bytes is their size. Every size has room for an error text.
[[nodiscard]] std::uint64_t result_bytes_for(const common::ModelConfig& model);

// Returns the number of bytes written. Returns nullopt if `out` is too small, or if the front-end would reject the
// bytes: a text is not UTF-8 or longer than kMaxLabelBytes, or there are more than 256 tensors.
[[nodiscard]] std::optional<std::uint64_t> encode_prediction(const common::Prediction& prediction,
                                                             std::span<std::byte> out);
[[nodiscard]] std::optional<common::Prediction> decode_prediction(std::span<const std::byte> bytes);

}  // namespace yolod::ipc
