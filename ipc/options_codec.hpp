// What a request asks beside its content, in its cell of a lane.
#pragma once

#include "common/domain/options.hpp"
#include "ipc/layout.hpp"

namespace yolod::ipc {

// A request's own options in its cell, and back.
void encode_options(const common::PredictionOptions& options, RequestCell& cell);
[[nodiscard]] common::PredictionOptions decode_options(const RequestCell& cell);

}  // namespace yolod::ipc
