#include "app/serving/unchecked_room.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awake_clock.hpp"

namespace yolod::app::serving::unchecked_room_test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Hold = UncheckedRoom::Hold;

// All bodies together may hold 800 bytes, and one network 400.
constexpr std::uint64_t kShare = 3200;
constexpr std::uint64_t kLargest = 300;

struct Bench {
  // A body waits with `hold` until `has_room` has a value.
  struct Body {
    Body(UncheckedRoom& room, UncheckedRoom::Network network) : hold(room, network) {}
    Hold hold;
    std::optional<bool> has_room;
  };

  std::unique_ptr<Body> body(UncheckedRoom::Network network, std::uint64_t bytes = 0) {
    auto made = std::make_unique<Body>(room, network);
    if (bytes != 0) REQUIRE(room.try_hold(made->hold, bytes, kLargest));
    return made;
  }
  // Returns a body that waits, or that got its memory at once.
  std::unique_ptr<Body> waiting(UncheckedRoom::Network network, std::uint64_t bytes,
                                std::chrono::milliseconds patience = 60s) {
    auto made = std::make_unique<Body>(room, network);
    wait(*made, bytes, patience);
    return made;
  }
  void wait(Body& body, std::uint64_t bytes, std::chrono::milliseconds patience = 60s) {
    asio::co_spawn(
        io,
        [this, &body, bytes, patience]() -> asio::awaitable<void> {
          body.has_room = co_await room.await_hold(body.hold, bytes, kLargest, patience, &body);
        },
        asio::detached);
    turn();
  }
  void turn() {
    io.restart();
    io.poll();
  }

  asio::io_context io{1};
  UncheckedRoom room{io, kShare};
};

TEST_CASE("UncheckedRoom: a body is counted until its hold is cleared or ends", "[app][unit]") {
  Bench bench;
  auto first = bench.body(1, 100);
  {
    const auto second = bench.body(1, 50);
    CHECK(bench.room.held_bytes() == 150);
  }
  CHECK(bench.room.held_bytes() == 100);
  REQUIRE(bench.room.try_hold(first->hold, 30, kLargest));
  CHECK(bench.room.held_bytes() == 30);
  first->hold.clear();
  CHECK(bench.room.held_bytes() == 0);
  CHECK(first->hold.bytes() == 0);
}

TEST_CASE("UncheckedRoom: one network has half of the bound, and another network the rest", "[app][unit]") {
  Bench bench;
  const auto first = bench.body(1, 200);
  const auto second = bench.body(1, 200);
  const auto third = bench.waiting(1, 1);
  CHECK_FALSE(third->has_room);
  const auto other = bench.body(2, 100);
  CHECK(bench.room.held_bytes() == 500);
  first->hold.clear();
  bench.turn();
  CHECK(third->has_room == true);
  CHECK(bench.room.held_bytes() == 301);
}

TEST_CASE("UncheckedRoom: the largest body has room even if it is above the part of a network", "[app][unit]") {
  Bench bench;
  const auto body = bench.body(1);
  CHECK(bench.room.try_hold(body->hold, 5000, 5000));
}

TEST_CASE("UncheckedRoom: freed memory goes to the network that holds the least, then to the first body",
          "[app][unit]") {
  Bench bench;
  const auto full = bench.body(1, 200);
  const auto small = bench.body(1, 100);
  const auto more = bench.body(2, 200);
  const auto rest = bench.body(3, 150);
  const auto of_second = bench.waiting(2, 150);
  const auto of_fourth = bench.waiting(4, 150);
  const auto late_of_fourth = bench.waiting(4, 150);
  CHECK_FALSE(of_second->has_room);
  CHECK_FALSE(of_fourth->has_room);
  rest->hold.clear();
  bench.turn();
  CHECK(of_fourth->has_room == true);
  CHECK_FALSE(of_second->has_room);
  CHECK_FALSE(late_of_fourth->has_room);
  small->hold.clear();
  bench.turn();
  CHECK(late_of_fourth->has_room == true);
  CHECK_FALSE(of_second->has_room);
}

TEST_CASE("UncheckedRoom: bodies of one network that wait do not keep another network waiting", "[app][unit]") {
  Bench bench;
  const auto full = bench.body(1, 300);
  const auto other = bench.body(2, 300);
  const auto first = bench.waiting(1, 300);
  const auto second = bench.waiting(1, 300);
  full->hold.clear();
  bench.turn();
  CHECK(first->has_room == true);
  const auto late = bench.waiting(3, 200);
  // The slow upload of the first network is evicted.
  first->hold.clear();
  bench.turn();
  CHECK(late->has_room == true);
  CHECK_FALSE(second->has_room);
}

