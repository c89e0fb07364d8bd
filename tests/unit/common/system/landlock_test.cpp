#include "common/system/landlock.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/sealing_child.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::common {
namespace {

using tests::in_sealing_child;
using tests::kCannotSeal;
using tests::opening;
using tests::TemporaryDirectory;

// A socket that listens at a port that the kernel chooses.
UniqueFd listening(sockaddr_in& address) {
  UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  REQUIRE(bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(made.get(), 4) == 0);
  REQUIRE(getsockname(made.get(), reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  return made;
}

// Returns 0 or errno.
int connecting(const sockaddr_in& address) {
  const UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("Landlock: the rules use only rights that the version of Landlock knows", "[common][unit]") {
  CHECK(landlock_rights(0) == LandlockRights{});
  CHECK(landlock_rights(1) == LandlockRights{0x1FFF, 0, 0});
  CHECK(landlock_rights(2) == LandlockRights{0x3FFF, 0, 0});
  CHECK(landlock_rights(3) == LandlockRights{0x7FFF, 0, 0});
  CHECK(landlock_rights(4) == LandlockRights{0x7FFF, 3, 0});
  CHECK(landlock_rights(5) == LandlockRights{0xFFFF, 3, 0});
  CHECK(landlock_rights(6) == LandlockRights{0xFFFF, 3, 3});
  CHECK(landlock_rights(1000) == landlock_rights(6));
}

TEST_CASE("Landlock: a process opens only the files of its rules, and only for their use", "[common][unit]") {
  const TemporaryDirectory folder;
  const auto read = folder.write("read", "a").string();
  const auto written = folder.write("written", "b").string();
  const auto neither = folder.write("neither", "c").string();
  CHECK(in_sealing_child([&] {
          const std::vector<FileRule> rules{
              {read, FileUse::kRead}, {written, FileUse::kReadAndWrite}, {folder.path() / "missing", FileUse::kRead}};
          if (!restrict_by_landlock(rules)) return kCannotSeal;
          if (opening(read, O_RDONLY) != 0) return 1;
          if (opening(read, O_WRONLY) != EACCES) return 2;
          if (opening(written, O_RDWR) != 0) return 3;
          if (opening(neither, O_RDONLY) != EACCES) return 4;
          if (opening((folder.path() / "new").string(), O_WRONLY | O_CREAT) != EACCES) return 5;
          return opening((folder.path() / "missing").string(), O_RDONLY) == ENOENT ? 0 : 6;
        }) == 0);
}

TEST_CASE("Landlock: without rules nothing can be opened", "[common][unit]") {
  CHECK(in_sealing_child([] {
          if (!restrict_by_landlock({})) return kCannotSeal;
          if (opening("/proc/self/maps", O_RDONLY) != EACCES) return 1;
          return opening("/dev/null", O_RDONLY) == EACCES ? 0 : 2;
        }) == 0);
}

TEST_CASE("Landlock: a process connects only to the ports of its rules, if the kernel supports ports",
          "[common][unit]") {
  sockaddr_in allowed{};
  sockaddr_in other{};
  const auto first = listening(allowed);
  const auto second = listening(other);
  CHECK(in_sealing_child([&] {
          const std::array<std::uint16_t, 1> ports{ntohs(allowed.sin_port)};
          const auto abi = restrict_by_landlock({}, ports);
          if (!abi) return kCannotSeal;
          if (connecting(allowed) != 0) return 1;
          return connecting(other) == (landlock_rights(*abi).network != 0 ? EACCES : 0) ? 0 : 2;
        }) == 0);
}

}  // namespace yolod::common
