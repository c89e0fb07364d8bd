#include "app/net/admin_peer.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "common/unique_fd.hpp"

namespace yolod::app::net {
namespace {

std::optional<pid_t> parent_in(const std::map<pid_t, pid_t>& processes, pid_t process) {
  const auto found = processes.find(process);
  return found == processes.end() ? std::nullopt : std::optional(found->second);
}

TEST_CASE("AdminPeer: descendants are found at any depth, and no other process is a descendant", "[app][unit]") {
  const std::map<pid_t, pid_t> processes{{100, 1}, {200, 100}, {300, 200}, {400, 1}, {500, 400}, {600, 0}};
  const auto parent = [&](pid_t process) { return parent_in(processes, process); };
  CHECK(may_descend_from(100, 100, parent));
  CHECK(may_descend_from(200, 100, parent));
  CHECK(may_descend_from(300, 100, parent));
  CHECK_FALSE(may_descend_from(400, 100, parent));
  CHECK_FALSE(may_descend_from(500, 100, parent));
  CHECK_FALSE(may_descend_from(600, 100, parent));
  CHECK_FALSE(may_descend_from(1, 100, parent));
  CHECK_FALSE(may_descend_from(0, 100, parent));
}

TEST_CASE("AdminPeer: a chain that breaks off or never ends counts as a descendant's", "[app][unit]") {
  const std::map<pid_t, pid_t> processes{{200, 150}, {300, 301}, {301, 300}};
  const auto parent = [&](pid_t process) { return parent_in(processes, process); };
  CHECK(may_descend_from(200, 100, parent));
  CHECK(may_descend_from(300, 100, parent));
  CHECK(may_descend_from(999, 100, parent));
}

TEST_CASE("AdminPeer: the kernel knows the parent of this process, and no parent of an absent process", "[app][unit]") {
  CHECK(parent_of(getpid()) == getppid());
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  CHECK_FALSE(parent_of(child));
}

TEST_CASE("AdminPeer: a child of this process that connects may not administer, and no TCP client may", "[app][unit]") {
  common::UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof(sa_family_t);  // the kernel chooses an abstract name
  REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  size = sizeof address;
  REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, reinterpret_cast<const sockaddr*>(&address), size) != 0) _exit(1);
    char byte = 0;
    _exit(read(client, &byte, 1) == 1 ? 0 : 2);
  }
  const common::UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  REQUIRE(accepted.valid());
  CHECK_FALSE(may_administer(accepted.get()));
  REQUIRE(write(accepted.get(), "x", 1) == 1);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);

  const common::UniqueFd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_FALSE(may_administer(tcp.get()));
}

}  // namespace
}  // namespace yolod::app::net
