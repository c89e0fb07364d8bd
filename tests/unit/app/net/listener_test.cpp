#include "app/net/listener.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using common::ListenAddress;
using LocalEndpoint = asio::local::stream_protocol::endpoint;

std::unique_ptr<Listener> opened(asio::io_context& io, ListenAddress address,
                                 ListenerRole role = ListenerRole::kPublic) {
  auto made = Listener::open(io, address, role);
  REQUIRE(made);
  return std::move(*made);
}

tcp::endpoint endpoint_of(const Listener& listener) {
  const auto& url = listener.url();
  const auto port = static_cast<unsigned short>(std::stoi(url.substr(url.rfind(':') + 1)));
  return {asio::ip::make_address("127.0.0.1"), port};
}

// Counts the connections that a listener hands over.
struct Taken {
  Listener::Owner owner() {
    return {[this] { return space; },
            [this](Listener::Socket socket) {
              if (std::exchange(no_memory, false)) throw std::bad_alloc();
              sockets.push_back(std::move(socket));
            }};
  }
  bool space{true};
  bool no_memory{false};
  std::vector<Listener::Socket> sockets;
};

TEST_CASE("Listener: the URL holds the port that the kernel chose, and the listener accepts clients there",
          "[app][unit]") {
  asio::io_context io;
  const auto listener = opened(io, {"localhost:0"});
  CHECK_THAT(listener->url(), Catch::StartsWith("http://127.0.0.1:") && !Catch::EndsWith(":0"));
  CHECK(listener->role() == ListenerRole::kPublic);
  Taken taken;
  listener->start(taken.owner());
  tcp::socket client(io);
  client.connect(endpoint_of(*listener));
  io.run_for(std::chrono::milliseconds(20));
  CHECK(taken.sockets.size() == 1);
}

TEST_CASE("Listener: an address that is not available is an error that names the address", "[app][unit]") {
  asio::io_context io;
  const auto first = opened(io, {"127.0.0.1:0"});
  const auto address = first->url().substr(std::string("http://").size());
  for (const std::string& wrong : {address, std::string("unix:/nowhere/at/all.sock"), std::string("192.0.2.1:1")}) {
    CAPTURE(wrong);
    const auto second = Listener::open(io, {wrong}, ListenerRole::kPublic);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == common::ErrorCode::kSystem);
    CHECK_THAT(second.error().message, Catch::StartsWith("cannot listen on " + wrong + ": "));
  }
}

TEST_CASE("Listener: without space, clients wait in the kernel and are accepted later", "[app][unit]") {
  asio::io_context io;
  const auto listener = opened(io, {"127.0.0.1:0"});
  Taken taken;
  taken.space = false;
  listener->start(taken.owner());
  tcp::socket client(io);
  client.connect(endpoint_of(*listener));
  io.run_for(std::chrono::milliseconds(20));
  CHECK(taken.sockets.empty());
  taken.space = true;
  io.run_for(std::chrono::milliseconds(100));
  CHECK(taken.sockets.size() == 1);
}

TEST_CASE("Listener: no memory for one connection loses only that connection", "[app][unit]") {
  asio::io_context io;
  const auto listener = opened(io, {"127.0.0.1:0"});
  Taken taken;
  taken.no_memory = true;
  listener->start(taken.owner());
  tcp::socket first(io);
  tcp::socket second(io);
  first.connect(endpoint_of(*listener));
  second.connect(endpoint_of(*listener));
  io.run_for(std::chrono::milliseconds(20));
  CHECK(taken.sockets.size() == 1);
}

TEST_CASE("Listener: a stop accepts the connected clients, but none if the listener was never started", "[app][unit]") {
  asio::io_context io;
  const auto listener = opened(io, {"127.0.0.1:0"});
  const auto endpoint = endpoint_of(*listener);
  const bool started = GENERATE(true, false);
  Taken taken;
  if (started) listener->start(taken.owner());
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(io).connect(endpoint);
  listener->stop();
  CHECK(taken.sockets.size() == (started ? 3 : 0));
  boost::system::error_code failure;
  clients.emplace_back(io).connect(endpoint, failure);
  CHECK(failure == asio::error::connection_refused);
  io.run_for(std::chrono::milliseconds(20));
  CHECK(taken.sockets.size() == (started ? 3 : 0));
}

