// main() starts the front-end through this header, without the headers of its parts.
#pragma once

#include <sys/resource.h>

#include <functional>
#include <optional>

#include "app/host/service_manager.hpp"
#include "common/config/config.hpp"

namespace yolod::app {

enum class RunMode {
  kServe,
  kCheck,  // load every model once, report the result and exit; no listener is opened
};

// Reads the present config. If it is not valid, logs each problem and returns nothing.
using ReadConfig = std::function<std::optional<common::Config>()>;

// Serves until a signal stops the server, all answers are written and all children have been reaped. Returns the
// exit code of the process. Reloads call `read_again`. `manager` outlives the call. `open_files` is the
// RLIMIT_NOFILE of the workers. REQUIRES: the process has one thread, which calls this once, after
// block_front_end_signals() and configure_log().
[[nodiscard]] int serve(const common::Config& config, ReadConfig read_again, RunMode mode,
                        host::ServiceManager& manager, rlimit open_files);

}  // namespace yolod::app
