// HashingThread is the only thread that hashes passwords, about 60 in a second. Further passwords wait in a bounded
// queue. People who have logged in from the same origin before are first there, and have separate places. So an attack
// from other origins does not keep them out.
#pragma once

#include <cstddef>
#include <thread>

#include "app/accounts/work_queue.hpp"

namespace yolod::app::accounts {

class HashingThread {
 public:
  struct Nothing {};
  static constexpr std::size_t kMostWaiting = 32;  // of each rank; half a second of work

  explicit HashingThread(Mailbox& mailbox, std::size_t most_waiting = kMostWaiting);
  HashingThread(const HashingThread&) = delete;
  HashingThread& operator=(const HashingThread&) = delete;
  // The destructor first finishes the waiting work.
  ~HashingThread();

  // The event loop awaits the result. The thread calls `callee(Nothing&)`.
  template <typename Callee>
  [[nodiscard]] auto run(Callee& callee, WorkRank rank = WorkRank::kNormal) {
    return queue_.run(callee, rank);
  }
  [[nodiscard]] std::size_t waiting() const { return queue_.waiting(); }

 private:
  void work();

  WorkQueue<Nothing> queue_;
  std::thread thread_;
};

}  // namespace yolod::app::accounts
