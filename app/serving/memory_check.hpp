// Checks whether models fit into the memory that this server may use, before it allocates any. So the operator reads
// one log line, and the kernel does not kill a process. Only the thread of the front-end may call these functions.
#pragma once

#include <cstdint>
#include <vector>

#include "app/serving/model_registry.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::serving {

// Checks the shared memory of an arena of this size that is not allocated yet, and of the lanes of these models.
// Memory that is allocated already counts as used, except the lanes of a model that is reloaded in place. `registry`
// is null at the start. Returns an Error that names the limit.
[[nodiscard]] common::Outcome<void> check_shared_memory(std::uint64_t arena_bytes,
                                                        const std::vector<common::ModelConfig>& models,
                                                        const ModelRegistry* registry);

// Checks whether these models can be loaded while the models of the same names serve. It estimates their memory from
// the serving models. Returns kBadConfig if they do not fit.
[[nodiscard]] common::Outcome<void> check_room_beside(const std::vector<common::ModelConfig>& models,
                                                      const ModelRegistry& registry);

}  // namespace yolod::app::serving
