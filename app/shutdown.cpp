#include "app/shutdown.hpp"

#include <algorithm>
#include <csignal>

#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"

namespace yolod::app {
namespace {

using boost::system::error_code;
using common::AwakeClock;
using common::Clock;
using common::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{10};
constexpr std::chrono::seconds kIdleGrace{1};
// The time from asking the workers to exit until SIGTERM, and from SIGTERM until SIGKILL.
constexpr milliseconds kWorkerGrace{2000};
// The time for sending answers that were written last.
constexpr milliseconds kFlushGrace{500};

}  // namespace

Shutdown::Shutdown(boost::asio::io_context& io, Phase& phase, const common::ServerConfig& config, const Parts& parts)
    : io_(io), phase_(phase), config_(config), parts_(parts), step_timer_(io), poll_timer_(io) {}

void Shutdown::drain() {
  phase_ = Phase::kDraining;
  parts_.manager.stopping();
  drain_deadline_ = AwakeClock::now() + config_.shutdown_timeout;
  if (!parts_.models.any_was_ready()) {  // models that were never ready cannot answer any request
    stop(Workers::kKilled);
    return;
  }
  step_timer_.expires_at(AwakeClock::real_time(std::min(AwakeClock::now() + config_.drain_delay, drain_deadline_)));
  step_timer_.async_wait([this](error_code failure) {
    if (!failure && phase_ == Phase::kDraining) stop_listening();
  });
}

void Shutdown::stop_listening() {
  parts_.server.stop_accepting();
  common::reach(common::FaultPoint::kFrontEndStoppedAccepting);
  step_timer_.expires_at(
      AwakeClock::real_time(std::min<Clock::time_point>(AwakeClock::now() + kIdleGrace, drain_deadline_)));
  step_timer_.async_wait([this](error_code failure) {
    if (!failure && phase_ == Phase::kDraining) watch_drain();
  });
}

// Idle connections have had a second. Pending requests are answered until the deadline.
void Shutdown::watch_drain() {
  parts_.server.connections().close_idle();
  if (parts_.server.connections().count() == 0 || AwakeClock::now() >= drain_deadline_) {
    stop(Workers::kAsked);
    return;
  }
  poll_timer_.expires_after(kPoll);
  poll_timer_.async_wait([this](error_code failure) {
    if (!failure && phase_ == Phase::kDraining) watch_drain();
  });
}

void Shutdown::stop(Workers workers) {
  const bool again = phase_ == Phase::kStopping;
  if (phase_ < Phase::kDraining) parts_.manager.stopping();
  phase_ = Phase::kStopping;
  step_timer_.cancel();
  if (!again) {
    parts_.server.stop_accepting();
    parts_.body_room.refuse_all();
    parts_.reload.abandon({ErrorCode::kShuttingDown, kServerIsStopping});
    parts_.models.shut_down();
    if (parts_.accounts != nullptr) parts_.accounts->stop();
    flush_deadline_ = AwakeClock::now() + kFlushGrace;
    watch_stop();
  }
  if (workers == Workers::kKilled) {
    press_workers(SIGKILL, milliseconds(0));
    return;
  }
  for (const auto& pool : parts_.models.pools()) pool->ask_all_to_stop();
  common::reach(common::FaultPoint::kFrontEndAskedToStop);
  step_timer_.expires_after(kWorkerGrace);
  step_timer_.async_wait([this](error_code failure) {
    if (!failure) press_workers(SIGTERM, kWorkerGrace);
  });
}

// The stop ends when every child has been reaped and every client has its answer. After flush_deadline_, the server
// closes the connections of clients that have not read theirs.
void Shutdown::watch_stop() {
  const bool has_accounts = parts_.accounts != nullptr && parts_.accounts->is_alive();
  if (!parts_.models.any_alive() && !has_accounts && parts_.server.connections().count() == 0) {
    common::reach(common::FaultPoint::kFrontEndStopped);
    io_.stop();
    return;
  }
  if (AwakeClock::now() >= flush_deadline_) {
    parts_.server.connections().close_all();
    for (const auto& pool : parts_.models.pools()) pool->forget_unseen();
  }
  poll_timer_.expires_after(kPoll);
  poll_timer_.async_wait([this](error_code failure) {
    if (!failure) watch_stop();
  });
}

void Shutdown::press_workers(int signal, milliseconds grace) {
  for (const auto& pool : parts_.models.pools()) pool->signal_all(signal);
  if (parts_.accounts != nullptr) parts_.accounts->send_signal(signal);
  if (signal == SIGKILL) return;
  step_timer_.expires_after(grace);
  step_timer_.async_wait([this](error_code failure) {
    if (!failure) press_workers(SIGKILL, milliseconds(0));
  });
}

}  // namespace yolod::app
