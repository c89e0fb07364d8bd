// LoaderSlot holds the loader process of one model and replaces it after its death. The workers that the loader has
// forked continue to serve.
//
//   empty --start()--> loading --> ready --death--> empty, until RespawnPolicy's delay is over --> loading ...
//                         \___________/^
//
// The supervisor owns it. Only the thread of the front-end may call it.
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
    // Starts the process. Returns an Error if it cannot be started.
    std::function<Started(LoaderEvents)> launch;
    std::function<void(const LoaderProcess&)> ready;
    std::function<void(pid_t, const DeniedCall&)> denied;
    // The slot asks this after a death or a failed start. true: the slot starts no other loader.
    std::function<bool(DeathCause cause, const std::string& reason)> gives_up;
    // Returns whether a loader may still be started. The slot asks this when the delay is over, because an expired
    // timer cannot be cancelled.
    std::function<bool()> may_start;
    // Logs the death. Returns the time at which the next loader may start, or nothing if there is none.
    std::function<std::optional<common::Clock::time_point>(RespawnPolicy& policy, DeathCause cause,
                                                           const std::string& what)>
        next_start;
  };

  // `load_timeout` is the longest time from the start of a loader until it is ready.
  LoaderSlot(boost::asio::io_context& io, std::string model, std::chrono::milliseconds load_timeout, Hooks hooks);
  LoaderSlot(const LoaderSlot&) = delete;
  LoaderSlot& operator=(const LoaderSlot&) = delete;

  void start();
  // The loader was reaped. The slot starts another loader unless `is_over`.
  void reaped(Death death, bool is_over);
  // Cancels the start of the next loader.
  void stop_waiting() { timer_.cancel(); }
  void ask_to_stop();
  void send_signal(int signal);

  // Kills the loader, because it did what a correct loader does not do. `why` goes into the log.
  void condemn(std::string_view why);
  // The loader does not take commands. Kills it unless it is reaped within a second.
  void suspect();
  // Asks the loader for one more worker. If the loader does not take the command, returns false and calls suspect().
  [[nodiscard]] bool fork_worker(const ipc::LentDescriptors& descriptors);

  [[nodiscard]] bool is_alive() const { return process_ != nullptr; }
  [[nodiscard]] bool is_ready() const { return process_ && process_->ready() && !condemned_; }
  // Returns 0 if there is no loader now.
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  // Returns null if there is no loader now.
  [[nodiscard]] LoaderProcess* process() { return process_.get(); }
  // Returns when the loader was started, or when the next loader will be started.
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
  boost::asio::steady_timer timer_;  // for load_timeout, or for the start of the next loader
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
