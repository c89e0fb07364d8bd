#include "app/process/denied_call.hpp"

#include <seccomp.h>

#include <cstdlib>
#include <limits>
#include <memory>

#include "common/text.hpp"

namespace yolod::app::process {

DeniedCall denied_call_of(const ipc::MilestoneMessage& message) {
  constexpr std::size_t kMostOfPath = 200;
  return {message.denied_call, message.denied_errno,
          common::printable({message.text, message.text_bytes}, kMostOfPath)};
}

std::string name_of(const DeniedCall& call) {
  constexpr auto kMost = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  if (call.number <= kMost) {
    const std::unique_ptr<char, void (*)(void*)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(call.number)), std::free);
    if (name) return name.get();
  }
  return "number " + std::to_string(call.number);
}

}  // namespace yolod::app::process
