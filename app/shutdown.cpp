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
using std::chrono::milliseconds;

constexpr milliseconds kPoll{10};

}  // namespace

Shutdown::Shutdown(boost::asio::io_context& io, Phase& phase, const common::ServerConfig& config, Server& server,
                   const Graces& graces)
    : io_(io), phase_(phase), config_(config), server_(server), graces_(graces), step_timer_(io), poll_timer_(io) {}

void Shutdown::drain() {
  phase_ = Phase::kDraining;
  server_.announce_stop();
  drain_deadline_ = AwakeClock::now() + config_.shutdown_timeout;
  if (!server_.any_model_was_ready()) {  // models that were never ready cannot answer any request
    stop(Workers::kKilled);
    return;
  }
  step_timer_.expires_at(AwakeClock::real_time(std::min(AwakeClock::now() + config_.drain_delay, drain_deadline_)));
  step_timer_.async_wait([this](error_code failure) {
    if (!failure && phase_ == Phase::kDraining) stop_listening();
  });
}

void Shutdown::stop_listening() {
  server_.stop_accepting();
  common::reach(common::FaultPoint::kFrontEndStoppedAccepting);
  step_timer_.expires_at(
      AwakeClock::real_time(std::min<Clock::time_point>(AwakeClock::now() + graces_.idle, drain_deadline_)));
  step_timer_.async_wait([this](error_code failure) {
    if (!failure && phase_ == Phase::kDraining) watch_drain();
  });
}

// Idle connections have had their grace. Pending requests are answered until the deadline.
void Shutdown::watch_drain() {
  server_.close_idle_connections();
  if (server_.connections() == 0 || AwakeClock::now() >= drain_deadline_) {
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
  if (phase_ < Phase::kDraining) server_.announce_stop();
  phase_ = Phase::kStopping;
  step_timer_.cancel();
  if (!again) {
    server_.stop_accepting();
    server_.refuse_requests();
    flush_deadline_ = AwakeClock::now() + graces_.flush;
    watch_stop();
  }
  if (workers == Workers::kKilled) {
    press_children(SIGKILL);
    return;
  }
  server_.ask_workers_to_stop();
  common::reach(common::FaultPoint::kFrontEndAskedToStop);
  step_timer_.expires_after(graces_.worker);
  step_timer_.async_wait([this](error_code failure) {
    if (!failure) press_children(SIGTERM);
  });
}

// The stop ends when every child has been reaped and every client has its answer. After flush_deadline_, the server
// closes the connections of clients that have not read theirs.
void Shutdown::watch_stop() {
  if (!server_.any_child_is_alive() && server_.connections() == 0) {
    common::reach(common::FaultPoint::kFrontEndStopped);
    io_.stop();
    return;
  }
  if (AwakeClock::now() >= flush_deadline_) {
    server_.close_all_connections();
    server_.forget_unseen_workers();
  }
  poll_timer_.expires_after(kPoll);
  poll_timer_.async_wait([this](error_code failure) {
    if (!failure) watch_stop();
  });
}

void Shutdown::press_children(int signal) {
  server_.signal_children(signal);
  if (signal == SIGKILL) return;
  step_timer_.expires_after(graces_.worker);
  step_timer_.async_wait([this](error_code failure) {
    if (!failure) press_children(SIGKILL);
  });
}

}  // namespace yolod::app
