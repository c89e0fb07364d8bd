#include "app/http/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::http {
namespace {

common::UniqueFd connected_to(const std::string& path) {
  common::UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return client;
}

std::string answer_of(ConnectionBench& bench, int client, const std::string& request) {
  REQUIRE(send(client, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  std::string text(10'000, '\0');
  for (int i = 0; i < 200; ++i) {
    bench.io.restart();
    bench.io.run_one_for(std::chrono::milliseconds(5));
    const auto bytes = recv(client, text.data(), text.size(), MSG_DONTWAIT);
    if (bytes > 0) return text.substr(0, static_cast<std::size_t>(bytes));
  }
  return {};
}

TEST_CASE("Server: the server listens on each address, and accepts clients once it has started", "[app][unit]") {
  const tests::TemporaryDirectory directory;
  const std::string path = (directory.path() / "http.sock").string();
  ConnectionBench bench;
  bench.config.listen = {{"127.0.0.1:0"}, {"unix:" + path}};
  bench.config.admin_listen.clear();
  Server server(bench.io, bench, bench.config, 10);
  REQUIRE(server.listen().ok());
  REQUIRE(server.listen_for_admins().ok());
  REQUIRE(server.urls().size() == 2);
  CHECK(server.urls()[0].starts_with("http://127.0.0.1:"));
  CHECK(server.urls()[1] == "unix:" + path);
  CHECK(server.admin_url().empty());
  const auto client = connected_to(path);
  REQUIRE(client.get() >= 0);  // the kernel queues this client
  server.start();
  CHECK(answer_of(bench, client.get(), "GET /thing HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
  CHECK(server.connections().count() == 1);
  server.stop_accepting();
  CHECK(connected_to(path).get() < 0);
  CHECK_FALSE(std::filesystem::exists(path));
  server.connections().close_all();
  bench.turn();
  CHECK(server.connections().count() == 0);
}

TEST_CASE("Server: an address on which the server cannot listen is an error", "[app][unit]") {
  ConnectionBench bench;
  bench.config.listen = {{"unix:/nowhere/at/all.sock"}};
  Server server(bench.io, bench, bench.config, 10);
  CHECK_FALSE(server.listen().ok());
  bench.config.admin_listen = "unix:/nowhere/at/all.sock";
  CHECK_FALSE(server.listen_for_admins().ok());
}

TEST_CASE("Server: only its owner may use the admin socket, and it accepts at once", "[app][unit]") {
  const tests::TemporaryDirectory directory;
  ConnectionBench bench;
  const bool chosen_here = GENERATE(false, true);
  std::string path = (directory.path() / "admin.sock").string();
  if (chosen_here) {
    setenv("RUNTIME_DIRECTORY", directory.path().c_str(), 1);
  } else {
    bench.config.admin_listen = "unix:" + path;
  }
  Server server(bench.io, bench, bench.config, 10);
  const auto listening = server.listen_for_admins();
  unsetenv("RUNTIME_DIRECTORY");
  REQUIRE(listening.ok());
  REQUIRE(server.admin_url() == "unix:" + path);
  struct stat file {};
  REQUIRE(stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777U) == 0600U);
  const auto client = connected_to(path);
  // This process is the server's own, so it may see the status but not administer.
  CHECK_THAT(answer_of(bench, client.get(), "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
             Catch::Matchers::Contains("may administer the server"));
  server.connections().close_all();
  bench.turn();
}

TEST_CASE("Server: an admin socket that cannot be made at the default path is a warning", "[app][unit]") {
  ConnectionBench bench;
  setenv("RUNTIME_DIRECTORY", "/proc/nowhere", 1);
  Server server(bench.io, bench, bench.config, 10);
  CHECK(server.listen_for_admins().ok());
  unsetenv("RUNTIME_DIRECTORY");
  CHECK(server.admin_url().empty());
}

TEST_CASE("Server: the server takes sockets from a service manager instead of opening its own", "[app][unit]") {
  const tests::TemporaryDirectory directory;
  const std::string path = (directory.path() / "handed.sock").string();
  common::UniqueFd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listening.get(), 5) == 0);
  ConnectionBench bench;
  Server server(bench.io, bench, bench.config, 10);
  std::vector<common::UniqueFd> sockets;
  sockets.push_back(std::move(listening));
  REQUIRE(server.take(std::move(sockets)).ok());
  server.start();
  const auto client = connected_to(path);
  CHECK(answer_of(bench, client.get(), "GET /thing HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
  server.connections().close_all();
  bench.turn();
  std::vector<common::UniqueFd> nothing;
  nothing.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(server.take(std::move(nothing)).ok());
}

}  // namespace
}  // namespace yolod::app::http
