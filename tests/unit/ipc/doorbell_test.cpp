#include "ipc/doorbell.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <utility>

namespace yolod::ipc {
namespace {

common::UniqueFd new_doorbell() {
  auto doorbell = make_doorbell();
  REQUIRE(doorbell);
  return std::move(doorbell).value();
}

bool is_readable(int descriptor) {
  pollfd item{descriptor, POLLIN, 0};
  return poll(&item, 1, 0) == 1;
}

std::uint64_t count_of(int descriptor) {
  std::uint64_t count = 0;
  return read(descriptor, &count, sizeof count) == sizeof count ? count : 0;
}

TEST_CASE("Doorbell: a new doorbell is silent", "[ipc][unit]") { CHECK_FALSE(is_readable(new_doorbell().get())); }

TEST_CASE("Doorbell: a doorbell does not block and does not survive an exec", "[ipc][unit]") {
  const auto doorbell = new_doorbell();
  CHECK((fcntl(doorbell.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(doorbell.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("Doorbell: the other side detects a ring", "[ipc][unit]") {
  const auto doorbell = new_doorbell();
  ring_doorbell(doorbell.get());
  CHECK(is_readable(doorbell.get()));
}

TEST_CASE("Doorbell: several rings before a check count as one", "[ipc][unit]") {
  const auto doorbell = new_doorbell();
  for (int i = 0; i < 1000; ++i) ring_doorbell(doorbell.get());
  CHECK(count_of(doorbell.get()) == 1000);
  CHECK_FALSE(is_readable(doorbell.get()));
}

TEST_CASE("Doorbell: every ring is a new edge for an edge-triggered epoll that never reads", "[ipc][unit]") {
  const auto doorbell = new_doorbell();
  const common::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLET;
  REQUIRE(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, doorbell.get(), &wanted) == 0);
  epoll_event seen{};
  CHECK(epoll_wait(epoll.get(), &seen, 1, 0) == 0);
  for (int i = 0; i < 3; ++i) {
    ring_doorbell(doorbell.get());
    CHECK(epoll_wait(epoll.get(), &seen, 1, 0) == 1);
    CHECK(epoll_wait(epoll.get(), &seen, 1, 0) == 0);
  }
}

TEST_CASE("Doorbell: a ring at the limit of the counter is detected and does not block", "[ipc][unit]") {
  const auto doorbell = new_doorbell();
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - 1;
  REQUIRE(write(doorbell.get(), &most, sizeof most) == sizeof most);
  ring_doorbell(doorbell.get());
  CHECK(count_of(doorbell.get()) == 1);
}

TEST_CASE("Doorbell: ringing a descriptor that is gone does nothing", "[ipc][unit]") {
  ring_doorbell(-1);
  SUCCEED("it came back");
}

}  // namespace
}  // namespace yolod::ipc
