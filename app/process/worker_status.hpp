// The processes of a model as /status shows them. Plain values: any thread may use them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "common/domain/sandbox_state.hpp"

namespace yolod::app::process {

// /status shows this for each slot, even while the slot has no process.
struct WorkerStatus {
  pid_t pid{0};  // 0: the worker is dead and waits to be replaced, or it is starting
  std::string state;
  std::uint64_t generation{0};  // generation of its model; the pool sets it
  std::uint64_t restarts{0};
  std::uint64_t requests{0};
  std::string device;
  std::string precision;
  common::SandboxState sandbox{};  // set when the worker is ready
};

struct LoaderStatus {
  pid_t pid{0};  // 0: there is no loader now
  bool ready{false};
  common::SandboxState sandbox{};  // set when the loader is ready
};

}  // namespace yolod::app::process
