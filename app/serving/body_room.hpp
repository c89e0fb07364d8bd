// BodyRoom gives request bodies room in the arena. If a body does not fit, its request waits here, and the client's
// bytes wait in the socket. room_policy decides which waiting request gets room next. A body whose API key the
// server has not checked yet needs room in unchecked() first.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>

#include "app/serving/room_policy.hpp"
#include "app/serving/room_wait.hpp"
#include "app/serving/unchecked_room.hpp"
#include "common/clock.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::serving {

// Only the thread of the front-end may call it. It outlives every exchange, and the arena outlives it.
class BodyRoom {
 public:
  BodyRoom(boost::asio::io_context& io, ipc::InputArena& arena);
  BodyRoom(const BodyRoom&) = delete;
  BodyRoom& operator=(const BodyRoom&) = delete;
  ~BodyRoom() { arena_.on_room({}); }

  // Returns a block if there is room now and no waiting request must go first.
  [[nodiscard]] std::optional<ipc::ArenaBlock> try_reserve(std::uint64_t bytes);
  // Waits at most `patience` for room. Returns nothing if there was no room in that time, or after refuse_all() or
  // leave(`waiting`).
  [[nodiscard]] boost::asio::awaitable<std::optional<ipc::ArenaBlock>> reserve(std::uint64_t bytes,
                                                                               std::chrono::milliseconds patience,
                                                                               const void* waiting = nullptr);
  // Ends the wait of the request that called reserve() with `waiting`, if it still waits.
  void leave(const void* waiting);
  // The bytes of other uploads that must be freed to give room to a request that has waited for a while: to the
  // first such request, and to the request that needs least. Both are 0 if no request lacks room.
  struct Shortage {
    std::uint64_t first_bytes{0};
    std::uint64_t least_bytes{0};
  };
  [[nodiscard]] Shortage shortage(common::Clock::time_point now) const;

  // Ends every wait, and refuses every later request.
  void refuse_all();

  [[nodiscard]] UncheckedRoom& unchecked() { return unchecked_; }
  [[nodiscard]] const ipc::InputArena& arena() const { return arena_; }
  // Returns the executor of the event loop.
  [[nodiscard]] boost::asio::io_context::executor_type executor() { return io_.get_executor(); }

 private:
  struct Waiter : RoomWait {
    Waiter(RoomWait wait, std::uint64_t wanted) : RoomWait(std::move(wait)), bytes(wanted) {}
    std::uint64_t bytes;
    std::optional<ipc::ArenaBlock> block{};  // if it has room
  };

  [[nodiscard]] UploadRoom room() const { return {arena_.upload_share_bytes(), arena_.uploading_bytes()}; }
  // Returns a block if there is room for it.
  [[nodiscard]] std::optional<ipc::ArenaBlock> allocate(std::uint64_t bytes);
  [[nodiscard]] bool may_be_passed(const Waiter& waiter) const;
  void serve_waiters_later();
  void serve_waiters();

  boost::asio::io_context& io_;
  ipc::InputArena& arena_;
  UncheckedRoom unchecked_;
  std::list<Waiter> waiters_;     // in the order of arrival
  std::uint64_t given_bytes_{0};  // the bytes of all blocks so far
  LaterTurn later_;
  bool refusing_{false};
};

}  // namespace yolod::app::serving
