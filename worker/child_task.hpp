// Runs a function in a child process, so that its memory, its threads and a crash do not affect this process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "common/outcome.hpp"

namespace yolod::worker {

// Returns the first 4 KiB of the text that `work` returns. The calling thread waits at most `limit` and then kills
// the child. The child also dies with the calling thread. Returns kInternal if the child could not start, died or was
// killed. REQUIRES: no other thread of the process runs, because the child has the calling thread only.
[[nodiscard]] common::Outcome<std::string> run_in_child(const std::function<std::string()>& work,
                                                        std::chrono::milliseconds limit);

}  // namespace yolod::worker
