// What other threads tell the event loop: functions, which it calls in the order in which they were posted.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "common/unique_fd.hpp"

namespace yolod::app::accounts {

class Mailbox {
 public:
  Mailbox();

  // Any thread. Bounded by what is under way: each piece of work posts once, and the watcher waits for nobody to post.
  void post(std::function<void()> letter);

  // ---- event loop ----
  // Readable while there is something to open.
  [[nodiscard]] int descriptor() const { return event_.get(); }
  // Calls what was posted until now. False if that was nothing.
  bool open();

 private:
  common::UniqueFd event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> letters_;  // guarded by mutex_
};

}  // namespace yolod::app::accounts
