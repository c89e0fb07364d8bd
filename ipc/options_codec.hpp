// Encodes the options of a request into its RequestCell (the front-end), and decodes them (the worker).
#pragma once

#include <optional>

#include "common/domain/options.hpp"
#include "ipc/layout.hpp"

namespace yolod::ipc {

// Sets the cell's options and options_bytes, and no other member.
void encode_options(const common::PredictionOptions& options, RequestCell& cell);
// Returns nothing if the bytes are not options: a front-end of this version did not write them.
[[nodiscard]] std::optional<common::PredictionOptions> decode_options(const RequestCell& cell);

}  // namespace yolod::ipc
