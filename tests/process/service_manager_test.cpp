// These tests check the protocol of a service manager on a real socket: the messages to it, and the sockets that it
// passes. tests/process/under_systemd runs the server under a systemd that boots.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// The manager's end of the socket keeps every message.
class NotifySocket {
 public:
  NotifySocket()
      : path_((folder_.path() / "notify").string()), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  [[nodiscard]] std::string variable() const { return "NOTIFY_SOCKET=" + path_; }

  // Waits for a message with that line after the first `skip` messages. Returns its number, or -1.
  int wait_for(const std::string& line, std::size_t skip = 0) {
    int found = -1;
    (void)wait_until([&] {
      receive();
      for (std::size_t i = skip; i < messages_.size() && found < 0; ++i) {
        if (("\n" + messages_[i] + "\n").find("\n" + line) != std::string::npos) found = static_cast<int>(i);
      }
      return found >= 0;
    });
    return found;
  }
  [[nodiscard]] const std::string& message(int number) const { return messages_.at(static_cast<std::size_t>(number)); }
  [[nodiscard]] std::size_t count() {
    receive();
    return messages_.size();
  }

 private:
  void receive() {
    char bytes[2000];
    for (;;) {
      const auto got = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (got < 0) return;
      messages_.emplace_back(bytes, static_cast<std::size_t>(got));
    }
  }

  TemporaryDirectory folder_;
  std::string path_;
  common::UniqueFd socket_;
  std::vector<std::string> messages_;
};

struct ListeningSocket {
  ListeningSocket() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket.get(), 1000) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    endpoint.port = ntohs(address.sin_port);
  }
  common::UniqueFd socket;
  Endpoint endpoint;
};

}  // namespace

TEST_CASE("ServiceManager: the manager gets messages about readiness, reloads and the stop, in that order",
          "[process][case14]") {
  NotifySocket manager;
  ServerOptions options;
  options.config = identity_config({{.workers = 2, .load_delay = 300ms}});
  options.with = {manager.variable(), "WATCHDOG_USEC=300000"};
  Server server(options);
  const int more_time = manager.wait_for("EXTEND_TIMEOUT_USEC=");
  const int ready = manager.wait_for("READY=1");
  REQUIRE(more_time >= 0);
  CHECK(ready > more_time);
  CHECK(manager.wait_for("STATUS=echo 2 of 2 workers") >= 0);
  REQUIRE(server.wait_until_ready());

  auto skip = manager.count();
  CHECK(manager.wait_for("WATCHDOG=1", skip) >= 0);  // the message repeats
  skip = manager.count();
  CHECK(manager.wait_for("WATCHDOG=1", skip) >= 0);

  skip = manager.count();
  server.send_signal(SIGHUP);
  const int reloading = manager.wait_for("RELOADING=1", skip);
  REQUIRE(reloading >= 0);
  CHECK(manager.message(reloading).find("MONOTONIC_USEC=") != std::string::npos);
  CHECK(manager.wait_for("READY=1", static_cast<std::size_t>(reloading)) > reloading);

  skip = manager.count();
  server.rewrite_config("models: [");
  server.send_signal(SIGHUP);
  const int again = manager.wait_for("RELOADING=1", skip);
  REQUIRE(again >= 0);
  CHECK(manager.wait_for("READY=1", static_cast<std::size_t>(again)) > again);

  server.send_signal(SIGTERM);
  CHECK(manager.wait_for("STOPPING=1") >= 0);
  CHECK(server.wait_for_exit() == exited(0));
}

// A socket holds ten unread messages: the eleventh would wait.
TEST_CASE("ServiceManager: a manager that does not read blocks neither clients nor the server's stop",
          "[process][case14]") {
  NotifySocket manager;
  ServerOptions options;
  options.config = identity_config({{.workers = 1}});
  options.with = {manager.variable(), "WATCHDOG_USEC=30000"};
  Server server(options);
  REQUIRE(server.wait_until_ready());
  constexpr auto kTwentyTicks = 2500ms;
  const auto end = Clock::now() + kTwentyTicks;
  while (Clock::now() < end) REQUIRE(HttpClient(server.endpoint()).post("/predict", "x").status == 200);
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

TEST_CASE("ServiceManager: no worker has the manager's address", "[process]") {
  NotifySocket manager;
  ServerOptions options;
  options.config = identity_config({{.workers = 1}});
  options.with = {manager.variable(), "WATCHDOG_USEC=10000000"};
  Server server(options);
  REQUIRE(server.wait_until_ready());
  for (const auto& child : children_of(server.pid())) {
    for (const auto& variable : environment_of(child.pid)) {
      CHECK_FALSE(variable.starts_with("NOTIFY_SOCKET="));
      CHECK_FALSE(variable.starts_with("WATCHDOG_"));
      CHECK_FALSE(variable.starts_with("LISTEN_"));
    }
  }
}

TEST_CASE("ServiceManager: on the manager's socket the next server answers clients that came while none ran",
          "[process]") {
  ListeningSocket listening;
  const auto options = [&] {
    ServerOptions made;
    made.config = identity_config({{.workers = 1, .delay = 10ms}}, {"listen: [127.0.0.1:1]"});  // not used
    made.listening_socket = listening.socket.get();
    return made;
  };
  Load load(listening.endpoint, {.connection_count = 8, .body_bytes_max = 5'000});
  for (int round = 0; round < 3; ++round) {
    Server server(options());
    REQUIRE(load.wait_for_answers(30));
    CHECK(server.log_lines_with("the service manager's sockets are used").size() == 1);
    server.send_signal(SIGTERM);
    CHECK(server.wait_for_exit() == exited(0));
  }
  Server last(options());
  REQUIRE(load.wait_for_answers(30));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
}

TEST_CASE("ServiceManager: a descriptor that is not a listening socket is closed, and the config's address is used",
          "[process]") {
  const common::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ServerOptions options;
  options.config = identity_config({{.workers = 1}});
  options.listening_socket = socket.get();
  Server server(options);
  REQUIRE(server.wait_until_ready());
  CHECK(server.log_lines_with("is not a listening stream socket").size() == 1);
  struct stat ours {};
  REQUIRE(::fstat(socket.get(), &ours) == 0);
  const auto name = "socket:[" + std::to_string(ours.st_ino) + "]";
  const auto holds_it = [&name](pid_t pid) {
    std::error_code gone;
    const std::filesystem::directory_iterator folder("/proc/" + std::to_string(pid) + "/fd", gone);
    return std::any_of(begin(folder), end(folder),
                       [&](const auto& entry) { return std::filesystem::read_symlink(entry, gone) == name; });
  };
  CHECK(holds_it(::getpid()));
  CHECK_FALSE(holds_it(server.pid()));
  for (const auto& child : children_of(server.pid())) CHECK_FALSE(holds_it(child.pid));
  CHECK(serves_next_request(server));
}

}  // namespace yolod::tests
