// Whether models fit into the memory that this server may use: before anything is allocated, so that what does not fit
// is one line and not a kill by the kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "app/serving/model_registry.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::serving {

// Shared memory: an arena of that size, which is not there yet, and the lanes of these models. What is there already is
// in use, but that a model which is loaded in place gives back its lanes. `registry`: null at the start.
[[nodiscard]] common::Outcome<void> check_shared_memory(std::uint64_t arena_bytes,
                                                        const std::vector<common::ModelConfig>& models,
                                                        const ModelRegistry* registry);

// Whether these models can be loaded beside those of the same names that serve, as far as the memory of these tells.
[[nodiscard]] common::Outcome<void> check_room_beside(const std::vector<common::ModelConfig>& models,
                                                      const ModelRegistry& registry);

}  // namespace yolod::app::serving
