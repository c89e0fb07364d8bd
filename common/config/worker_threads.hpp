// Decides how many threads the workers compute with, and how these threads wait for each other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/config/model_config.hpp"

namespace yolod::common {

// Returns the number of threads of each worker: `threads`, or for auto an equal share of the cores among the model's
// workers, at least 1.
[[nodiscard]] std::uint32_t threads_per_worker(const ModelConfig& config, std::uint32_t cores);

// Returns whether the model's workers may decode the next batch while they compute one. On a GPU ("cuda:N") they may
// if there is more than one core. On the CPU each worker must compute with one thread, and there must be more cores
// than these threads. (On the CPU two threads alternate between decoding and computing. A pool of computing threads
// belongs to one thread, so with several computing threads there would be two pools.)
[[nodiscard]] bool may_decode_ahead(const ModelConfig& config, std::string_view device, std::uint32_t cores);

// Environment variables (NAME=value) that tell libgomp how the threads of a forward pass wait for each other between
// layers. libgomp reads them when it is loaded.
inline constexpr std::string_view kThreadsSpin = "GOMP_SPINCOUNT=1000000";  // about 25 ms; then the threads sleep
inline constexpr std::string_view kThreadsSleep = "OMP_WAIT_POLICY=passive";

// Returns kThreadsSpin if every thread of every worker has its own core and one more core is free, otherwise
// kThreadsSleep. On a busy virtual machine a sleeping core takes milliseconds to wake, and a pass has forty such
// waits. If threads share a core, a spinning thread delays the thread that it waits for. docs/benchmarks.md has
// measurements of both.
[[nodiscard]] std::string_view how_threads_wait(std::span<const ModelConfig> models, std::uint32_t cores);

}  // namespace yolod::common
