#include "app/http/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "tests/support/certificates.hpp"
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

// A folder with a certificate, its key, and another certificate whose key is missing.
struct TlsFolder {
  TlsFolder() {
    const tests::Certificate certificate({});
    certificate.write_certificate(good.certificate);
    certificate.write_key(good.key);
    certificate.write_certificate(bad.certificate);
  }
  tests::TemporaryDirectory directory;
  common::TlsConfig good{directory.path() / "cert.pem", directory.path() / "key.pem", {}};
  common::TlsConfig bad{directory.path() / "bad-cert.pem", directory.path() / "bad-key.pem", {}};
};

TEST_CASE("Server: an address without TLS files gets the files of server.tls", "[app][unit]") {
  const TlsFolder folder;
  const tests::TemporaryDirectory directory;
  const std::string path = "unix:" + (directory.path() / "http.sock").string();
  ConnectionBench bench;
  bench.config.listen = {{"127.0.0.1:0"}, {"127.0.0.1:0", std::nullopt, "", folder.good}, {path}};
  const bool has_default = GENERATE(false, true);
  if (has_default) bench.config.tls = folder.good;
  Server server(bench.io, bench, bench.config, 10);
  CHECK(server.check_tls().ok());
  REQUIRE(server.listen().ok());
  CHECK(server.urls()[0].starts_with(has_default ? "https://127.0.0.1:" : "http://127.0.0.1:"));
  CHECK(server.urls()[1].starts_with("https://127.0.0.1:"));
  CHECK(server.urls()[2] == path);
  CHECK(server.certificates().size() == (has_default ? 2 : 1));
}

TEST_CASE("Server: TLS files that cannot be used stop the start and a check", "[app][unit]") {
  const TlsFolder folder;
  ConnectionBench bench;
  bench.config.listen = {{"127.0.0.1:0", std::nullopt, "", folder.bad}};
  Server server(bench.io, bench, bench.config, 10);
  const auto checked = server.check_tls();
  REQUIRE_FALSE(checked.ok());
  CHECK(checked.error().message == folder.bad.key.string() + ": No such file or directory");
  CHECK_FALSE(server.listen().ok());
}

TEST_CASE("Server: a reload takes good files of other names, and bad files change nothing", "[app][unit]") {
  const TlsFolder folder;
  ConnectionBench bench;
  bench.config.listen = {{"127.0.0.1:0", std::nullopt, "", folder.good}};
  Server server(bench.io, bench, bench.config, 10);
  REQUIRE(server.listen().ok());
  const auto before = server.certificates().front().not_after;
  bench.config.listen[0].tls = folder.bad;
  server.reload_tls();
  CHECK(server.certificates().front().not_after == before);
  const tests::Certificate next({.valid_to = std::chrono::hours(48)});
  next.write_certificate(folder.bad.certificate);
  next.write_key(folder.bad.key);
  SECTION("at the next reload") { server.reload_tls(); }
  SECTION("at the next look at the files") { server.reload_changed_tls(); }
  CHECK(server.certificates().front().not_after > before + std::chrono::hours(20));
}

TEST_CASE("Server: a service manager's socket has the TLS files of its address", "[app][unit]") {
  const TlsFolder folder;
  common::UniqueFd listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listening.get(), 5) == 0);
  REQUIRE(getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string own = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  ConnectionBench bench;
  std::vector<common::UniqueFd> sockets;
  sockets.push_back(std::move(listening));
  SECTION("it is in server.listen, with TLS") {
    bench.config.listen = {{own, std::nullopt, "", folder.good}};
    Server server(bench.io, bench, bench.config, 10);
    REQUIRE(server.take(std::move(sockets)).ok());
    CHECK(server.urls() == std::vector<std::string>{"https://" + own});
  }
  SECTION("it is in server.listen, without TLS") {
    bench.config.listen = {{own}, {"127.0.0.1:0", std::nullopt, "", folder.good}};
    Server server(bench.io, bench, bench.config, 10);
    REQUIRE(server.take(std::move(sockets)).ok());
    CHECK(server.urls() == std::vector<std::string>{"http://" + own});
  }
  SECTION("server.tls is for every address") {
    bench.config.tls = folder.good;
    Server server(bench.io, bench, bench.config, 10);
    REQUIRE(server.take(std::move(sockets)).ok());
    CHECK(server.urls() == std::vector<std::string>{"https://" + own});
  }
  SECTION("nothing says whether it has TLS") {
    bench.config.listen = {{"127.0.0.1:0", std::nullopt, "", folder.good}};
    Server server(bench.io, bench, bench.config, 10);
    const auto taken = server.take(std::move(sockets));
    REQUIRE_FALSE(taken.ok());
    CHECK(taken.error().message.find("set server.tls") != std::string::npos);
  }
}

}  // namespace
}  // namespace yolod::app::http
