// The test's side of tests/support/puppet_worker: processes that the front-end's own code starts, and that do what a
// test says. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/system/signal_mask.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

class Puppets {
 public:
  struct Puppet {
    bool is_loader{false};
    pid_t pid{0};
    std::uint32_t seat{0};
    common::UniqueFd connection;
    bool is_taken{false};  // next_loader() or next_worker() has handed it out
  };

  // Throws std::system_error where there can be no socket. Makes this process a subreaper, as the front-end is one.
  Puppets();

  [[nodiscard]] static std::string program();
  // For IdentitySource::loader_probe.
  [[nodiscard]] std::string path() const { return (directory_.path() / "puppets.sock").string(); }

  // Called while one of the functions below waits: the event loop's turn, and the reaping of children.
  std::function<void()> turn;
  // With false, every process that is started serves by itself.
  bool by_hand{true};

  // Lets `turn` be called until `done` is true. False after 10 s.
  [[nodiscard]] bool wait_until(const std::function<bool()>& done);
  // So much time, with turns.
  void wait_for(std::chrono::milliseconds time);
  // The next process of that kind that has been started, or will be; throws after 10 s.
  Puppet& next_loader() { return next(true); }
  Puppet& next_worker() { return next(false); }
  // Has it done; throws if it does not say so within 10 s. Nobody waits for exit, signal, fork and serve.
  void tell(Puppet& puppet, const std::string& command);
  [[nodiscard]] std::size_t started_count() const { return puppets_.size(); }

 private:
  Puppet& next(bool loader);
  void accept_some();

  // As in the front-end: a child has this process's handlers until it has taken them off.
  common::BlockedSignals blocked_{common::signal_set({SIGTERM, SIGINT, SIGABRT})};
  TemporaryDirectory directory_;
  common::UniqueFd listener_;
  std::list<Puppet> puppets_;
};

}  // namespace yolod::tests
