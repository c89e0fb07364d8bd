// Checks the bytes that a worker wrote as its answer. An answer that the model could not have given is refused, so
// no unchecked bytes reach a client. The functions are pure.
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
// for `completion`. `config` and `description` belong to the worker's model, `asked` to the request. Returns false
// if no correct worker of this model could have written the answer.
[[nodiscard]] bool read_completion(const ipc::CompletionCell& completion, std::span<const std::byte> result,
                                   const common::ModelConfig& config, const common::PredictionOptions& asked,
                                   const common::ModelDescription& description,
                                   common::Outcome<common::Prediction>& read);

}  // namespace yolod::app::schedule
