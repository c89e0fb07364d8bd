// WorkQueue passes blocking work to threads: hashing and the database. The event loop waits for it without blocking:
//
//   auto work = [&](AccountStore& store) { status = store.find_person(name, person); };
//   const WorkEnd end = co_await store_pool.run(work);
//
// `work` and its captures live in the frame of the coroutine until the coroutine continues.
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
  kBusy,         // too much work waits; nothing was done
  kUnavailable,  // there is no connection; nothing was done
};

// A thread passes its `Context` to each piece of work.
template <typename Context>
class WorkQueue {
 public:
  // A piece of work lives in the frame of the coroutine that awaits it.
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
    // After this call the thread must not use the work.
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

  // The event loop calls this; a thread calls `callee`.
  template <typename Callee>
  [[nodiscard]] Work run(Callee& callee) {
    return Work(
        *this, [](void* called, Context& context) { (*static_cast<Callee*>(called))(context); }, &callee);
  }
  // Returns how many pieces of work still wait for a thread.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

  // ---- threads ---- Waits for the next piece of work. Returns null after close() or after `timeout`.
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
  // The threads finish the waiting work and end.
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
