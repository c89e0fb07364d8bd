// What a worker wrote as its answer, believed as far as the model could have answered so. Pure functions: whatever the
// bytes are, nothing of them reaches a client unchecked.
#pragma once

#include <cstddef>
#include <span>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "common/domain/options.hpp"
#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::schedule {

// Sets `read` to the prediction, or to the worker's own Error. `result` is a copy of the bytes that the worker wrote
// for `completion`; the rest is of the worker's model and of the request. False: no worker of that model could have
// written this.
[[nodiscard]] bool read_completion(const ipc::CompletionCell& completion, std::span<const std::byte> result,
                                   const common::ModelConfig& config, const common::PredictionOptions& asked,
                                   const common::ModelDescription& description,
                                   common::Outcome<common::Prediction>& read);

}  // namespace yolod::app::schedule
