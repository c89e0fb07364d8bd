// An UncheckedRoom bounds the memory of bodies whose API key the server has not checked yet. Together these bodies
// hold at most a quarter of the memory for unfinished bodies, and each network holds at most half of that. Both bounds
// are at least as large as the largest body. A body above these bounds waits.
//
// Freed memory goes to the network that holds the least, and then to the network that has got none for longest. So a
// client without a key cannot keep other networks out. The server evicts slow uploads for bodies that wait, and
// shortage() says how much memory they need.
//
// The owner of a body owns a Hold, which counts the body. Only the front-end's thread may use this class. It outlives
// every Hold and every wait.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

#include "app/serving/room_policy.hpp"
#include "app/serving/room_wait.hpp"
#include "common/clock.hpp"

namespace yolod::app::serving {

class UncheckedRoom {
 private:
  struct Account {
    std::uint64_t bytes{0};
    std::size_t holds{0};
    std::uint64_t last_given{0};  // the number of the last wait that ended with memory; 0: none
  };
  using Accounts = std::unordered_map<std::uint64_t, Account>;

 public:
  // A hash of the client's network. Networks with equal hashes share the bound of one network.
  using Network = std::uint64_t;

  // Counts one body of a network.
  class Hold {
   public:
    Hold(UncheckedRoom& room, Network network);
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    // REQUIRES: no await_hold() waits with this object.
    ~Hold();

    // Frees the memory that it counts.
    void clear() { room_.change(*this, 0); }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    // Returns whether its upload may be evicted for the body that shortage() is about.
    [[nodiscard]] bool may_be_evicted() const;

   private:
    friend class UncheckedRoom;
    UncheckedRoom& room_;
    Accounts::value_type& account_;
    std::uint64_t bytes_{0};
  };

  // `share_bytes` is the memory for all unfinished bodies.
  UncheckedRoom(boost::asio::io_context& io, std::uint64_t share_bytes)
      : io_(io), share_bytes_(share_bytes), later_(io, [this] { serve(); }) {}
  UncheckedRoom(const UncheckedRoom&) = delete;
  UncheckedRoom& operator=(const UncheckedRoom&) = delete;
  ~UncheckedRoom() = default;

  // Makes `hold` count `bytes` instead of its present number, if the bounds allow it and no waiting body must go
  // first. `largest_bytes` is the largest body that the server accepts. Otherwise it changes nothing and returns false.
  [[nodiscard]] bool try_hold(Hold& hold, std::uint64_t bytes, std::uint64_t largest_bytes);
  // Waits at most `patience` for the same, and returns false if it was not possible in that time, or after
  // leave(`waiting`) or refuse_all(). The caller keeps `hold` where it is until then.
  [[nodiscard]] boost::asio::awaitable<bool> await_hold(Hold& hold, std::uint64_t bytes, std::uint64_t largest_bytes,
                                                        std::chrono::milliseconds patience,
                                                        const void* waiting = nullptr);
  // Ends the wait of the request that called await_hold() with `waiting`, if it still waits.
  void leave(const void* waiting);
  // Ends every wait, and refuses every later body.
  void refuse_all();

  // Returns the bytes of unchecked bodies that must be freed for all bodies that have waited for a while, and for the
  // body among them that is next. Both are 0 if no body lacks room. It also decides which uploads may be evicted for
  // them (Hold::may_be_evicted()): the uploads of each network that holds at least as much as the network of the next
  // body. If that network itself holds too much, only its own uploads may be evicted.
  struct Shortage {
    std::uint64_t all_bytes{0};
    std::uint64_t next_bytes{0};
  };
  [[nodiscard]] Shortage shortage(common::Clock::time_point now);

  [[nodiscard]] std::uint64_t held_bytes() const { return held_bytes_; }

 private:
  struct Waiter : RoomWait {
    Waiter(RoomWait wait, Hold& of, std::uint64_t wanted, std::uint64_t largest)
        : RoomWait(std::move(wait)), hold(of), bytes(wanted), largest_bytes(largest) {}
    Hold& hold;
    std::uint64_t bytes;
    std::uint64_t largest_bytes;
  };

  // The bound of all bodies together. The largest body that the server accepts fits.
  [[nodiscard]] std::uint64_t bound_bytes(std::uint64_t largest_bytes) const;
  // Returns how many bytes its network, or all networks together, must free before `hold` can count `bytes`.
  [[nodiscard]] std::uint64_t missing_in_network(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const;
  [[nodiscard]] std::uint64_t missing_in_all(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const;
  [[nodiscard]] bool fits(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const;
  [[nodiscard]] bool may_be_passed(const Waiter& waiter) const;
  [[nodiscard]] static bool holds_less(const Waiter& waiter, const Hold& other);
  // Returns whether `waiter` gets memory before `other`, which has waited longer.
  [[nodiscard]] static bool goes_first(const Waiter& waiter, const Waiter& other);
  void change(Hold& hold, std::uint64_t bytes);
  // Returns how much the network holds that holds the least, of those with a body that waits for memory of all bodies
  // together. Returns UINT64_MAX without such a body.
  [[nodiscard]] std::uint64_t least_held_by_needy() const;
  // Returns the body that gets memory next, or null.
  [[nodiscard]] Waiter* next_to_serve();
  // Returns the body that lacks memory and is next, of those that have waited since `latest`, or null.
  [[nodiscard]] const Waiter* next_in_need(common::Clock::time_point latest) const;
  void serve_later();
  void serve();

  boost::asio::io_context& io_;
  const std::uint64_t share_bytes_;
  Accounts accounts_;             // of the networks that have a Hold
  std::uint64_t held_bytes_{0};   // by all networks
  std::uint64_t given_bytes_{0};  // all bytes that were ever given
  std::uint64_t given_count_{0};  // the waits that ended with memory
  std::list<Waiter> waiters_;     // in the order of arrival
  // shortage() sets the rule of Hold::may_be_evicted(): the uploads of this network, or of each network that holds at
  // least so much.
  const Account* yielding_{nullptr};
  std::uint64_t yielding_from_bytes_{0};
  LaterTurn later_;
  bool refusing_{false};
};

}  // namespace yolod::app::serving
