#include "app/serving/memory_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/process/supervisor.hpp"
#include "common/system/memory_limit.hpp"

namespace yolod::app::serving {
namespace {

using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;

// The check reserves this memory beside the shared memory, for the front-end itself and for the smallest worker.
constexpr std::uint64_t kMemoryReserveBytes = 16ULL << 20U;

}  // namespace

Outcome<void> check_shared_memory(std::uint64_t arena_bytes, const std::vector<ModelConfig>& models,
                                  const ModelRegistry* registry) {
  std::uint64_t shared_bytes = arena_bytes;
  std::uint64_t largest_bytes = arena_bytes;
  for (const auto& model : models) {
    const std::uint64_t lane_bytes = process::Supervisor::lane_bytes_of(model);
    const std::uint64_t wanted = lane_bytes * model.workers;
    const auto* const pool = registry == nullptr ? nullptr : registry->find_pool(model.name);
    const bool in_place = pool != nullptr && !pool->retired() && model.reload == common::ReloadMode::kInPlace;
    const std::uint64_t freed =
        in_place ? process::Supervisor::lane_bytes_of(pool->config()) * pool->config().workers : std::uint64_t{0};
    shared_bytes += wanted - std::min(wanted, freed);
    largest_bytes = std::max(largest_bytes, lane_bytes);
  }
  return common::check_memory_limits(shared_bytes, largest_bytes, kMemoryReserveBytes, common::read_memory_limit());
}

Outcome<void> check_room_beside(const std::vector<ModelConfig>& models, const ModelRegistry& registry) {
  std::uint64_t own_bytes = 0;
  std::uint64_t shared_bytes = 0;
  for (const auto& model : models) {
    const auto* const pool = registry.find_pool(model.name);
    const bool beside = pool != nullptr && !pool->retired() && model.reload != common::ReloadMode::kInPlace;
    if (!beside) continue;
    own_bytes += pool->memory_bytes();
    shared_bytes += process::Supervisor::lane_bytes_of(model) * model.workers;
  }
  const auto limit = common::read_memory_limit();
  if (own_bytes == 0 || !limit) return {};
  // The serving models use at most all the used memory.
  const auto bytes = std::min(own_bytes, limit->used_bytes) + shared_bytes + kMemoryReserveBytes;
  if (bytes <= limit->left_bytes()) return {};
  return Error{ErrorCode::kBadConfig,
               fmt::format("the reloaded models need about {} MiB beside the serving models, but {} leaves {} MiB; "
                           "with reload: in_place the old generation frees its memory first",
                           bytes >> 20U, limit->source, limit->left_bytes() >> 20U)};
}

}  // namespace yolod::app::serving
