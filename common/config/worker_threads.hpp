// How many threads the workers compute with, and how those wait for each other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/config/model_config.hpp"

namespace yolod::common {

// Threads of each of the model's workers: `threads`, or for auto the cores shared among the model's workers, at
// least 1.
[[nodiscard]] std::uint32_t threads_per_worker(const ModelConfig& config, std::uint32_t cores);

// Whether the model's workers may decode their next batch's pictures while they compute: on a GPU ("cuda:N") wherever
// there is more than one core; on the CPU each with one thread that computes, where there are cores beside those.
// (There decoding and the computing change places from batch to batch, and a pool of threads belongs to the thread that
// computes: with several, it would be two pools.)
[[nodiscard]] bool may_decode_ahead(const ModelConfig& config, std::string_view device, std::uint32_t cores);

// How the threads of one network's forward pass wait for each other between its layers, as NAME=value for the
// environment; libgomp reads it when it is loaded.
inline constexpr std::string_view kThreadsSpin = "GOMP_SPINCOUNT=1000000";  // about 25 ms, then they sleep
inline constexpr std::string_view kThreadsSleep = "OMP_WAIT_POLICY=passive";

// kThreadsSpin where every thread of every worker has a core of its own and one is left for whatever else runs, else
// kThreadsSleep. On a virtual machine with neighbours a sleeping core takes milliseconds to wake, forty times a pass;
// where threads share a core, one that spins keeps the one it waits for from running. docs/benchmarks.md has both.
[[nodiscard]] std::string_view how_threads_wait(std::span<const ModelConfig> models, std::uint32_t cores);

}  // namespace yolod::common
