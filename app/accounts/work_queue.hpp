// Work that blocks, on threads of its own: hashing on one, the database on a few. The event loop awaits it:
//
//   auto work = [&](AccountStore& store) { status = store.find_person(name, person); };
//   const WorkEnd end = co_await store_pool.run(work);
//
// `work` and what it refers to live in the coroutine's frame until it goes on.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

#include "app/accounts/mailbox.hpp"
#include "common/clock.hpp"

namespace yolod::app::accounts {

enum class WorkEnd {
  kDone,
  kBusy,         // too much waits already; nothing was done
  kUnavailable,  // there is no connection to do it with; nothing was done
};

// `Context` is what a thread hands to each piece of its work.
template <typename Context>
class WorkQueue {
 public:
  // Lives in the frame of the coroutine that awaits it.
  class Work {
   public:
    Work(WorkQueue& queue, void (*call)(void*, Context&), void* callee) : queue_(queue), call_(call), callee_(callee) {}
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    // ---- event loop ----
    bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) {
      waiting_ = waiting;
      if (queue_.push(this)) return true;
      end_ = WorkEnd::kBusy;
      return false;
    }
    WorkEnd await_resume() noexcept { return end_; }

    // ---- the thread that does it ----
    void perform(Context& context) { call_(callee_, context); }
    // The last that the thread does with it.
    void finish(WorkEnd end) {
      end_ = end;
      queue_.mailbox_.post([waiting = waiting_] { waiting.resume(); });
    }

   private:
    WorkQueue& queue_;
    void (*call_)(void*, Context&);
    void* callee_;
    std::coroutine_handle<> waiting_{};
    WorkEnd end_{WorkEnd::kDone};
  };

  WorkQueue(Mailbox& mailbox, std::size_t most_waiting) : mailbox_(mailbox), most_waiting_(most_waiting) {}

  // Event loop. `callee` is called on a thread.
  template <typename Callee>
  [[nodiscard]] Work run(Callee& callee) {
    return Work(
        *this, [](void* called, Context& context) { (*static_cast<Callee*>(called))(context); }, &callee);
  }
  // How many pieces of work no thread has taken yet.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

  // ---- threads ----
  // The next piece of work, once there is one; null after close(). `timeout`: null also where none comes in time.
  [[nodiscard]] Work* take(std::optional<common::milliseconds> timeout = std::nullopt) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return closed_ || !queue_.empty(); };
    if (timeout) {
      came_.wait_for(lock, *timeout, ready);
    } else {
      came_.wait(lock, ready);
    }
    if (queue_.empty()) return nullptr;
    Work* const next = queue_.front();
    queue_.pop_front();
    return next;
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  // Threads do what waits, and then end.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    came_.notify_all();
  }

 private:
  bool push(Work* work) {
    const std::lock_guard lock(mutex_);
    if (closed_ || queue_.size() >= most_waiting_) return false;
    queue_.push_back(work);
    came_.notify_one();
    return true;
  }

  Mailbox& mailbox_;
  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Work*> queue_;  // guarded by mutex_
  bool closed_{false};       // guarded by mutex_
};

}  // namespace yolod::app::accounts
