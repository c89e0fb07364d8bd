// These tests replace certificates while the server runs.
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/tls_client.hpp"

namespace yolod::tests {
namespace {

constexpr const char* kChanged = "new connections use the changed certificate";

// Returns whether a new connection gets this certificate.
bool serves(const Endpoint& endpoint, const Certificate& certificate) {
  HttpClient client(endpoint);
  REQUIRE(client.connect());
  REQUIRE(client.shake_hands());
  return X509_cmp(SSL_get0_peer_certificate(client.tls()), certificate.native()) == 0;
}

void check_nothing_lost(const LoadCounts& counts) {
  CHECK(counts.wrong == 0);
  CHECK(counts.lost == 0);
  CHECK(counts.hung == 0);
  CHECK(counts.resent == 0);
  CHECK(counts.right == counts.answered);
}

}  // namespace

TEST_CASE("TlsReload: a renewed certificate is used under load, and no connection is lost", "[process]") {
  const bool by_signal = GENERATE(false, true);
  CAPTURE(by_signal);
  const TlsFolder folder;
  Server server(identity_config({{.workers = 2, .delay = 1ms}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto endpoint = tls_endpoint(server, tls_client(folder.authority));
  CHECK(serves(endpoint, folder.own));
  const Certificate renewed({.valid_to = 48h, .issuer = &folder.authority});
  {
    Load reused(endpoint, {.connection_count = 4, .body_bytes_max = 50'000});
    Load fresh(endpoint, {.connection_count = 4, .body_bytes_max = 50'000, .keep_alive = false});
    HttpClient old(endpoint);
    REQUIRE(old.get("/healthz").status == 200);
    REQUIRE(reused.wait_for_answers(20));
    folder.renew(renewed);
    if (by_signal) server.send_signal(SIGHUP);
    CHECK(wait_until([&] { return serves(endpoint, renewed); }));
    REQUIRE(reused.wait_for_answers(20));
    REQUIRE(fresh.wait_for_answers(20));
    // A connection that was made before keeps its certificate and goes on.
    const auto answer = old.get("/healthz");
    CHECK(answer.status == 200);
    CHECK(answer.reused);
    CHECK(X509_cmp(SSL_get0_peer_certificate(old.tls()), folder.own.native()) == 0);
    check_nothing_lost(reused.stop());
    check_nothing_lost(fresh.stop());
  }
  CHECK(wait_until([&] { return server.metric("yolod_generation", {{"model", "echo"}}) >= (by_signal ? 2 : 1); }));
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

TEST_CASE("TlsReload: bad files change nothing, and the log says why", "[process]") {
  const TlsFolder folder;
  Server server(identity_config({{.workers = 1}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto endpoint = tls_endpoint(server, tls_client(folder.authority));
  const auto told = [&](const std::string& reason) {
    return wait_until([&] {
      for (const auto& line : server.log_lines_with("certificate is not used, and the certificate before it stays")) {
        if (line.find(reason) != std::string::npos) return true;
      }
      return false;
    });
  };
  SECTION("a key of another certificate") {
    Certificate({}).write_key(folder.key());
    CHECK(told(folder.key().string() + ": this key does not belong to the certificate"));
  }
  SECTION("a key that every user may read") {
    std::filesystem::permissions(folder.key(), std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    folder.own.write_certificate(folder.certificate());
    CHECK(told(folder.key().string() + ": every user may read this key"));
  }
  SECTION("an expired certificate") {
    folder.renew(Certificate({.valid_from = -48h, .valid_to = -24h, .issuer = &folder.authority}));
    CHECK(told(folder.certificate().string() + ": the certificate expired on "));
  }
  CHECK(serves(endpoint, folder.own));
  // The next good files are used.
  const Certificate renewed({.valid_to = 48h, .issuer = &folder.authority});
  folder.renew(renewed);
  CHECK(wait_until([&] { return serves(endpoint, renewed); }));
  CHECK(wait_until([&] { return !server.log_lines_with(kChanged).empty(); }));
}

TEST_CASE("TlsReload: a reload takes the names of other files, and does not turn TLS off", "[process]") {
  const TlsFolder folder;
  const TlsFolder other;
  Server server(identity_config({{.workers = 1}}, {folder.listen()}));
  REQUIRE(server.wait_until_ready());
  const auto port = tls_endpoint(server, nullptr).port;
  server.rewrite_config(identity_config({{.workers = 1}}, {other.listen()}));
  server.send_signal(SIGHUP);
  const Endpoint changed{port, {}, tls_client(other.authority)};
  CHECK(wait_until([&] { return HttpClient(changed).get("/healthz").status == 200; }));
  CHECK(server.log_lines_with("cannot change while the server runs").empty());
  server.rewrite_config(identity_config({{.workers = 1}}, {"listen: [\"127.0.0.1:0\", \"127.0.0.1:0\"]"}));
  server.send_signal(SIGHUP);
  CHECK(
      wait_until([&] { return !server.log_lines_with("server.listen cannot change while the server runs").empty(); }));
  CHECK(HttpClient(changed).get("/healthz").status == 200);
}

TEST_CASE("TlsReload: a server with files that cannot be used does not start", "[process]") {
  const TlsFolder folder;
  std::filesystem::permissions(folder.key(), std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  ServerOptions options;
  options.config = identity_config({{.workers = 1}}, {folder.listen()});
  const bool checks = GENERATE(false, true);
  if (checks) options.arguments = {"--check"};
  Server server(options);
  CHECK(server.wait_for_exit() == exited(1));
  CHECK(server.log_lines_with("cannot start: " + folder.key().string() + ": every user may read this key").size() == 1);
}

}  // namespace yolod::tests
