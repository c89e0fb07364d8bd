// The test's side of tests/support/puppet_worker: the front-end's own code starts these processes, and they obey the
// test. Use from one thread.
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
    bool is_taken{false};  // next_loader() or next_worker() has returned it
  };

  // Throws std::system_error if the socket cannot be made. Makes this process a subreaper, as the front-end is.
  Puppets();

  [[nodiscard]] static std::string program();
  // The path for IdentitySource::loader_probe.
  [[nodiscard]] std::string path() const { return (directory_.path() / "puppets.sock").string(); }

  // The functions below call this while they wait, to run the event loop and reap children.
  std::function<void()> turn;
  // If false, every process that is started serves without commands.
  bool by_hand{true};

  // Calls `turn` until `done` is true. Returns false after 10 s.
  [[nodiscard]] bool wait_until(const std::function<bool()>& done);
  // Calls `turn` for that time.
  void wait_for(std::chrono::milliseconds time);
  // Returns the next process of that kind that has been started or will be. Throws after 10 s.
  Puppet& next_loader() { return next(true); }
  Puppet& next_worker() { return next(false); }
  // Sends the command and waits until the process confirms it. Throws after 10 s. Does not wait for exit, signal,
  // fork and serve.
  void tell(Puppet& puppet, const std::string& command);
  [[nodiscard]] std::size_t started_count() const { return puppets_.size(); }

 private:
  Puppet& next(bool loader);
  void accept_some();

  // A child has this process's signal handlers until it removes them, as in the front-end.
  common::BlockedSignals blocked_{common::signal_set({SIGTERM, SIGINT, SIGABRT})};
  TemporaryDirectory directory_;
  common::UniqueFd listener_;
  std::list<Puppet> puppets_;
};

}  // namespace yolod::tests
