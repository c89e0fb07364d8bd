#include "app/serving/room_policy.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::serving {
namespace {

constexpr std::uint64_t kShare = 800;

std::uint64_t missing(std::uint64_t bytes, std::uint64_t used) { return missing_room(bytes, {kShare, used}); }

TEST_CASE("RoomPolicy: a body leaves as much room free as it takes, at most an eighth of the arena", "[app][unit]") {
  CHECK(wanted_room(1, kShare) == 2);
  CHECK(wanted_room(100, kShare) == 200);
  CHECK(wanted_room(300, kShare) == 400);
  CHECK(wanted_room(700, kShare) == 800);
}

TEST_CASE("RoomPolicy: the largest body fits if there is no other", "[app][unit]") {
  CHECK(wanted_room(750, kShare) == 800);
  CHECK(wanted_room(kShare, kShare) == kShare);
  CHECK(missing(kShare, 0) == 0);
  CHECK(missing(kShare, 1) == 1);
}

TEST_CASE("RoomPolicy: a smaller body finds room among any number of larger bodies", "[app][unit]") {
  std::uint64_t used = 0;
  while (missing(100, used) == 0) used += 100;
  CHECK(used == 700);
  CHECK(missing(100, used) == 100);
  CHECK(missing(50, used) == 0);
  while (missing(50, used) == 0) used += 50;
  CHECK(missing(25, used) == 0);
}

TEST_CASE("RoomPolicy: a body larger than the arena never fits", "[app][unit]") {
  CHECK(missing(kShare + 1, 0) != 0);
  CHECK(missing(10'000, 500) != 0);
}

TEST_CASE("RoomPolicy: a body may be passed until twice the share was given away", "[app][unit]") {
  CHECK(may_be_passed(0, kShare));
  CHECK(may_be_passed(2 * kShare - 1, kShare));
  CHECK_FALSE(may_be_passed(2 * kShare, kShare));
}

}  // namespace
}  // namespace yolod::app::serving
