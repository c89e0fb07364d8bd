// The processes of a model as /status shows them. Values only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "common/domain/sandbox_state.hpp"

namespace yolod::app::process {

// Shown in /status for each slot, also while it has no process.
struct WorkerStatus {
  pid_t pid{0};  // 0: dead, waiting to be replaced; or starting
  std::string state;
  std::uint64_t generation{0};  // of its model; set by the pool
  std::uint64_t restarts{0};
  std::uint64_t requests{0};
  std::string device;
  std::string precision;
  common::SandboxState sandbox{};  // once it is ready
};

struct LoaderStatus {
  pid_t pid{0};  // 0: there is none now
  bool ready{false};
  common::SandboxState sandbox{};  // once it is ready
};

}  // namespace yolod::app::process
