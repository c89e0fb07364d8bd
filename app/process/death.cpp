#include "app/process/death.hpp"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "app/accounts/protocol/settings.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::process {

Death Death::from_wait_status(int status) {
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status), false, false};
  return {false, WEXITSTATUS(status), false, false};
}

namespace {

std::string signal_name(int number) {
  const char* const name = sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

}  // namespace

std::string describe(const Death& death) {
  if (death.unseen) return "gone before it said hello";
  if (death.out_of_memory) return "SIGKILL, by the kernel: out of memory";
  if (death.signaled) {
    if (death.number != SIGSYS) return signal_name(death.number);
    return "SIGSYS: it made a system call that its sandbox denies" +
           (death.denied_call.empty() ? "" : ": " + death.denied_call);
  }
  switch (death.number) {
    case ipc::kExitStopped: return "exit code 0";
    case ipc::kExitInterrupted: return "interrupted while loading (SIGINT), model freed";
    case ipc::kExitBadModel: return "its model cannot be served";
    case ipc::kExitBadStart: return "its program has another version than the front-end";
    case ipc::kExitDeviceLost: return "its device computes no more";
    default: return "exit code " + std::to_string(death.number);
  }
}

std::string reason_label(const Death& death) {
  if (death.unseen) return "unseen";
  if (death.out_of_memory) return "out_of_memory";
  if (death.signaled) return signal_name(death.number);
  switch (death.number) {
    case ipc::kExitInterrupted: return "interrupted";
    case ipc::kExitBadModel: return "bad_model";
    case ipc::kExitDeviceLost: return "device_lost";
    default: return "exit";
  }
}

DeathCause classify(const Death& death, bool was_ready) {
  if (death.out_of_memory) return DeathCause::kOwnFault;
  if (!death.signaled) {
    if (death.number == ipc::kExitInterrupted && !was_ready) return DeathCause::kExternal;
    return death.number == ipc::kExitBadModel ? DeathCause::kBadModel : DeathCause::kOwnFault;
  }
  switch (death.number) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT: return DeathCause::kOwnFault;
    case SIGSYS: return was_ready ? DeathCause::kOwnFault : DeathCause::kBadModel;
    case SIGINT: return DeathCause::kExternal;
    default: return was_ready ? DeathCause::kExternal : DeathCause::kOwnFault;
  }
}

std::string describe_accounts(const Death& death) {
  if (death.signaled || death.number == ipc::kExitStopped) return describe(death);
  switch (death.number) {
    case accounts::protocol::kExitBadDatabase: return "its database cannot be used";
    case accounts::protocol::kExitBadStart: return "its program has another version than the front-end";
    default: return "exit code " + std::to_string(death.number);
  }
}

DeathCause classify_accounts(const Death& death, bool was_ready) {
  const bool is_operators =
      death.signaled && !death.out_of_memory && (death.number == SIGKILL || death.number == SIGTERM);
  return is_operators && was_ready ? DeathCause::kExternal : DeathCause::kOwnFault;
}

}  // namespace yolod::app::process
