// Threads that ask the database, each over a connection of its own: as many as there may be connections. A connection
// is made when there is work for it, kept, and made again after it was lost. Those beyond the ones that are to be kept
// are closed when they have had nothing to do for a minute.
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

// Makes a connection, for the thread that calls it; any thread may.
using OpenStore = std::function<common::Outcome<std::unique_ptr<AccountStore>>()>;

struct PoolSize {
  std::size_t kept{1};
  std::size_t most{5};
  std::size_t most_waiting{64};
};

class StorePool {
 public:
  // `on_lost` is called on the event loop when a connection was lost or cannot be had.
  StorePool(Mailbox& mailbox, const PoolSize& size, OpenStore open, std::function<void()> on_lost);
  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;
  // Does what waits first.
  ~StorePool();

  // Event loop: `callee(AccountStore&)` is called on a thread; once more, over another connection, if the first was
  // lost at once, before anything can have been done.
  template <typename Callee>
  [[nodiscard]] auto run(Callee& callee) {
    return queue_.run(callee);
  }

  // How long the work that is under way for longest has taken until now; zero if there is none. Any thread.
  [[nodiscard]] common::Clock::duration longest_work() const;
  // Connections that are open now. Any thread.
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
