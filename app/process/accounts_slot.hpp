// AccountsSlot holds the process yolod-accounts and replaces it after its death. Nothing that serves predictions
// depends on the process, so the slot never gives up: it starts the next process after RespawnPolicy's delay.
//
//   empty --start()--> starting --is_ready()--> ready --death--> empty, until the delay is over --> starting ...
//                          \____________________/^
//
// The slot does not read the socket. Its owner passes the socket to the client of the process
// (app/access/accounts_client.hpp) and tells the slot what the client observes. Only the thread of the front-end may
// call it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <random>
#include <string_view>

#include "app/process/child_table.hpp"
#include "app/process/respawn_policy.hpp"
#include "app/process/spawn.hpp"
#include "app/process/worker_output.hpp"
#include "common/clock.hpp"
#include "common/lifeline.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

class AccountsSlot {
 public:
  // A process that has not said hello after this time is killed.
  static constexpr std::chrono::seconds kStartTimeout{30};
  // The longest time between the end of the process's socket and its death.
  static constexpr std::chrono::seconds kGrace{3};

  struct Hooks {
    // A process was started. This is the front-end's end of its socket.
    std::function<void(common::UniqueFd socket)> started;
    // The process was reaped.
    std::function<void()> gone;
  };

  // `settings` is the sealed memory file with the settings (app/process/settings_memfd.hpp).
  AccountsSlot(boost::asio::io_context& io, const SpawnSettings& spawn, ChildTable& children, common::UniqueFd settings,
               Hooks hooks);
  AccountsSlot(const AccountsSlot&) = delete;
  AccountsSlot& operator=(const AccountsSlot&) = delete;
  // REQUIRES: no process is alive, or the front-end ends.
  ~AccountsSlot() = default;

  void start();
  // The process has said hello.
  void is_ready();
  // The process has closed its socket. Kills the process unless it is reaped within kGrace.
  void is_leaving();
  // Kills the process, because it did what a correct process does not do. `why` goes into the log.
  void condemn(std::string_view why);
  // The slot starts no more processes. The owner then closes the socket, and the process ends.
  void stop();
  void send_signal(int signal) const;

  [[nodiscard]] bool is_alive() const { return pid_ != 0; }
  // Returns 0 if there is no process now.
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Returns how many processes have replaced another one.
  [[nodiscard]] std::uint32_t restarts() const { return restarts_; }

 private:
  [[nodiscard]] common::Outcome<common::UniqueFd> launch();
  void reaped(const Death& death);
  void replace(DeathCause cause, const std::string& what);
  void kill_after(std::chrono::milliseconds time, std::string_view why);

  boost::asio::io_context& io_;
  const SpawnSettings& spawn_;
  ChildTable& children_;
  const common::UniqueFd settings_;
  const Hooks hooks_;
  std::unique_ptr<WorkerOutput> output_;
  pid_t pid_{0};
  ChildTable::Entry entry_;
  bool ready_{false};
  bool condemned_{false};
  bool stopping_{false};
  std::uint32_t restarts_{0};
  RespawnPolicy policy_;
  RespawnRate rate_;
  std::minstd_rand jitter_{std::random_device{}()};
  boost::asio::steady_timer timer_;  // until the process must be ready or gone, or until the next one starts
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
