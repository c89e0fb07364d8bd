// The slot of a model's loader: it holds the process that is the loader now, and replaces it when it dies. The workers
// that a loader has forked live on without it.
//
//   empty --start()--> loading --> ready --death--> empty, until the policy's time has come --> loading ...
//                         \___________/^
//
// Owned by the supervisor. Front-end only, its one thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/process/death.hpp"
#include "app/process/denied_call.hpp"
#include "app/process/loader_process.hpp"
#include "app/process/respawn_policy.hpp"
#include "app/process/worker_status.hpp"
#include "common/clock.hpp"
#include "common/lifeline.hpp"
#include "common/outcome.hpp"
#include "ipc/fork_command.hpp"

namespace yolod::app::process {

class LoaderSlot {
 public:
  using Started = common::Outcome<std::unique_ptr<LoaderProcess>>;
  struct Hooks {
    // Makes the process.
    std::function<Started(LoaderEvents)> launch;
    std::function<void(const LoaderProcess&)> ready;
    std::function<void(pid_t, const DeniedCall&)> denied;
    // Asked before a death or a failed start is made good: true if there will be no other loader.
    std::function<bool(DeathCause cause, const std::string& reason)> gives_up;
    // Whether a loader may be started still. Asked when the time for the next one has come: a timer that has run out
    // cannot be cancelled any more.
    std::function<bool()> may_start;
    // A death that the log is to tell; the time at which the next loader may start, or nothing: there will be none.
    std::function<std::optional<common::Clock::time_point>(RespawnPolicy& policy, DeathCause cause,
                                                           const std::string& what)>
        next_start;
  };

  // `load_timeout`: from a start to ready.
  LoaderSlot(boost::asio::io_context& io, std::string model, std::chrono::milliseconds load_timeout, Hooks hooks);
  LoaderSlot(const LoaderSlot&) = delete;
  LoaderSlot& operator=(const LoaderSlot&) = delete;

  void start();
  // It was reaped, and there will be another, unless `is_over`.
  void reaped(Death death, bool is_over);
  // The next one is not waited for any more.
  void stop_waiting() { timer_.cancel(); }
  void ask_to_stop();
  void send_signal(int signal);

  // It did what a sane loader does not: it is killed.
  void condemn(std::string_view why);
  // It does not take commands: unless it is about to be reaped, it is killed.
  void suspect();
  // Asks it for one more worker. False: it does not take that, and is suspected.
  [[nodiscard]] bool fork_worker(const ipc::LentDescriptors& descriptors);

  [[nodiscard]] bool is_alive() const { return process_ != nullptr; }
  [[nodiscard]] bool is_ready() const { return process_ && process_->ready() && !condemned_; }
  // 0: there is none now.
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  // Null: there is none now.
  [[nodiscard]] LoaderProcess* process() { return process_.get(); }
  // When it was started, or will be.
  [[nodiscard]] common::Clock::time_point starts_at() const { return starts_at_; }
  [[nodiscard]] LoaderStatus status() const;

 private:
  void became_ready();
  void replace(DeathCause cause, const std::string& what);

  const std::string model_;
  const std::chrono::milliseconds load_timeout_;
  const Hooks hooks_;
  std::unique_ptr<LoaderProcess> process_;
  bool condemned_{false};
  common::Clock::time_point starts_at_;
  RespawnPolicy policy_;
  boost::asio::steady_timer timer_;  // load_timeout, or when the next one starts
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
