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

// The ranks have separate places. Work of the first rank is done first. After kFirstInARow pieces of it, a piece of the
// other rank is done, so neither rank keeps the other out.
enum class WorkRank { kFirst, kNormal };

// A thread passes its `Context` to each piece of work.
template <typename Context>
class WorkQueue {
 public:
  // A piece of work lives in the frame of the coroutine that awaits it.
  class Work {
   public:
    Work(WorkQueue& queue, WorkRank rank, void (*call)(void*, Context&), void* callee)
        : queue_(queue), rank_(rank), call_(call), callee_(callee) {}
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    // ---- event loop ----
    bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) {
      waiting_ = waiting;
      if (queue_.push(this, rank_)) return true;
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
    const WorkRank rank_;
    void (*call_)(void*, Context&);
    void* callee_;
    std::coroutine_handle<> waiting_{};
    WorkEnd end_{WorkEnd::kDone};
  };

  static constexpr std::size_t kFirstInARow = 4;

  // `most_waiting` is the number of places of each rank.
  WorkQueue(Mailbox& mailbox, std::size_t most_waiting) : mailbox_(mailbox), most_waiting_(most_waiting) {}

  // The event loop calls this; a thread calls `callee`.
  template <typename Callee>
  [[nodiscard]] Work run(Callee& callee, WorkRank rank = WorkRank::kNormal) {
    return Work(
        *this, rank, [](void* called, Context& context) { (*static_cast<Callee*>(called))(context); }, &callee);
  }
  // Returns how many pieces of work still wait for a thread.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return first_.size() + normal_.size();
  }

  // ---- threads ---- Waits for the next piece of work. Returns null after close() or after `timeout`.
  [[nodiscard]] Work* take(std::optional<common::milliseconds> timeout = std::nullopt) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return closed_ || !first_.empty() || !normal_.empty(); };
    if (timeout) {
      came_.wait_for(lock, *timeout, ready);
    } else {
      came_.wait(lock, ready);
    }
    if (first_.empty() && normal_.empty()) return nullptr;
    const bool is_first = !first_.empty() && (normal_.empty() || first_in_a_row_ < kFirstInARow);
    first_in_a_row_ = is_first ? first_in_a_row_ + 1 : 0;
    auto& queue = is_first ? first_ : normal_;
    Work* const next = queue.front();
    queue.pop_front();
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
  bool push(Work* work, WorkRank rank) {
    const std::lock_guard lock(mutex_);
    auto& queue = rank == WorkRank::kFirst ? first_ : normal_;
    if (closed_ || queue.size() >= most_waiting_) return false;
    queue.push_back(work);
    came_.notify_one();
    return true;
  }

  Mailbox& mailbox_;
  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  // The mutex guards all these.
  std::deque<Work*> first_;
  std::deque<Work*> normal_;
  std::size_t first_in_a_row_{0};
  bool closed_{false};
};

}  // namespace yolod::app::accounts
