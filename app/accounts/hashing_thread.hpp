// HashingThread is the only thread that hashes passwords, about 60 in a second. Further passwords wait in a queue.
//
// A request takes a place before it does anything else, and keeps it until its password is hashed. So requests beyond
// the places are refused at once, and cost no query. Admins, and people who have logged in from the same origin before,
// have separate places and are first in the queue. So an attack from other origins does not keep them out.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

#include "app/accounts/work_queue.hpp"

namespace yolod::app::accounts {

class HashingThread {
 public:
  struct Nothing {};
  // A place of one rank, which its destructor gives back. The event loop uses it, while the HashingThread exists.
  class Place {
   public:
    Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)), rank_(other.rank_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(taken_, other.taken_);
      std::swap(rank_, other.rank_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (taken_ != nullptr) --*taken_;
    }
    [[nodiscard]] WorkRank rank() const { return rank_; }

   private:
    friend class HashingThread;
    Place(std::size_t& taken, WorkRank rank) : taken_(&taken), rank_(rank) { ++*taken_; }

    std::size_t* taken_;
    WorkRank rank_;
  };
  static constexpr std::size_t kPlaces = 32;  // of each rank; half a second of work

  explicit HashingThread(Mailbox& mailbox);
  HashingThread(const HashingThread&) = delete;
  HashingThread& operator=(const HashingThread&) = delete;
  // The destructor first finishes the waiting work.
  ~HashingThread();

  // ---- event loop ---- Returns nothing if all places of the rank are taken.
  [[nodiscard]] std::optional<Place> take_place(WorkRank rank);
  // The event loop awaits the result. The thread calls `callee(Nothing&)`. The place is kept until then.
  template <typename Callee>
  [[nodiscard]] auto run(Callee& callee, const Place& place) {
    return queue_.run(callee, place.rank());
  }

 private:
  void work();

  std::array<std::size_t, 2> taken_{};  // places of each rank
  WorkQueue<Nothing> queue_;
  std::thread thread_;
};

}  // namespace yolod::app::accounts
