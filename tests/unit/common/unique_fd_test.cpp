#include "common/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <type_traits>
#include <utility>

namespace yolod::common {
namespace {

int open_null() {
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  return descriptor;
}

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

TEST_CASE("UniqueFd: a default object holds no descriptor", "[common][unit]") {
  const UniqueFd none;
  CHECK_FALSE(none.valid());
  CHECK(none.get() == -1);
}

TEST_CASE("UniqueFd: the destructor closes the descriptor", "[common][unit]") {
  const int descriptor = open_null();
  {
    const UniqueFd owner(descriptor);
    CHECK(owner.valid());
    CHECK(owner.get() == descriptor);
    CHECK(is_open(descriptor));
  }
  CHECK_FALSE(is_open(descriptor));
}

TEST_CASE("UniqueFd: descriptor 0 is like any other descriptor", "[common][unit]") {
  UniqueFd zero(0);
  CHECK(zero.valid());
  CHECK(zero.release() == 0);
}

TEST_CASE("UniqueFd: a move passes the descriptor on", "[common][unit]") {
  const int descriptor = open_null();
  UniqueFd first(descriptor);
  {
    const UniqueFd second(std::move(first));
    CHECK(second.get() == descriptor);
    CHECK_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that is the subject
  }
  CHECK_FALSE(is_open(descriptor));
}

TEST_CASE("UniqueFd: assignment closes the previous descriptor", "[common][unit]") {
  const int old = open_null();
  const int fresh = open_null();
  UniqueFd owner(old);
  owner = UniqueFd(fresh);
  CHECK_FALSE(is_open(old));
  CHECK(is_open(fresh));
  CHECK(owner.get() == fresh);
}

TEST_CASE("UniqueFd: assignment to itself changes nothing", "[common][unit]") {
  UniqueFd owner(open_null());
  UniqueFd& same = owner;
  owner = std::move(same);
  CHECK(owner.valid());
  CHECK(is_open(owner.get()));
}

TEST_CASE("UniqueFd: a released descriptor stays open", "[common][unit]") {
  int descriptor = -1;
  {
    UniqueFd owner(open_null());
    descriptor = owner.release();
    CHECK_FALSE(owner.valid());
  }
  CHECK(is_open(descriptor));
  ::close(descriptor);
}

TEST_CASE("UniqueFd: reset closes the descriptor and takes another", "[common][unit]") {
  const int old = open_null();
  const int fresh = open_null();
  UniqueFd owner(old);
  owner.reset(fresh);
  CHECK_FALSE(is_open(old));
  CHECK(owner.get() == fresh);
  owner.reset();
  CHECK_FALSE(is_open(fresh));
  CHECK_FALSE(owner.valid());
  owner.reset();
  CHECK_FALSE(owner.valid());
}

TEST_CASE("UniqueFd: an object cannot be copied", "[common][unit]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<UniqueFd>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<UniqueFd>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<UniqueFd>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<int, UniqueFd>);
}

}  // namespace
}  // namespace yolod::common
