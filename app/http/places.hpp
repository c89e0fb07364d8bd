// Which connections there are, what each is doing, and which of them is closed when there are too many.
//
// A connection that no request depends on can be spared: it makes room for a new one. So a server that is full of
// connections that say nothing still serves whoever asks something. Those that can be spared are closed in this order,
// of each kind the one that has been so for longest:
//
//   1. it has its last answer, and the server only waits for the client to close
//   2. it has never sent a byte
//   3. it has begun a header, or declared a body, and sends no more
//   4. it is idle between two requests
//   5. its body waits for room in the arena
//   6. it does not read its answer
//
// A young connection is not closed: a client needs a moment to send what it connected for.
//
// Beyond the limit there is a reserve of a few places, so that a server full of requests can still be asked how it is.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <optional>

#include "app/http/upload_pace.hpp"
#include "common/clock.hpp"

namespace yolod::app::http {

// In the order in which connections can be spared. kBusy cannot.
enum class Occupation { kLingering, kSilent, kUnfinished, kIdle, kAwaitingRoom, kUnreadAnswer, kBusy };

// One connection's entry. Front-end only, its one thread.
class Place : public boost::intrusive::list_base_hook<> {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  [[nodiscard]] Occupation occupation() const { return occupation_; }
  // Since when it has been so occupied.
  [[nodiscard]] common::Clock::time_point since() const { return since_; }
  [[nodiscard]] bool in_reserve() const { return in_reserve_; }

  // Ends the connection and frees its descriptor. Must not call Places: the entry is removed later.
  virtual void give_up_place() = 0;
  // Ends what has taken longer than it may; false if nothing has. Must not call Places either.
  virtual bool check_deadline(common::Clock::time_point now) = 0;

  // What its upload would still cost the bodies that wait for room (upload_pace); nothing if it has none, or if it
  // cannot be asked to give way.
  [[nodiscard]] virtual std::optional<UploadCost> upload_cost(common::Clock::time_point /*now*/) const {
    return std::nullopt;
  }
  // Ends that upload for the sake of others. REQUIRES: upload_cost(). Must not call Places either.
  virtual void give_way(common::Clock::time_point /*now*/) {}

 private:
  friend class Places;
  Occupation occupation_{Occupation::kSilent};
  common::Clock::time_point since_;
  bool in_reserve_{false};
  bool given_up_{false};
};

// Front-end only, its one thread. Entries must be removed before they are destroyed.
class Places {
 public:
  static constexpr std::size_t kReserve = 8;
  // A connection that has been so occupied for less is not closed for another.
  [[nodiscard]] static std::chrono::milliseconds young(Occupation occupation);

  explicit Places(std::size_t limit) : limit_(limit) {}

  // Whether there is a place for one more, if need be in the reserve, or one can be had by giving up a connection.
  [[nodiscard]] bool make_space(common::Clock::time_point now);
  // As kSilent; in the reserve if the limit is reached and nobody can be spared. REQUIRES: make_space() was true.
  void add(Place& place, common::Clock::time_point now);
  void remove(Place& place);
  // Also to the occupation that it has: then it is the youngest of its kind again.
  void change(Place& place, Occupation occupation, common::Clock::time_point now);

  // Takes the connection out of the reserve, if there is a place for it now. True if it is not in the reserve then.
  [[nodiscard]] bool leave_reserve(Place& place, common::Clock::time_point now);
  // Whether a connection will be old enough before long to make room for one of the reserve.
  [[nodiscard]] bool may_make_room_soon(common::Clock::time_point now);

  // Connections that have a place: those that were given up and are about to go do not count.
  [[nodiscard]] std::size_t count() const { return regular_count_ + reserve_count_; }
  [[nodiscard]] std::size_t all_count() const { return all_count_; }

  // Calls check_deadline() of connections that may be late. Those that are idle or silent stand in the order of their
  // deadlines: only the first are looked at. The others have their turn in several calls, `most` of them in each; true
  // at the end of such a round.
  [[nodiscard]] bool check_some_deadlines(std::size_t most, common::Clock::time_point now);

  template <typename Visit>
  void for_each(Occupation occupation, const Visit& visit) {
    for (Place& place : list(occupation)) visit(place);
  }

 private:
  using List = boost::intrusive::list<Place, boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t kKinds = 7;

  [[nodiscard]] List& list(Occupation occupation) { return lists_[static_cast<std::size_t>(occupation)]; }
  void unlink(Place& place);
  // The first that can be spared, or null.
  [[nodiscard]] Place* spare_one(bool also_of_reserve, common::Clock::time_point now);
  bool give_one_up(bool also_of_reserve, common::Clock::time_point now);

  std::size_t limit_;
  std::size_t all_count_{0};
  std::size_t regular_count_{0};
  std::size_t reserve_count_{0};
  std::array<List, kKinds> lists_;  // by occupation; in each the one that has been so for longest is the first
  List given_up_;
  // Where the round of check_some_deadlines() goes on.
  std::size_t round_kind_{0};
  List::iterator round_next_{lists_[0].begin()};
};

}  // namespace yolod::app::http
