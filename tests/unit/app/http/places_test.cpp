#include "app/http/places.hpp"

#include <catch2/catch.hpp>
#include <list>
#include <vector>

namespace yolod::app::http {
namespace {

using namespace std::chrono_literals;
using common::Clock;

constexpr auto kReserve = Places::kReserve;

// A test sets what these connections do and moves their clock.
struct Door {
  struct Connection final : Place {
    explicit Connection(std::vector<Connection*>& given_up) : order(given_up) {}
    void evict() override { order.push_back(this); }
    bool check_deadline(Clock::time_point) override {
      ++checks;
      return late;
    }
    std::vector<Connection*>& order;
    bool late{false};
    int checks{0};
  };

  explicit Door(std::size_t limit) : places(limit) {}
  ~Door() {
    for (auto& connection : connections) places.remove(connection);
  }

  Connection& connect(Occupation occupation = Occupation::kSilent) {
    REQUIRE(places.make_space(now));
    Connection& connection = connections.emplace_back(given_up);
    places.add(connection, now);
    if (occupation != Occupation::kSilent) places.change(connection, occupation, now);
    now += 1ms;
    return connection;
  }
  // Ends the evicted connections.
  void settle() {
    for (const Connection* gone : given_up) {
      places.remove(const_cast<Connection&>(*gone));
      connections.remove_if([gone](const Connection& one) { return &one == gone; });
    }
    given_up.clear();
  }
  bool leaves_reserve(Connection& connection) { return places.leave_reserve(connection, now); }