TEST_CASE("UncheckedRoom: a body of a network that holds more does not pass a body that waits", "[app][unit]") {
  Bench bench;
  const auto first = bench.body(1, 300);
  const auto second = bench.body(2, 300);
  const auto waiting = bench.waiting(3, 200);
  CHECK_FALSE(waiting->has_room);
  const auto small_of_first = bench.body(1);
  CHECK_FALSE(bench.room.try_hold(small_of_first->hold, 10, kLargest));
  const auto small_of_another = bench.body(4);
  CHECK(bench.room.try_hold(small_of_another->hold, 10, kLargest));
}

TEST_CASE("UncheckedRoom: small bodies of a network that holds more do not take what becomes free", "[app][unit]") {
  Bench bench;
  std::vector<std::unique_ptr<Bench::Body>> small;
  for (int i = 0; i < 8; ++i) small.push_back(bench.body(1, 50));
  const auto rest = bench.body(3, 100);
  const auto more = bench.waiting(1, 50);    // its network holds too much
  const auto large = bench.waiting(2, 300);  // it fits when 400 bytes are free
  small[0]->hold.clear();
  bench.turn();
  CHECK_FALSE(more->has_room);
  CHECK_FALSE(large->has_room);
  CHECK(bench.room.held_bytes() == 450);
  small[1]->hold.clear();
  bench.turn();
  CHECK(large->has_room == true);
  small[2]->hold.clear();
  bench.turn();
  CHECK(more->has_room == true);
}

TEST_CASE("UncheckedRoom: small bodies do not pass a body without end", "[app][unit]") {
  Bench bench;
  const auto first = bench.body(1, 300);
  const auto second = bench.body(2, 300);
  const auto waiting = bench.waiting(3, 200);
  const auto small = bench.body(4);
  int passed = 0;
  for (; bench.room.try_hold(small->hold, 50, kLargest); ++passed) {
    small->hold.clear();
    bench.turn();
  }
  CHECK(passed == 2 * 800 / 50);
  second->hold.clear();
  bench.turn();
  CHECK(waiting->has_room == true);
}

TEST_CASE("UncheckedRoom: a wait ends without memory after its patience, at leave() and at a stop", "[app][unit]") {
  Bench bench;
  const auto first = bench.body(1, 300);
  SECTION("after its patience") {
    const auto waiting = bench.waiting(1, 200, 0ms);
    bench.io.restart();
    bench.io.run_for(10s);
    CHECK(waiting->has_room == false);
  }
  SECTION("at leave()") {
    const auto waiting = bench.waiting(1, 200);
    bench.room.leave(first.get());
    bench.turn();
    CHECK_FALSE(waiting->has_room);
    bench.room.leave(waiting.get());
    bench.turn();
    CHECK(waiting->has_room == false);
  }
  SECTION("at a stop") {
    const auto waiting = bench.waiting(1, 200);
    bench.room.refuse_all();
    bench.turn();
    CHECK(waiting->has_room == false);
    const auto late = bench.waiting(2, 1);
    CHECK(late->has_room == false);
  }
  CHECK(bench.room.held_bytes() == 300);
}

TEST_CASE("UncheckedRoom: a body that grows keeps its memory while it waits for more", "[app][unit]") {
  Bench bench;
  const auto growing = bench.body(1, 100);
  const auto other = bench.body(1, 300);
  bench.wait(*growing, 300);
  CHECK_FALSE(growing->has_room);
  CHECK(growing->hold.bytes() == 100);
  other->hold.clear();
  bench.turn();
  CHECK(growing->has_room == true);
  CHECK(bench.room.held_bytes() == 300);
}

TEST_CASE("UncheckedRoom: after a while it says how much memory is short, and which uploads may be evicted",
          "[app][unit]") {
  Bench bench;
  const auto now = common::AwakeClock::now();
  const auto first = bench.body(1, 300);
  const auto second = bench.body(2, 300);
  CHECK(bench.room.shortage(now + 10s).all_bytes == 0);
  SECTION("for a body of another network") {
    const auto waiting = bench.waiting(3, 200);
    CHECK(bench.room.shortage(now).all_bytes == 0);
    const auto shortage = bench.room.shortage(now + 10s);
    // 200 bytes are free, and an eighth of the bound must stay free.
    CHECK(shortage.next_bytes == 100);
    CHECK(shortage.all_bytes == shortage.next_bytes);
    CHECK(first->hold.may_be_evicted());
    CHECK(second->hold.may_be_evicted());
    CHECK_FALSE(waiting->hold.may_be_evicted());
    const auto also = bench.waiting(4, 200);
    CHECK(bench.room.shortage(now + 10s).all_bytes == 300);
    CHECK(bench.room.shortage(now + 10s).next_bytes == 100);
  }
  SECTION("for a body of a network that holds its part") {
    const auto waiting = bench.waiting(1, 150);
    const auto shortage = bench.room.shortage(now + 10s);
    CHECK(shortage.next_bytes == 50);
    CHECK(first->hold.may_be_evicted());
    CHECK_FALSE(second->hold.may_be_evicted());
  }
}

}  // namespace
}  // namespace yolod::app::serving::unchecked_room_test
