#include "app/process/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdlib>
#include <utility>

#include "common/log.hpp"

namespace yolod::app {
namespace {

using common::Clock;
using common::UniqueFd;

constexpr std::chrono::seconds kStatusPeriod{1};
constexpr std::chrono::seconds kAskPeriod{5};
constexpr std::chrono::seconds kMoreTime{30};  // six times what we ask after

std::vector<UniqueFd> sockets_of_manager() {
  std::vector<UniqueFd> sockets;
  const int count = sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    UniqueFd socket(SD_LISTEN_FDS_START + i);
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    if (sd_is_socket(socket.get(), AF_UNSPEC, SOCK_STREAM, 1) > 0) {
      sockets.push_back(std::move(socket));
    } else {
      common::log_warning("the service manager's descriptor {} is no listening stream socket, and is closed", i);
    }
  }
  return sockets;
}

std::chrono::microseconds watchdog_period() {
  std::uint64_t limit = 0;
  if (sd_watchdog_enabled(1, &limit) <= 0) return {};
  return std::chrono::microseconds(limit) / 3;
}

long long monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

ServiceManager::ServiceManager() : sockets_(sockets_of_manager()), watchdog_period_(watchdog_period()) {
  if (const char* address = std::getenv("NOTIFY_SOCKET"); address != nullptr) address_ = address;
  unsetenv("NOTIFY_SOCKET");
}

void ServiceManager::send(const std::string& state) {
  if (address_.empty()) return;
  setenv("NOTIFY_SOCKET", address_.c_str(), 1);  // where sd_notify() looks
  if (const int sent = sd_notify(1, state.c_str()); sent < 0) {
    common::log_debug("the service manager cannot be told: {}", common::system_error("sd_notify", -sent).message);
  }
}

void ServiceManager::ready() { send("READY=1"); }
void ServiceManager::reloading() { send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us())); }
void ServiceManager::stopping() { send("STOPPING=1"); }

void ServiceManager::status(const std::string& line) { status_ = line; }

void ServiceManager::tick(bool loading) {
  if (address_.empty()) return;
  const auto now = Clock::now();
  if (watchdog_period_.count() != 0 && now - fed_ >= watchdog_period_) {
    fed_ = now;
    send("WATCHDOG=1");
  }
  if (loading && now - asked_for_time_ >= kAskPeriod) {
    asked_for_time_ = now;
    send("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(kMoreTime).count()));
  }
  if (status_ != status_sent_ && now - said_ >= kStatusPeriod) {
    said_ = now;
    status_sent_ = status_;
    send("STATUS=" + status_);
  }
}

}  // namespace yolod::app