TEST_CASE("Listener: a unix socket has the configured mode, and its file goes with its listener", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  asio::io_context io;
  auto listener = opened(io, {"unix:" + path, 0600}, ListenerRole::kAdmin);
  CHECK(listener->url() == "unix:" + path);
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  SECTION("the listener is destroyed") { listener.reset(); }
  SECTION("the listener stops") { listener->stop(); }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Listener: the listener replaces only a dead server's socket, and removes no other server's socket",
          "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  asio::io_context io;
  SECTION("the socket of a dead server is replaced") {
    { asio::local::stream_protocol::acceptor dead(io, LocalEndpoint(path)); }
    REQUIRE(std::filesystem::exists(path));
    CHECK(Listener::open(io, {"unix:" + path}, ListenerRole::kPublic));
  }
  SECTION("the socket of a live server is not replaced") {
    const asio::local::stream_protocol::acceptor alive(io, LocalEndpoint(path));
    CHECK_FALSE(Listener::open(io, {"unix:" + path}, ListenerRole::kPublic));
    CHECK(std::filesystem::exists(path));
  }
  SECTION("a plain file is not replaced") {
    std::ofstream(path) << "mine";
    CHECK_FALSE(Listener::open(io, {"unix:" + path}, ListenerRole::kPublic));
    CHECK(std::filesystem::exists(path));
  }
  SECTION("a file that has replaced the listener's own socket stays") {
    auto listener = opened(io, {"unix:" + path});
    std::filesystem::remove(path);
    std::ofstream(path) << "mine";
    listener.reset();
    CHECK(std::filesystem::exists(path));
  }
}

TEST_CASE("Listener: an inherited socket is used, and its file stays", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  asio::io_context io;
  asio::local::stream_protocol::acceptor managers(io, LocalEndpoint(path));
  auto adopted = Listener::adopt(io, common::UniqueFd(dup(managers.native_handle())), ListenerRole::kPublic);
  REQUIRE(adopted);
  CHECK((*adopted)->url() == "unix:" + path);
  adopted->reset();
  CHECK(std::filesystem::exists(path));
  CHECK_FALSE(Listener::adopt(io, common::UniqueFd(open("/dev/null", 0)), ListenerRole::kPublic));
}

TEST_CASE("Listener: an invalid address is an error, whatever is wrong with it", "[app][unit]") {
  asio::io_context io;
  const std::string wrong = GENERATE("", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80x",
                                     "127.0.0.1:65536", "127.0.0.1:-1", "example.org:80", "[::1:80");
  CAPTURE(wrong);
  const auto made = Listener::open(io, {wrong}, ListenerRole::kPublic);
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message, Catch::StartsWith("cannot listen on " + wrong + ": "));
}

TEST_CASE("Listener: an IPv6 address is in brackets, if the machine has IPv6", "[app][unit]") {
  asio::io_context io;
  const auto made = Listener::open(io, {"[::1]:0"}, ListenerRole::kPublic);
  if (made) {
    CHECK_THAT((*made)->url(), Catch::StartsWith("http://[::1]:"));
  } else {
    CHECK_THAT(made.error().message, Catch::StartsWith("cannot listen on [::1]:0: "));
  }
}

TEST_CASE("Listener: a unix socket gets its group, and the listener fails if that fails", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  asio::io_context io;
  ListenAddress address{"unix:" + path};
  address.group = std::to_string(getegid());
  {
    const auto listener = opened(io, address);
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0660);
    CHECK(status.st_gid == getegid());
  }
  address.group = "no-such-group";
  const auto refused = Listener::open(io, address, ListenerRole::kPublic);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("there is no group no-such-group"));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Listener: whichever descriptor fails to open, no file is left behind", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  asio::io_context io;
  const bool local = GENERATE(true, false);
  const std::string address = local ? "unix:" + path : "127.0.0.1:0";
  { const auto first = opened(io, {address}); }  // the event loop needs these descriptors
  const auto lowest_unused = [] {
    const int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    close(lowest);
    return lowest;
  };
  const int lowest = lowest_unused();
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  const rlimit little{static_cast<rlim_t>(lowest), whole.rlim_max};
  setrlimit(RLIMIT_NOFILE, &little);
  const auto made = Listener::open(io, {address}, ListenerRole::kPublic);
  setrlimit(RLIMIT_NOFILE, &whole);
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message, Catch::StartsWith("cannot listen on " + address + ": "));
  CHECK(lowest_unused() == lowest);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Listener: without free descriptors clients wait, and are accepted later", "[app][unit]") {
  asio::io_context io;
  const auto listener = opened(io, {"127.0.0.1:0"});
  Taken taken;
  listener->start(taken.owner());
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 2; ++i) clients.emplace_back(io).connect(endpoint_of(*listener));
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  const rlimit none{0, whole.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  io.run_for(std::chrono::milliseconds(100));
  setrlimit(RLIMIT_NOFILE, &whole);
  CHECK(taken.sockets.empty());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (taken.sockets.size() < 2 && std::chrono::steady_clock::now() < end) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(100));
  }
  CHECK(taken.sockets.size() == 2);
}

TEST_CASE("Listener: a closed descriptor is not a socket of a service manager", "[app][unit]") {
  asio::io_context io;
  const auto adopted = Listener::adopt(io, common::UniqueFd(), ListenerRole::kPublic);
  REQUIRE_FALSE(adopted);
  CHECK_THAT(adopted.error().message, Catch::StartsWith("a socket of the service manager"));
}

}  // namespace
}  // namespace yolod::app::net
