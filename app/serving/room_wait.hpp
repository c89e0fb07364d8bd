// A RoomWait is one request that waits for memory. BodyRoom and UncheckedRoom keep such requests in lists, in the order
// of arrival, and decide which request gets memory next. The rooms derive their own kinds of requests from RoomWait.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "common/clock.hpp"

namespace yolod::app::serving {

// Only the thread of the event loop may use it. It stays where it is while until_served() runs.
class RoomWait {
 public:
  // The wait takes at most `patience`. `who` identifies the request for leave(), and may be null. `given_bytes` are the
  // bytes that the room has given to all requests so far.
  RoomWait(boost::asio::io_context& io, std::chrono::milliseconds patience, const void* who, std::uint64_t given_bytes);

  // Returns after give() or end(), or when the time is over.
  boost::asio::awaitable<void> until_served();

  // Returns whether the request lacks memory and still wants it. Otherwise it will soon be resumed.
  [[nodiscard]] bool is_waiting() const { return !has_room_ && !ended_; }
  [[nodiscard]] bool has_room() const { return has_room_; }
  [[nodiscard]] common::Clock::time_point since() const { return since_; }
  [[nodiscard]] std::uint64_t given_before() const { return given_before_; }

  // Ends the wait with memory, which the room has given before.
  void give();
  // Ends the wait without memory, unless it already has some.
  void end();

  // Ends the first wait of the request `who` in this list.
  template <typename Waits>
  static void leave(Waits& waits, const void* who) {
    for (RoomWait& wait : waits) {
      if (wait.who_ != who || wait.has_room_) continue;
      wait.end();
      return;
    }
  }

 private:
  common::Clock::time_point since_;
  common::Clock::time_point until_;
  boost::asio::steady_timer timer_;
  const void* who_;
  std::uint64_t given_before_;
  bool has_room_{false};
  bool ended_{false};
};

// Calls a function in a later turn of the event loop, once for all calls of request() before that turn. A room uses it
// because the caller that frees memory may be in the middle of an operation. It outlives the event loop's last turn.
class LaterTurn {
 public:
  LaterTurn(boost::asio::io_context& io, std::function<void()> work) : io_(io), work_(std::move(work)) {}
  LaterTurn(const LaterTurn&) = delete;
  LaterTurn& operator=(const LaterTurn&) = delete;
  ~LaterTurn() = default;

  void request();

 private:
  boost::asio::io_context& io_;
  std::function<void()> work_;
  bool requested_{false};
};

}  // namespace yolod::app::serving
