// The front-end as main() starts it, without what it is made of.
#pragma once

#include <sys/resource.h>

#include <functional>
#include <optional>

#include "app/host/service_manager.hpp"
#include "common/config/config.hpp"

namespace yolod::app {

enum class RunMode {
  kServe,
  kCheck,  // load every model once, say what was found, stop; nothing listens
};

// The config as it is now; nothing, and each problem in the log, where it cannot be served.
using ReadConfig = std::function<std::optional<common::Config>()>;

// Serves until a signal says stop and everything is over; returns the process's exit code. `read_again` is for reloads;
// `manager` outlives the call; `open_files` is RLIMIT_NOFILE for the workers. Called once, by the only thread, after
// block_front_end_signals() and configure_log().
[[nodiscard]] int serve(const common::Config& config, ReadConfig read_again, RunMode mode,
                        host::ServiceManager& manager, rlimit open_files);

}  // namespace yolod::app
