#include "app/process/accounts_slot.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "app/process/run_at.hpp"
#include "common/awake_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::process {

using common::AwakeClock;
using common::Outcome;
using common::UniqueFd;
using std::chrono::milliseconds;

AccountsSlot::AccountsSlot(boost::asio::io_context& io, const SpawnSettings& spawn, ChildTable& children,
                           UniqueFd settings, Hooks hooks)
    : io_(io),
      spawn_(spawn),
      children_(children),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      timer_(io) {}

Outcome<UniqueFd> AccountsSlot::launch() {
  if (!output_) {
    auto opened = WorkerOutput::open(io_, "accounts");
    if (!opened) return opened.error();
    output_ = *std::move(opened);
  }
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return common::last_system_error("socketpair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  InheritedDescriptors inherited;
  inherited.output = output_->write_end();
  inherited.control = theirs.get();
  inherited.config = settings_.get();
  const auto pid = spawn(spawn_, spec_of(ChildKind::kAccounts), inherited);
  if (!pid) return pid.error();
  pid_ = *pid;
  entry_ = children_.add(*pid, [this](const Death& death) { reaped(death); });
  return ours;
}

void AccountsSlot::start() {
  ready_ = condemned_ = false;
  auto socket = launch();
  if (!socket) {
    replace(DeathCause::kOwnFault, "yolod-accounts cannot be started: " + socket.error().message);
    return;
  }
  kill_after(kStartTimeout, "it did not say hello");
  hooks_.started(*std::move(socket));
}

void AccountsSlot::is_ready() {
  if (pid_ == 0 || ready_) return;
  ready_ = true;
  timer_.cancel();
  policy_.on_ready(AwakeClock::now());
  common::log_info("yolod-accounts {}: started", pid_);
}

void AccountsSlot::is_leaving() { kill_after(kGrace, "it has closed its socket and does not end"); }

void AccountsSlot::kill_after(milliseconds time, std::string_view why) {
  run_at(timer_, AwakeClock::now() + time, lifeline_, [this, pid = pid_, why] {
    if (pid_ == pid) condemn(why);
  });
}

void AccountsSlot::condemn(std::string_view why) {
  if (pid_ == 0 || condemned_) return;
  condemned_ = true;
  common::log_error("yolod-accounts {} is killed: {}", pid_, why);
  send_signal(SIGKILL);
}

void AccountsSlot::stop() {
  stopping_ = true;
  timer_.cancel();
}

// The pid cannot be reused here: only this process reaps its child.
void AccountsSlot::send_signal(int signal) const {
  if (pid_ != 0) kill(pid_, signal);
}

void AccountsSlot::reaped(const Death& death) {
  timer_.cancel();
  const pid_t pid = std::exchange(pid_, 0);
  output_->read_now();
  hooks_.gone();
  if (stopping_) {
    common::log_debug("yolod-accounts {} is gone: {}", pid, describe_accounts(death));
    return;
  }
  const auto cause = condemned_ ? DeathCause::kOwnFault : spec_of(ChildKind::kAccounts).classify(death, ready_);
  replace(cause, fmt::format("yolod-accounts {} {} {}", pid,
                             death.signaled ? "died of" : "exited:", describe_accounts(death)));
}

void AccountsSlot::replace(DeathCause cause, const std::string& what) {
  if (stopping_) return;
  const auto now = AwakeClock::now();
  const double jitter = std::uniform_real_distribution<>(0, 1)(jitter_);
  constexpr bool kNeverGiveUp = true;
  const auto decision = policy_.on_death(cause, kNeverGiveUp, now, jitter);
  const auto at = std::max(rate_.reserve(now), now + decision.delay);
  common::log_warning("{}; predictions go on, log-ins are refused until its successor runs, which starts in {} ms",
                      what, std::chrono::duration_cast<milliseconds>(at - now).count());
  ++restarts_;
  run_at(timer_, at, lifeline_, [this] {
    if (pid_ == 0 && !stopping_) start();
  });
}

}  // namespace yolod::app::process
