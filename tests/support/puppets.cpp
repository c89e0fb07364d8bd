#include "tests/support/puppets.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace yolod::tests {
namespace {

constexpr std::chrono::seconds kPatience{10};

bool is_not_confirmed(std::string_view command) {
  return command.starts_with("exit") || command.starts_with("signal") || command == "fork" || command == "serve";
}

}  // namespace

Puppets::Puppets() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  listener_ = common::UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_.get(), 100) != 0) {
    throw std::system_error(errno, std::generic_category(), path());
  }
}

std::string Puppets::program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "puppet_worker").string();
}

void Puppets::accept_some() {
  for (;;) {
    common::UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() < 0) return;
    std::array<char, 100> text{};
    if (read(connection.get(), text.data(), text.size() - 1) <= 0) continue;  // the process is already gone
    Puppet puppet;
    puppet.is_loader = std::strncmp(text.data(), "loader", 6) == 0;
    long pid = 0;
    unsigned seat = 0;
    (void)std::sscanf(text.data() + 7, "%ld %u", &pid, &seat);
    puppet.pid = static_cast<pid_t>(pid);
    puppet.seat = seat;
    puppet.connection = std::move(connection);
    puppets_.push_back(std::move(puppet));
    if (!by_hand) {
      puppets_.back().is_taken = true;
      (void)!write(puppets_.back().connection.get(), "serve", 5);
    }
  }
}

bool Puppets::wait_until(const std::function<bool()>& done) {
  const auto end = common::Clock::now() + kPatience;
  while (!done()) {
    if (common::Clock::now() > end) return false;
    accept_some();
    if (turn) turn();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

void Puppets::wait_for(std::chrono::milliseconds time) {
  const auto end = common::Clock::now() + time;
  (void)wait_until([end] { return common::Clock::now() >= end; });
}

Puppets::Puppet& Puppets::next(bool loader) {
  Puppet* found = nullptr;
  const auto look = [&] {
    for (Puppet& puppet : puppets_) {
      if (puppet.is_loader == loader && !puppet.is_taken) found = &puppet;
      if (found != nullptr) break;
    }
    return found != nullptr;
  };
  if (!wait_until(look)) throw std::runtime_error(loader ? "no loader was started" : "no worker was started");
  found->is_taken = true;
  return *found;
}

void Puppets::tell(Puppet& puppet, const std::string& command) {
  if (write(puppet.connection.get(), command.data(), command.size()) < 0) {
    throw std::system_error(errno, std::generic_category(), "telling a puppet: " + command);
  }
  if (is_not_confirmed(command)) return;
  const auto is_done = [&puppet] {
    std::array<char, 16> text{};
    // The end of the connection is an answer too: the command killed the process.
    return recv(puppet.connection.get(), text.data(), text.size(), MSG_DONTWAIT) >= 0;
  };
  if (!wait_until(is_done)) throw std::runtime_error("a puppet has not done: " + command);
}

}  // namespace yolod::tests
