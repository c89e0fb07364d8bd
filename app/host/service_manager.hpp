// Whoever started us as a service, by sd_notify(3)'s protocol: is told how far we are, feeds on signs of life, and may
// hand over sockets that it has opened already. Without one, everything here does nothing.
//
// Front-end only, its one thread. Made before any descriptor is opened that could lie where it looks, and first of all
// that reads the environment: it takes its variables out, so that no worker has them.
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

  // Listening stream sockets, in the manager's order; close-on-exec. Once.
  [[nodiscard]] std::vector<common::UniqueFd> take_sockets() { return std::move(sockets_); }

  [[nodiscard]] bool present() const { return !address_.empty(); }
  // Says nothing from now on.
  void ignore() { address_.clear(); }

  void ready();
  void reloading();
  void stopping();
  // One line for `systemctl status`: sent when it changed, at most once a second.
  void status(const std::string& line);
  // To be called every tenth of a second or so. `loading`: the manager is asked for more time.
  void tick(bool loading);

 private:
  // What must reach it, in order: at once, or when it reads again. Never waits for it.
  void tell(std::string state);
  void tell_what_is_untold();
  // What is only of use now; false if it does not read.
  [[nodiscard]] bool try_to_say(const std::string& state);

  std::string address_;  // of its socket; empty: there is no manager
  common::UniqueFd socket_;
  std::deque<std::string> untold_;
  std::vector<common::UniqueFd> sockets_;
  std::chrono::microseconds watchdog_period_{0};  // 0: it does not watch
  common::Clock::time_point fed_;
  common::Clock::time_point asked_for_time_;
  common::Clock::time_point said_;
  std::string status_;
  std::string status_sent_;
};

}  // namespace yolod::app::host
