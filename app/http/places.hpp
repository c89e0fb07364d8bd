// Tracks the connections of a server, what each of them does, and which connection is evicted (closed to make room
// for another) when there are too many.
//
// A connection can be evicted if no request depends on it, so a server that is full of silent connections still
// serves new clients. Connections are evicted in this order. Within each kind, the connection that has been in its
// occupation for longest is evicted first:
//
//   1. the last answer is sent, and the server only waits for the client to close
//   2. the client has never sent a byte
//   3. the TLS handshake is not complete
//   4. the client has begun a header or declared a body, and sends nothing more
//   5. the connection is idle between two requests
//   6. the WebSocket is idle: all messages are answered
//   7. the body waits for memory in the arena
//   8. the client does not read its answer
//
// A young connection is not evicted, because a client needs some time to send its request.
//
// Above the limit there is a small reserve of places, so that a server that is full of requests still answers health
// checks.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <optional>

#include "app/http/upload_pace.hpp"
#include "common/clock.hpp"

namespace yolod::app::http {

// Connections are evicted in this order. A kBusy connection is never evicted.
enum class Occupation {
  kLingering,
  kSilent,
  kShakingHands,
  kUnfinished,
  kIdle,
  kIdleWebSocket,
  kAwaitingRoom,
  kUnreadAnswer,
  kBusy,
};

// A connection implements this class, which is its entry in Places. The entry is used on the front-end's only
// thread.
class Place : public boost::intrusive::list_base_hook<> {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  [[nodiscard]] Occupation occupation() const { return occupation_; }
  // Returns when the connection began its present occupation.
  [[nodiscard]] common::Clock::time_point since() const { return since_; }
  [[nodiscard]] bool in_reserve() const { return in_reserve_; }

  // Ends the connection and closes its file descriptor. It must not call Places: the entry is removed later.
  virtual void evict() = 0;
  // Ends the connection's wait if it has exceeded a timeout. Returns false if no timeout is exceeded. It must not
  // call Places.
  virtual bool check_deadline(common::Clock::time_point now) = 0;

  // Returns what its upload still costs the bodies that wait for memory (see upload_pace), or nothing if it has no
  // upload or the upload may not be evicted.
  [[nodiscard]] virtual std::optional<UploadCost> upload_cost(common::Clock::time_point /*now*/) const {
    return std::nullopt;
  }
  // Ends the upload because other bodies wait for its memory. REQUIRES: upload_cost() has a value. It must not call
  // Places.
  virtual void evict_upload(common::Clock::time_point /*now*/) {}

 private:
  friend class Places;
  Occupation occupation_{Occupation::kSilent};
  common::Clock::time_point since_;
  bool in_reserve_{false};
  bool evicted_{false};
};

// Holds the places of one kind of listener. Entries must be removed before they are destroyed. The object is used on
// the front-end's only thread.
class Places {
 public:
  static constexpr std::size_t kReserve = 8;
  static constexpr std::size_t kEvictedAtOnce = 32;  // this takes about 0.3 ms
  // The most TLS handshakes that may be in progress at the same time. Each holds some 50 KiB.
  static constexpr std::size_t kMostHandshakes = 512;
  // A connection that has been in this occupation for less time is not evicted.
  [[nodiscard]] static std::chrono::milliseconds least_age(Occupation occupation);

  explicit Places(std::size_t limit) : limit_(limit) {}

  // Sets the most connections that have a regular place. The call ends no connection. evict_excess() does.
  void set_limit(std::size_t limit) { limit_ = limit; }
  // Closes connections above the limit, at most kEvictedAtOnce in a call. The owner calls it again and again, because a
  // connection may be too young to be evicted, or at work.
  void evict_excess(common::Clock::time_point now);

  // Returns whether one more connection has a place, if necessary in the reserve. Evicts a connection if there is no
  // place.
  [[nodiscard]] bool make_space(common::Clock::time_point now);
  // Returns whether one more TLS handshake may begin. It may evict the handshake that began first.
  [[nodiscard]] bool make_space_for_handshake(common::Clock::time_point now);
  // Adds a connection as kSilent. It gets a place in the reserve if the limit is reached and no connection can be
  // evicted. REQUIRES: make_space() was true.
  void add(Place& place, common::Clock::time_point now);
  void remove(Place& place);
  // Sets the occupation and its start. A call with the present occupation makes the connection the youngest of its
  // kind.
  void change(Place& place, Occupation occupation, common::Clock::time_point now);

  // Moves the connection out of the reserve if there is a regular place for it now. Returns true if the connection
  // is not in the reserve afterwards.
  [[nodiscard]] bool leave_reserve(Place& place, common::Clock::time_point now);
  // Returns whether some connection will soon be old enough to be evicted for a connection of the reserve.
  [[nodiscard]] bool may_make_room_soon(common::Clock::time_point now);

  // Counts the connections that have a place. Evicted connections that are about to end do not count.
  [[nodiscard]] std::size_t count() const { return regular_count_ + reserve_count_; }
  [[nodiscard]] std::size_t all_count() const { return all_count_; }

  // Calls check_deadline() of connections that may have exceeded a timeout. Idle and silent connections are sorted
  // by their deadlines, so each call checks only the first of them. It checks the other connections in rounds, at
  // most `most` of them in each call, and returns true at the end of a round.
  [[nodiscard]] bool check_some_deadlines(std::size_t most, common::Clock::time_point now);

  template <typename Visit>
  void for_each(Occupation occupation, const Visit& visit) {
    for (Place& place : list(occupation)) visit(place);
  }

 private:
  using List = boost::intrusive::list<Place, boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t kKinds = 9;

  [[nodiscard]] List& list(Occupation occupation) { return lists_[static_cast<std::size_t>(occupation)]; }
  void unlink(Place& place);
  // Returns the connection to evict next, or null.
  [[nodiscard]] Place* find_evictable(bool also_of_reserve, common::Clock::time_point now);
  bool evict_one(bool also_of_reserve, common::Clock::time_point now);
  void evict(Place& place);

  std::size_t limit_;
  std::size_t all_count_{0};
  std::size_t regular_count_{0};
  std::size_t reserve_count_{0};
  std::size_t handshake_count_{0};
  std::array<List, kKinds> lists_;  // by occupation; the first of each list has been in it for longest
  List evicted_;
  // The round of check_some_deadlines() continues with this connection.
  std::size_t round_kind_{0};
  List::iterator round_next_{lists_[0].begin()};
};

}  // namespace yolod::app::http
