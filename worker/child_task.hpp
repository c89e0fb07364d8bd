// Runs a piece of work in a child process, so that nothing of it stays in this one: no memory, no threads, no crash.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::worker {

// What `work` returned, of which the first 4 KiB are kept. The calling thread waits for `limit` at most and then kills
// the child. The process must have no other thread that runs: the child has the calling one alone. kInternal: the child
// could not be started, died, or was killed. The child dies with the calling thread.
[[nodiscard]] common::Outcome<std::string> run_in_child(const std::function<std::string()>& work,
                                                        std::chrono::milliseconds limit);

}  // namespace yolod::worker
