// Mailbox passes functions from other threads to the event loop, which calls them in the order of their arrival.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "common/unique_fd.hpp"

namespace yolod::app::accounts {

class Mailbox {
 public:
  Mailbox();

  // Any thread may call this. The number of letters is bounded, because each piece of work posts once or twice.
  void post(std::function<void()> letter);

  // ---- event loop ---- The descriptor is readable while a letter waits.
  [[nodiscard]] int descriptor() const { return event_.get(); }
  // Calls the functions that have arrived. Returns false if there were none.
  bool open();

 private:
  common::UniqueFd event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> letters_;  // guarded by mutex_
};

}  // namespace yolod::app::accounts
