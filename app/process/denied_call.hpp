// A system call that a worker's or loader's sandbox denied, as the process told it (ipc::Milestone::kDenied).
#pragma once

#include <cstdint>
#include <string>

#include "ipc/control.hpp"

namespace yolod::app::process {

struct DeniedCall {
  std::uint32_t number{0};
  std::uint32_t soft_errno{0};  // what the call returned; 0: the process ends by SIGSYS
  std::string path{};           // of a call that looks for a file, as it may stand in a log
};

[[nodiscard]] DeniedCall denied_call_of(const ipc::MilestoneMessage& message);

// "ptrace", or "number 4711" for one that this machine's list of calls does not have.
[[nodiscard]] std::string name_of(const DeniedCall& call);

}  // namespace yolod::app::process