  Clock::time_point now{1h};
  std::vector<Connection*> given_up;
  Places places;
  std::list<Connection> connections;
};

using GivenUp = std::vector<Door::Connection*>;

TEST_CASE("Places: up to the limit no connection is evicted", "[app][unit]") {
  Door door(3);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(door.connect().in_reserve());
    door.now += 1h;
  }
  CHECK(door.given_up.empty());
  CHECK(door.places.count() == 3);
}

TEST_CASE("Places: connections above a lower limit are evicted, some at a time", "[app][unit]") {
  constexpr std::size_t kMany = Places::kEvictedAtOnce + 4;
  Door door(kMany);
  for (std::size_t i = 0; i < kMany; ++i) door.connect(Occupation::kIdle);
  door.places.set_limit(2);
  CHECK(door.places.count() == kMany);
  door.now += 1h;
  door.places.evict_excess(door.now);
  CHECK(door.places.count() == 4);
  door.places.evict_excess(door.now);
  CHECK(door.places.count() == 2);
  door.places.evict_excess(door.now);
  CHECK(door.places.count() == 2);
  door.settle();
  door.places.set_limit(3);
  CHECK_FALSE(door.connect(Occupation::kIdle).in_reserve());
  CHECK(door.places.count() == 3);
}

TEST_CASE("Places: a connection at work is not evicted by a lower limit", "[app][unit]") {
  Door door(2);
  door.connect(Occupation::kBusy);
  door.connect(Occupation::kBusy);
  door.places.set_limit(1);
  door.now += 1h;
  door.places.evict_excess(door.now);
  CHECK(door.places.count() == 2);
}

TEST_CASE("Places: at the limit the connection with the longest silence is evicted", "[app][unit]") {
  Door door(3);
  auto& first = door.connect();
  auto& second = door.connect();
  door.connect();
  door.now += 1s;
  CHECK_FALSE(door.connect().in_reserve());
  CHECK(door.given_up == GivenUp{&first});
  CHECK_FALSE(door.connect().in_reserve());
  CHECK(door.given_up == GivenUp{&first, &second});
  CHECK(door.places.count() == 3);
  CHECK(door.places.all_count() == 5);
  door.settle();
  CHECK(door.places.all_count() == 3);
}

TEST_CASE("Places: the least busy connection is evicted first, whatever its age", "[app][unit]") {
  Door door(7);
  auto& busy = door.connect(Occupation::kBusy);
  auto& unread = door.connect(Occupation::kUnreadAnswer);
  auto& awaiting = door.connect(Occupation::kAwaitingRoom);
  auto& idle = door.connect(Occupation::kIdle);
  auto& unfinished = door.connect(Occupation::kUnfinished);
  auto& silent = door.connect(Occupation::kSilent);
  auto& lingering = door.connect(Occupation::kLingering);
  door.now += 1h;
  for (int i = 0; i < 6; ++i) door.connect(Occupation::kBusy);
  CHECK(door.given_up == GivenUp{&lingering, &silent, &unfinished, &idle, &awaiting, &unread});
  CHECK_FALSE(busy.in_reserve());
  CHECK(door.connect().in_reserve());
}

TEST_CASE("Places: an evicted connection cannot leave the reserve, and its place is counted once", "[app][unit]") {
  Door door(1);
  door.connect(Occupation::kBusy);
  auto& reserved = door.connect(Occupation::kUnfinished);
  REQUIRE(reserved.in_reserve());
  for (std::size_t i = 1; i < Places::kReserve; ++i) door.connect(Occupation::kBusy);
  door.now += 1h;
  REQUIRE(door.places.make_space(door.now));
  REQUIRE(door.given_up == GivenUp{&reserved});
  CHECK(door.places.count() == Places::kReserve);
  CHECK_FALSE(door.places.leave_reserve(reserved, door.now));
  CHECK(door.places.count() == Places::kReserve);
  door.settle();
  CHECK(door.places.count() == Places::kReserve);
}

TEST_CASE("Places: a young connection is not evicted", "[app][unit]") {
  const auto occupation = GENERATE(Occupation::kLingering, Occupation::kSilent, Occupation::kUnfinished,
                                   Occupation::kIdle, Occupation::kAwaitingRoom, Occupation::kUnreadAnswer);
  Door door(1);
  auto& old = door.connect(occupation);
  const auto connected = door.now - 1ms;
  door.now = connected + Places::least_age(occupation) - 1ms;
  CHECK(door.connect(Occupation::kBusy).in_reserve());
  CHECK(door.given_up.empty());
  door.now = connected + Places::least_age(occupation);
  CHECK_FALSE(door.connect(Occupation::kBusy).in_reserve());
  CHECK(door.given_up == GivenUp{&old});
}

TEST_CASE("Places: a change makes a connection the youngest of its kind", "[app][unit]") {
  Door door(2);
  auto& first = door.connect(Occupation::kIdle);
  auto& second = door.connect(Occupation::kIdle);
  door.places.change(first, Occupation::kIdle, door.now);
  door.now += 1h;
  door.connect();
  CHECK(door.given_up == GivenUp{&second});
}

TEST_CASE("Places: if all connections are busy the reserve accepts a few, and then none", "[app][unit]") {
  Door door(2);
  for (int i = 0; i < 2; ++i) door.connect(Occupation::kBusy);
  door.now += 1h;
  for (std::size_t i = 0; i < kReserve; ++i) CHECK(door.connect(Occupation::kBusy).in_reserve());
  CHECK_FALSE(door.places.make_space(door.now));
  CHECK(door.given_up.empty());
}

TEST_CASE("Places: a silent connection in the reserve makes room in the reserve", "[app][unit]") {
  Door door(1);
  door.connect(Occupation::kBusy);
  auto& first = door.connect();
  for (std::size_t i = 1; i < kReserve; ++i) door.connect();
  CHECK_FALSE(door.places.make_space(door.now));
  door.now += 1s;
  CHECK(door.places.make_space(door.now));
  CHECK(door.given_up == GivenUp{&first});
  CHECK(door.connect().in_reserve());
}

TEST_CASE("Places: a connection leaves the reserve when another connection ends", "[app][unit]") {
  Door door(1);
  auto& regular = door.connect(Occupation::kBusy);
  auto& waiting = door.connect(Occupation::kBusy);
  REQUIRE(waiting.in_reserve());
  CHECK_FALSE(door.leaves_reserve(waiting));
  CHECK_FALSE(door.places.may_make_room_soon(door.now));
  regular.evict();  // takes the place of its end
  door.settle();
  CHECK(door.leaves_reserve(waiting));
  CHECK_FALSE(waiting.in_reserve());
  CHECK(door.leaves_reserve(waiting));
}

TEST_CASE("Places: a connection leaves the reserve when another can be evicted, and this can be foreseen",
          "[app][unit]") {
  Door door(1);
  auto& silent = door.connect();
  auto& waiting = door.connect(Occupation::kBusy);
  REQUIRE(waiting.in_reserve());
  CHECK_FALSE(door.leaves_reserve(waiting));
  CHECK(door.places.may_make_room_soon(door.now));
  door.now += Places::least_age(Occupation::kSilent);
  CHECK(door.leaves_reserve(waiting));
  CHECK(door.given_up == GivenUp{&silent});
  CHECK(door.places.count() == 1);
}

TEST_CASE("Places: one free place lets only one connection leave the reserve", "[app][unit]") {
  Door door(2);
  door.connect(Occupation::kBusy);
  door.connect();
  auto& first = door.connect(Occupation::kBusy);
  auto& second = door.connect(Occupation::kBusy);
  door.now += 1s;
  CHECK(door.leaves_reserve(first));
  CHECK_FALSE(door.leaves_reserve(second));
}

TEST_CASE("Places: an evicted connection changes no more", "[app][unit]") {
  Door door(1);
  auto& old = door.connect();
  door.now += 1s;
  door.connect(Occupation::kBusy);
  REQUIRE(door.given_up == GivenUp{&old});
  door.places.change(old, Occupation::kLingering, door.now);
  door.now += 1h;
  CHECK(door.connect(Occupation::kBusy).in_reserve());
  CHECK(door.given_up == GivenUp{&old});
}

TEST_CASE("Places: several calls check the deadlines of all connections that are not idle", "[app][unit]") {
  Door door(100);
  std::vector<Door::Connection*> checked;
  for (int i = 0; i < 10; ++i) {
    for (const auto occupation : {Occupation::kBusy, Occupation::kLingering, Occupation::kUnfinished}) {
      checked.push_back(&door.connect(occupation));
    }
  }
  for (int round = 1; round <= 3; ++round) {
    int calls = 1;
    while (!door.places.check_some_deadlines(7, door.now)) ++calls;
    CHECK(calls <= 6);
    for (const auto* connection : checked) CHECK(connection->checks >= round - 1);
  }
  for (const auto* connection : checked) CHECK(connection->checks >= 2);
}

TEST_CASE("Places: of the idle and the silent connections only the late ones and the next are checked", "[app][unit]") {
  const auto occupation = GENERATE(Occupation::kIdle, Occupation::kSilent);
  Door door(100);
  std::vector<Door::Connection*> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(&door.connect(occupation));
  waiting[0]->late = waiting[1]->late = true;
  while (!door.places.check_some_deadlines(50, door.now)) {
  }
  CHECK(waiting[0]->checks >= 1);
  CHECK(waiting[1]->checks >= 1);
  CHECK(waiting[2]->checks >= 1);
  CHECK(waiting[3]->checks == 0);
}

TEST_CASE("Places: connections may change and end while a round of checks is under way", "[app][unit]") {
  Door door(1000);
  std::vector<Door::Connection*> all;
  for (int i = 0; i < 30; ++i) all.push_back(&door.connect(Occupation::kBusy));
  for (std::size_t i = 0; i < all.size(); ++i) {
    (void)door.places.check_some_deadlines(1, door.now);
    if (i % 3 == 0) {
      door.given_up.push_back(all[i]);
      door.settle();
    } else {
      door.places.change(*all[i], i % 3 == 1 ? Occupation::kIdle : Occupation::kBusy, door.now);
    }
  }
  CHECK(door.places.count() == 20);
  while (!door.places.check_some_deadlines(3, door.now)) {
  }
}

TEST_CASE("Places: beyond the most handshakes a new one takes the place of the first, once that is old",
          "[app][unit]") {
  Door door(10'000);
  auto& first = door.connect(Occupation::kShakingHands);
  auto& second = door.connect(Occupation::kShakingHands);
  for (std::size_t i = 2; i < Places::kMostHandshakes; ++i) {
    REQUIRE(door.places.make_space_for_handshake(door.now));
    door.connect(Occupation::kShakingHands);
  }
  CHECK_FALSE(door.places.make_space_for_handshake(first.since() + 999ms));
  SECTION("the first is evicted") {
    CHECK(door.places.make_space_for_handshake(first.since() + 1000ms));
    CHECK(door.given_up == GivenUp{&first});
    CHECK(door.places.make_space_for_handshake(first.since() + 1000ms));
    door.settle();
    door.connect(Occupation::kShakingHands);
    CHECK_FALSE(door.places.make_space_for_handshake(second.since() + 999ms));
  }
  SECTION("a handshake that is complete makes space") {
    door.places.change(second, Occupation::kIdle, door.now);
    CHECK(door.places.make_space_for_handshake(first.since() + 999ms));
    CHECK(door.given_up.empty());
  }
}

}  // namespace
}  // namespace yolod::app::http
