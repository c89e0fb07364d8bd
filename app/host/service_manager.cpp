#include "app/host/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/log.hpp"

namespace yolod::app::host {
namespace {

using common::Clock;
using common::UniqueFd;

constexpr std::chrono::seconds kStatusPeriod{1};
constexpr std::chrono::seconds kAskPeriod{5};
constexpr std::chrono::seconds kMoreTime{30};  // six times kAskPeriod

std::vector<UniqueFd> sockets_of_manager() {
  std::vector<UniqueFd> sockets;
  const int count = sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    UniqueFd socket(SD_LISTEN_FDS_START + i);
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    if (sd_is_socket(socket.get(), AF_UNSPEC, SOCK_STREAM, 1) > 0) {
      sockets.push_back(std::move(socket));
    } else {
      common::log_warning(
          "the service manager's file descriptor {} is not a listening stream socket; the server closes it", i);
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

// Sends like sd_notify(3), but never waits. sd_notify(3) waits while the manager does not read.
bool send_at_once(int socket, const std::string& address, const std::string& state) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() >= sizeof to.sun_path) return true;  // no socket can have such a name
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address.front() == '@') to.sun_path[0] = '\0';  // an abstract name
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const auto sent = ::sendto(socket, state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), bytes);
  if (sent >= 0) return true;
  if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) return false;
  common::log_debug("the server cannot notify the service manager: {}", common::system_error("sendto", errno).message);
  return true;
}

}  // namespace

ServiceManager::ServiceManager() : sockets_(sockets_of_manager()), watchdog_period_(watchdog_period()) {
  if (const char* address = std::getenv("NOTIFY_SOCKET"); address != nullptr) address_ = address;
  unsetenv("NOTIFY_SOCKET");
  if (!address_.empty()) socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void ServiceManager::ready() { tell("READY=1"); }
void ServiceManager::reloading() { tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us())); }
void ServiceManager::stopping() { tell("STOPPING=1"); }

void ServiceManager::tell(std::string state) {
  if (address_.empty()) return;
  constexpr std::size_t kMost = 64;  // bounds the memory if the manager never reads
  if (pending_.size() == kMost) pending_.pop_front();
  pending_.push_back(std::move(state));
  send_pending();
}

void ServiceManager::send_pending() {
  while (!pending_.empty() && send_at_once(socket_.get(), address_, pending_.front())) pending_.pop_front();
}

// A state must not overtake earlier ones. If the manager does not read, a later state replaces this state.
bool ServiceManager::try_send(const std::string& state) {
  return pending_.empty() && send_at_once(socket_.get(), address_, state);
}

void ServiceManager::status(const std::string& line) { status_ = line; }

void ServiceManager::tick(bool loading) {
  if (address_.empty()) return;
  send_pending();
  const auto now = Clock::now();
  if (watchdog_period_.count() != 0 && now - watchdog_sent_at_ >= watchdog_period_ && try_send("WATCHDOG=1"))
    watchdog_sent_at_ = now;
  if (loading && now - time_requested_at_ >= kAskPeriod &&
      try_send("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(kMoreTime).count()))) {
    time_requested_at_ = now;
  }
  if (status_ != status_sent_ && now - status_sent_at_ >= kStatusPeriod && try_send("STATUS=" + status_)) {
    status_sent_at_ = now;
    status_sent_ = status_;
  }
}

}  // namespace yolod::app::host
