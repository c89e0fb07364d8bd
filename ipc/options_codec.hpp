// A request's options as the bytes of its cell, and back. The front-end encodes, the worker decodes.
#pragma once

#include <optional>

#include "common/domain/options.hpp"
#include "ipc/layout.hpp"

namespace yolod::ipc {

// Sets the cell's options and options_bytes, and nothing else of it.
void encode_options(const common::PredictionOptions& options, RequestCell& cell);
// Nothing if the bytes are no options: then a front-end of this version did not write them.
[[nodiscard]] std::optional<common::PredictionOptions> decode_options(const RequestCell& cell);

}  // namespace yolod::ipc
