// Predictions as bytes in a lane, and back. Encoding is the worker's, decoding the front-end's; decoding trusts
// nothing: sizes must add up, numbers must be finite, text must be UTF-8, a file must begin as its type does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/config/model_config.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::ipc {

// Room that an answer of this model may need: its task and limits say how much. A picture or tensors have no bound of
// their own, so limits.max_result_bytes is theirs. Error text fits in any.
[[nodiscard]] std::uint64_t result_bytes_for(const common::ModelConfig& model);

// Bytes written, or nothing if `out` is too small or the front-end would not read it back: a text that is not UTF-8 or
// longer than kMaxLabelBytes.
[[nodiscard]] std::optional<std::uint64_t> encode_prediction(const common::Prediction& prediction,
                                                             std::span<std::byte> out);
[[nodiscard]] std::optional<common::Prediction> decode_prediction(std::span<const std::byte> bytes);

}  // namespace yolod::ipc
