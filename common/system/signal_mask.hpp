// Blocks signals for a scope. Only the thread that made the object may use it. The destructor restores the previous
// mask, unless keep() was called.
#pragma once

#include <csignal>
#include <initializer_list>

namespace yolod::common {

[[nodiscard]] inline sigset_t signal_set(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

class BlockedSignals {
 public:
  explicit BlockedSignals(const sigset_t& signals) { pthread_sigmask(SIG_BLOCK, &signals, &previous_); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() {
    if (!kept_) pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  }
  void keep() { kept_ = true; }

 private:
  bool kept_{false};
  sigset_t previous_{};
};

}  // namespace yolod::common
