// HashingThread is the only thread that hashes passwords, about 60 in a second. Further passwords wait in a queue.
//
// A request takes a place before it waits for a hash. A log-in takes it before its first query and keeps it to its end,
// so a log-in without a place is refused at once, and a slow database has bounded work. The clients have separate
// places:
//
//   admin      admins who add a person or reset a password
//   known      people who have logged in from the same origin before; nobody has more than kPlacesOfOne of them
//   unknown    all other clients, and known people who have as many places as they may have
//
// Admins and known people are first in the queue. So an attack from other origins keeps neither of them out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "app/accounts/work_queue.hpp"

namespace yolod::app::accounts {

class HashingThread {
 public:
  struct Nothing {};
  enum class Client : std::uint8_t { kAdmin, kKnown, kUnknown };
  static constexpr std::array<std::size_t, 3> kPlaces{8, 32, 32};  // of each kind of client; 32 are half a second
  static constexpr std::size_t kPlacesOfOne = 4;

  // A place, which its destructor gives back. The event loop uses it, while the HashingThread exists.
  class Place {
   public:
    Place(Place&& other) noexcept
        : thread_(std::exchange(other.thread_, nullptr)), client_(other.client_), who_(other.who_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(thread_, other.thread_);
      std::swap(client_, other.client_);
      std::swap(who_, other.who_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (thread_ != nullptr) thread_->give_back(client_, who_);
    }
    [[nodiscard]] WorkRank rank() const { return client_ == Client::kUnknown ? WorkRank::kNormal : WorkRank::kFirst; }

   private:
    friend class HashingThread;
    Place(HashingThread& thread, Client client, std::uint64_t who) : thread_(&thread), client_(client), who_(who) {}

    HashingThread* thread_;
    Client client_;
    std::uint64_t who_;
  };

  explicit HashingThread(Mailbox& mailbox);
  HashingThread(const HashingThread&) = delete;
  HashingThread& operator=(const HashingThread&) = delete;
  // The destructor first finishes the waiting work.
  ~HashingThread();

  // ---- event loop ---- Returns nothing if all places are taken that this client may have. `who` is a number for the
  // name and the origin.
  [[nodiscard]] std::optional<Place> take_place(Client client, std::uint64_t who = 0);
  // The event loop awaits the result. The thread calls `callee(Nothing&)`. The caller keeps the place until then.
  template <typename Callee>
  [[nodiscard]] auto run(Callee& callee, const Place& place) {
    return queue_.run(callee, place.rank());
  }

 private:
  [[nodiscard]] std::size_t& taken(Client client) { return taken_[static_cast<std::size_t>(client)]; }
  void give_back(Client client, std::uint64_t who);
  void work();

  std::array<std::size_t, kPlaces.size()> taken_{};
  std::vector<std::uint64_t> known_;  // who has the places of known people
  WorkQueue<Nothing> queue_;
  std::thread thread_;
};

}  // namespace yolod::app::accounts
