// A system call that the sandbox of a worker or a loader denied, as the process reported it
// (ipc::Milestone::kDenied). Plain values: any thread may use them.
#pragma once

#include <cstdint>
#include <string>

#include "ipc/control.hpp"

namespace yolod::app::process {

struct DeniedCall {
  std::uint32_t number{0};
  std::uint32_t soft_errno{0};  // what the call returned; 0: the process ends by SIGSYS
  std::string path{};           // for a call that takes a path: the path, escaped for the log
};

[[nodiscard]] DeniedCall denied_call_of(const ipc::MilestoneMessage& message);

// Returns the name of the call, such as "ptrace", or "number 4711" if libseccomp does not know the number.
[[nodiscard]] std::string name_of(const DeniedCall& call);

}  // namespace yolod::app::process
