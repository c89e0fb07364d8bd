#include "app/process/respawn_policy.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "ipc/layout.hpp"

namespace yolod::app {

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
    case ipc::kExitBadStart: return "it is not of this version";
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
  if (death.out_of_memory) return DeathCause::kOwnDoing;
  if (!death.signaled) {
    if (death.number == ipc::kExitInterrupted && !was_ready) return DeathCause::kNotItsDoing;
    return death.number == ipc::kExitBadModel ? DeathCause::kBadModel : DeathCause::kOwnDoing;
  }
  switch (death.number) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT: return DeathCause::kOwnDoing;
    case SIGSYS: return was_ready ? DeathCause::kOwnDoing : DeathCause::kBadModel;
    case SIGINT: return DeathCause::kNotItsDoing;
    default: return was_ready ? DeathCause::kNotItsDoing : DeathCause::kOwnDoing;
  }
}

common::Clock::time_point RespawnRate::reserve(common::Clock::time_point now) {
  while (!recent_.empty() && recent_.front() + std::chrono::seconds(1) <= now) recent_.pop_front();
  const auto at =
      recent_.size() < kPerSecond ? now : std::max(now, recent_[recent_.size() - kPerSecond] + std::chrono::seconds(1));
  recent_.push_back(at);
  return at;
}

RespawnPolicy::Decision RespawnPolicy::on_death(DeathCause cause, bool model_was_ready, common::Clock::time_point now,
                                                double jitter) {
  if (ready_ && now - ready_since_ >= kHealthyAfter) failures_ = 0;
  ready_ = false;
  switch (cause) {
    case DeathCause::kNotItsDoing: return {};
    case DeathCause::kBadModel:
      if (!model_was_ready) return {Action::kGiveUp, {}};
      break;
    case DeathCause::kOwnDoing:
      if (!model_was_ready && failures_ + 1 >= kMostFailedLoads) return {Action::kGiveUp, {}};
      break;
  }
  const std::uint32_t failure = failures_++;
  if (failure == 0) return {};
  const auto doubled = kFirstDelay * (1U << std::min(failure - 1, 10U));
  const auto delay = std::min<std::chrono::milliseconds>(doubled, kLongestDelay);
  return {Action::kRespawn,
          std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * (1 - jitter / 5)))};
}

void RespawnPolicy::on_ready(common::Clock::time_point now) {
  ready_ = true;
  ready_since_ = now;
}

}  // namespace yolod::app
