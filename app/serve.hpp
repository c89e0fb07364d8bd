// The front-end as main() starts it, without what it is made of.
#pragma once

#include <sys/resource.h>

#include "common/config.hpp"

namespace yolod::app {

enum class RunMode {
  kServe,
  kCheck,  // load every model once, say what was found, stop; nothing listens
};

// Serves until a signal says stop and everything is over; returns the process's exit code. `open_files` is
// RLIMIT_NOFILE for the workers. Called once, by the only thread, after block_front_end_signals() and configure_log().
[[nodiscard]] int serve(const common::Config& config, RunMode mode, rlimit open_files);

}  // namespace yolod::app
