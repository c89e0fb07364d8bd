// Room for bodies: a request whose body does not fit waits here, and its client's bytes wait in the socket. room_policy
// says which one is served next.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>

#include "app/serving/room_policy.hpp"
#include "common/clock.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::serving {

// Front-end only, its one thread. Outlives every exchange; the arena outlives it.
class BodyRoom {
 public:
  BodyRoom(boost::asio::io_context& io, ipc::InputArena& arena);
  BodyRoom(const BodyRoom&) = delete;
  BodyRoom& operator=(const BodyRoom&) = delete;
  ~BodyRoom() { arena_.on_room({}); }

  // A block, if there is room now and nobody waits who must not be passed.
  [[nodiscard]] std::optional<ipc::ArenaBlock> try_reserve(std::uint64_t bytes);
  // A block, or nothing if there was no room within `patience`, or refuse_all() or leave(`waiting`) was called.
  [[nodiscard]] boost::asio::awaitable<std::optional<ipc::ArenaBlock>> reserve(std::uint64_t bytes,
                                                                               std::chrono::milliseconds patience,
                                                                               const void* waiting = nullptr);
  // Ends the wait of that one, if it waits.
  void leave(const void* waiting);
  // How many bytes of other uploads would have to go so that a waiter can be served, of those that have waited for a
  // while: the first of them, and the one that needs least. 0 where there is none, or where room is not what it lacks.
  struct Shortage {
    std::uint64_t first_bytes{0};
    std::uint64_t least_bytes{0};
  };
  [[nodiscard]] Shortage shortage(common::Clock::time_point now) const;

  // Ends every wait, now and later.
  void refuse_all();

  [[nodiscard]] const ipc::InputArena& arena() const { return arena_; }

 private:
  struct Waiter {
    std::uint64_t bytes;
    common::Clock::time_point since;
    boost::asio::steady_timer timer;
    std::optional<ipc::ArenaBlock> block;
    std::uint64_t given_before;  // given_bytes_ when it came
    const void* who{nullptr};
    bool left{false};
  };

  [[nodiscard]] UploadRoom room() const { return {arena_.upload_share_bytes(), arena_.uploading_bytes()}; }
  // A block, if there is room for it.
  [[nodiscard]] std::optional<ipc::ArenaBlock> allocate(std::uint64_t bytes);
  [[nodiscard]] bool may_be_passed(const Waiter& waiter) const;
  void serve_waiters_later();
  void serve_waiters();

  boost::asio::io_context& io_;
  ipc::InputArena& arena_;
  std::list<Waiter> waiters_;     // in the order in which they came
  std::uint64_t given_bytes_{0};  // in all blocks so far
  bool scheduled_{false};
  bool refusing_{false};
};

}  // namespace yolod::app::serving
