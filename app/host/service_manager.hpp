// Talks to the service manager that started the server, by sd_notify(3)'s protocol. The server reports its state and
// sends watchdog messages; the manager may pass sockets that listen already. Without a manager all functions do
// nothing.
//
// The object is used on the front-end's only thread. Construct it before any other code opens a file descriptor,
// because the manager's sockets have fixed numbers. Construct it before any other code reads the environment: it
// removes its variables, so that no worker inherits them.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::host {

class ServiceManager {
 public:
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ~ServiceManager() = default;

  // Returns the listening stream sockets in the manager's order. They are close-on-exec. Call it once.
  [[nodiscard]] std::vector<common::UniqueFd> take_sockets() { return std::move(sockets_); }

  [[nodiscard]] bool present() const { return !address_.empty(); }
  // Sends nothing from now on.
  void ignore() { address_.clear(); }

  void ready();
  void reloading();
  void stopping();
  // Sets the line for `systemctl status`. It is sent when it has changed, at most once a second.
  void status(const std::string& line);
  // Call it about every tenth of a second. If `loading` is true, it asks the manager for more time.
  void tick(bool loading);

 private:
  // Sends a state that must reach the manager, in order: now, or later when the manager reads again. It never waits.
  void tell(std::string state);
  void send_pending();
  // Sends a state that is useful only now. Returns false if the manager does not read.
  [[nodiscard]] bool try_send(const std::string& state);

  std::string address_;  // of the manager's socket; empty if there is no manager
  common::UniqueFd socket_;
  std::deque<std::string> pending_;
  std::vector<common::UniqueFd> sockets_;
  std::chrono::microseconds watchdog_period_{0};  // 0 if the manager has no watchdog
  common::Clock::time_point watchdog_sent_at_;
  common::Clock::time_point time_requested_at_;
  common::Clock::time_point status_sent_at_;
  std::string status_;
  std::string status_sent_;
};

}  // namespace yolod::app::host
