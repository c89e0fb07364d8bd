#include "app/host/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "common/unique_fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::host {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;

// Plays the service manager's end of sd_notify(3).
class Manager {
 public:
  explicit Manager(bool abstract = false) {
    address_.sun_family = AF_UNIX;
    const std::string path =
        abstract ? "@yolod-test-" + std::to_string(getpid()) : (directory_.path() / "notify.sock").string();
    std::memcpy(address_.sun_path, path.data(), path.size());
    if (abstract) address_.sun_path[0] = '\0';
    REQUIRE(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())) == 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"}) {
      unsetenv(name);
    }
  }
  // Returns the next message, empty if there is none.
  std::string heard() {
    std::array<char, 4096> text{};
    const auto bytes = recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return bytes <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(bytes));
  }

 private:
  tests::TemporaryDirectory directory_;
  sockaddr_un address_{};
  common::UniqueFd socket_{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_CASE("ServiceManager: without a service manager no message is sent and no call fails", "[app][unit]") {
  ServiceManager none;
  CHECK_FALSE(none.present());
  none.ready();
  none.status("x");
  none.tick(true);
  CHECK(none.take_sockets().empty());
}

TEST_CASE("ServiceManager: the service manager receives each state in order", "[app][unit]") {
  Manager manager(GENERATE(false, true));
  ServiceManager ours;
  CHECK(ours.present());
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);  // no worker has inherited this variable
  ours.ready();
  ours.reloading();
  ours.stopping();
  CHECK(manager.heard() == "READY=1");
  CHECK_THAT(manager.heard(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(manager.heard() == "STOPPING=1");
  ours.ignore();
  ours.ready();
  CHECK(manager.heard().empty());
}

TEST_CASE("ServiceManager: a status is sent only when it has changed, and more time is requested while models load",
          "[app][unit]") {
  Manager manager;
  ServiceManager ours;
  ours.status("loading");
  ours.tick(true);
  CHECK(manager.heard() == "EXTEND_TIMEOUT_USEC=30000000");
  CHECK(manager.heard() == "STATUS=loading");
  ours.status("ready");
  ours.tick(true);  // both messages were sent immediately before
  CHECK(manager.heard().empty());
}

TEST_CASE("ServiceManager: the watchdog gets three messages in its period", "[app][unit]") {
  Manager manager;
  setenv("WATCHDOG_USEC", "30000", 1);
  ServiceManager ours;
  ours.tick(false);
  CHECK(manager.heard() == "WATCHDOG=1");
  ours.tick(false);
  CHECK(manager.heard().empty());
  std::this_thread::sleep_for(11ms);
  ours.tick(false);
  CHECK(manager.heard() == "WATCHDOG=1");
}

TEST_CASE("ServiceManager: a manager that reads too late later receives the newest messages", "[app][unit]") {
  Manager manager;
  ServiceManager ours;
  for (int i = 0; i < 2'000; ++i) ours.ready();
  ours.stopping();
  std::string last;
  for (int i = 0; i < 5'000; ++i) {
    const auto heard = manager.heard();
    if (!heard.empty()) last = heard;
    ours.tick(false);
  }
  CHECK(last == "STOPPING=1");
}

TEST_CASE("ServiceManager: a manager that is gone or has an impossible address does no harm", "[app][unit]") {
  setenv("NOTIFY_SOCKET", GENERATE(std::string("/nowhere/notify.sock"), "/" + std::string(200, 'a')).c_str(), 1);
  ServiceManager ours;
  ours.ready();
  ours.tick(true);
  CHECK(ours.present());
}

TEST_CASE("ServiceManager: only listening sockets are accepted from a service manager", "[app][unit]") {
  // The sockets have the numbers from 3 on. The test saves the descriptors that this process has there.
  const int aside = dup(3);
  const int aside_too = dup(4);
  const common::UniqueFd listening(socket(AF_UNIX, SOCK_STREAM, 0));
  const common::UniqueFd other(socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) == 0);
  REQUIRE(listen(listening.get(), 1) == 0);
  REQUIRE(dup2(listening.get(), 3) == 3);
  REQUIRE(dup2(other.get(), 4) == 4);
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  setenv("LISTEN_FDS", "2", 1);
  {
    ServiceManager ours;
    CHECK(std::getenv("LISTEN_FDS") == nullptr);
    CHECK(ours.take_sockets().size() == 1);
  }
  if (aside >= 0) dup2(aside, 3);
  if (aside_too >= 0) dup2(aside_too, 4);
  close(aside);
  close(aside_too);
}

}  // namespace
}  // namespace yolod::app::host
