// Checks the bytes that a worker wrote as its answer. An answer that the model could not have given is refused, so
// no unchecked bytes reach a client. The functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "common/domain/options.hpp"
#include "common/domain/prediction.hpp"
#include "common/error.hpp"

namespace yolod::app::schedule {

// Returns whether a correct worker could have given this prediction. `config` and `description` belong to the worker's
// model, `asked` to the request.
[[nodiscard]] bool could_predict(const common::Prediction& prediction, const common::ModelConfig& config,
                                 const common::PredictionOptions& asked, const common::ModelDescription& description);

// The client gets at most this much of a worker's error text.
inline constexpr std::size_t kMostErrorTextBytes = 300;
// Returns the worker's own Error. `code` is not 0, and `text` is a copy of the bytes that the worker wrote. Returns
// nothing if no correct worker could have written them.
[[nodiscard]] std::optional<common::Error> workers_error(std::uint32_t code, std::span<const std::byte> text);

}  // namespace yolod::app::schedule
