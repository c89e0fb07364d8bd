// StorePool has threads that use the database, each with its own connection. A thread connects when it has work, and
// again after it has lost its connection. The threads after the first `kept` close a connection that was idle for a
// minute.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "app/accounts/account_store.hpp"
#include "app/accounts/work_queue.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

// Makes a connection for the calling thread. Any thread may call it.
using OpenStore = std::function<common::Outcome<std::unique_ptr<AccountStore>>()>;

struct PoolSize {
  std::size_t kept{1};
  std::size_t most{5};
  std::size_t most_waiting{64};  // of each rank
};

class StorePool {
 public:
  // The pool calls `on_lost` on the event loop when it has lost a connection or fails to connect.
  StorePool(Mailbox& mailbox, const PoolSize& size, OpenStore open, std::function<void()> on_lost);
  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;
  // The destructor first finishes the waiting work.
  ~StorePool();

  // The event loop awaits the result. The pool has a thread call `callee(AccountStore&)`. It calls it once more over
  // another connection if the first connection failed at once and the database cannot have made the change.
  template <typename Callee>
  [[nodiscard]] auto run(Callee& callee, WorkRank rank = WorkRank::kNormal) {
    return queue_.run(callee, rank);
  }

  // Returns the time that the oldest unfinished work has taken, or zero. Any thread may call it.
  [[nodiscard]] common::Clock::duration longest_work() const;
  // Returns the number of open connections. Any thread may call it.
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  struct Member {
    std::thread thread;
    std::atomic<common::Clock::rep> began{0};  // 0: idle
  };
  void work(Member& member, bool kept);
  void do_work(WorkQueue<AccountStore>::Work& work, std::unique_ptr<AccountStore>& store);
  bool open(std::unique_ptr<AccountStore>& store);
  void close(std::unique_ptr<AccountStore>& store);

  Mailbox& mailbox_;
  OpenStore open_;
  std::function<void()> on_lost_;
  WorkQueue<AccountStore> queue_;
  std::atomic<std::size_t> connections_{0};
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace yolod::app::accounts
