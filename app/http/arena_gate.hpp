// Room for bodies, first come first served: a session whose body does not fit waits here, unread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>

#include "ipc/input_arena.hpp"

namespace yolod::app {

// Front-end only, its one thread. Outlives every session; the arena outlives it.
class ArenaGate {
 public:
  ArenaGate(boost::asio::io_context& io, ipc::InputArena& arena);
  ArenaGate(const ArenaGate&) = delete;
  ArenaGate& operator=(const ArenaGate&) = delete;
  ~ArenaGate() { arena_.on_room({}); }

  // A block, if there is room now and nobody waits for some.
  [[nodiscard]] std::optional<ipc::ArenaBlock> try_reserve(std::uint64_t bytes);
  // A block, or nothing if there was no room within `patience`, or refuse_all() was called.
  [[nodiscard]] boost::asio::awaitable<std::optional<ipc::ArenaBlock>> reserve(std::uint64_t bytes,
                                                                               std::chrono::milliseconds patience);
  // Ends every wait, now and later.
  void refuse_all();

  [[nodiscard]] const ipc::InputArena& arena() const { return arena_; }

 private:
  struct Waiter {
    std::uint64_t bytes;
    boost::asio::steady_timer timer;
    std::optional<ipc::ArenaBlock> block;
  };
  void serve_waiters();

  boost::asio::io_context& io_;
  ipc::InputArena& arena_;
  std::list<Waiter> waiters_;
  bool scheduled_{false};
  bool refusing_{false};
};

}  // namespace yolod::app
