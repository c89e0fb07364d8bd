// The settings of a whole front-end: which of them stop its start, and which of them a reload changes.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/accounts/protocol/digest.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/app/front_end_bench.hpp"

namespace yolod::app {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr const char* kReloaded = R"({"success":true})";

class ReloadingBench : public FrontEndBench {
 public:
  // Each reload reads `config` with the changes that `change` makes to it. `change` runs in the front-end's process,
  // and `reload` counts the reloads from 1.
  void start_with(std::function<void(common::Config&, int reload)> change) {
    start(RunMode::kServe, [this, change = std::move(change)]() -> std::optional<common::Config> {
      auto changed = config;
      change(changed, ++reloads_);
      return changed;
    });
    REQUIRE(becomes_ready());
  }

 private:
  int reloads_{0};  // in the front-end's process
};

void write_keys(const std::string& file, const std::string& key) {
  std::ofstream(file) << "ci:" << accounts::protocol::to_hex(accounts::protocol::digest_of(key)) << '\n';
  chmod(file.c_str(), 0600);
}

// ---- the start ----

TEST_CASE("FrontEnd: files that the settings name and that cannot be used end the start", "[app][unit]") {
  FrontEndBench bench;
  int code = 0;
  SECTION("the file of API keys") {
    bench.config.server.api_keys_file = bench.path("no such file");
    code = 2;
  }
  SECTION("the audit log") {
    bench.config.access.audit_log = bench.path("no such folder/audit");
    code = 1;
  }
  SECTION("the certificate") {
    bench.config.server.listen = {{"127.0.0.1:0"}};
    bench.config.server.tls = {bench.path("no such file"), bench.path("no such file"), {}};
    code = 1;
  }
  SECTION("the folder of models") {
    bench.config.server.models_dir = bench.path("no such folder");
    code = 1;
  }
  SECTION("the folder of the accounts") {
    bench.config.server.state_dir = bench.path("no such folder/state");
    code = 1;
  }
  SECTION("the folder of the admin socket") {
    bench.config.server.admin_listen = "unix:" + bench.path("no such folder/admin");
    code = 1;
  }
  bench.start();
  CHECK(bench.exit_code() == code);
  CHECK_THAT(bench.text_of("log"), Contains("cannot start: "));
}

TEST_CASE("FrontEnd: a check reads the certificates, and writes no audit log", "[app][unit]") {
  FrontEndBench bench;
  bench.config.access.audit_log = bench.path("audit");
  bench.config.server.listen = {{"127.0.0.1:0"}};
  bench.config.server.tls = {bench.path("no such file"), bench.path("no such file"), {}};
  bench.start(RunMode::kCheck);
  CHECK(bench.exit_code() == 1);
  CHECK_FALSE(std::filesystem::exists(bench.path("audit")));
}

// ---- reloads ----

TEST_CASE("FrontEnd: a reload logs the settings that need a restart, and takes over the others", "[app][unit]") {
  ReloadingBench bench;
  bench.start_with([](common::Config& changed, int /*reload*/) {
    changed.server.listen = {{"127.0.0.1:1"}};
    changed.server.state_dir = "/nowhere";
    changed.memory.input_arena_bytes += 1;
    changed.deepstack.enabled = false;
    changed.server.max_body_bytes = 2;  // a reload may change this setting
    changed.warnings.emplace_back("a warning of the config");
  });
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  for (const char* key : {"server.listen", "server.state_dir", "memory.input_arena", "deepstack.enabled"}) {
    CHECK(bench.logs(std::string("reload: ") + key + " cannot change while the server runs; restart it"));
  }
  CHECK(bench.logs("a warning of the config"));
  CHECK_THAT(bench.predict(), StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(bench.get("/v1/status/ping"), StartsWith("HTTP/1.1 200 "));  // DeepStack's routes stay
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: if a reload names a log that cannot be opened, the server keeps its log", "[app][unit]") {
  ReloadingBench bench;
  bench.start_with([](common::Config& changed, int /*reload*/) { changed.logging.file = "/nowhere/log"; });
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  CHECK(bench.logs("/nowhere/log"));
  std::filesystem::rename(bench.path("log"), bench.path("old log"));
  bench.send_signal(SIGUSR1);
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  CHECK_THAT(bench.text_of("log"), Contains("stopped"));
}

TEST_CASE("FrontEnd: a reload changes the mode of access and the keys", "[app][unit]") {
  ReloadingBench bench;
  const std::string keys = bench.path("keys");
  write_keys(keys, "first");
  bench.config.access.mode = common::AccessMode::kKeys;
  bench.config.server.api_keys_file = keys;
  bench.config.access.audit_log = bench.path("audit");
  bench.start_with([](common::Config& changed, int reload) {
    if (reload == 2) changed.server.api_keys_file += ".missing";
    if (reload == 3) changed.access.mode = common::AccessMode::kOpen;
    if (reload == 4) changed.access.audit_log = "/nowhere/audit";
    if (reload == 5) changed.server.api_keys_file.clear();
  });
  const std::string first = "Authorization: Bearer first\r\n";
  const std::string second = "Authorization: Bearer second\r\n";
  CHECK_THAT(bench.predict(), StartsWith("HTTP/1.1 401 "));
  CHECK_THAT(bench.predict(first), StartsWith("HTTP/1.1 200 "));

  write_keys(keys, "second");
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  CHECK_THAT(bench.predict(first), StartsWith("HTTP/1.1 401 "));
  CHECK_THAT(bench.predict(second), StartsWith("HTTP/1.1 200 "));

  CHECK_THAT(bench.reload(), Contains(kReloaded));  // the second: a file that is missing leaves the keys
  CHECK(bench.logs("reload: the API keys and access.mode are not changed"));
  CHECK_THAT(bench.predict(second), StartsWith("HTTP/1.1 200 "));

  CHECK_THAT(bench.reload(), Contains(kReloaded));  // the third: no key is needed
  CHECK_THAT(bench.predict(), StartsWith("HTTP/1.1 200 "));

  CHECK_THAT(bench.reload(), Contains(kReloaded));  // the fourth: keys again, and the audit log stays
  CHECK(bench.logs("reload: access.audit_log is not changed"));
  CHECK_THAT(bench.predict(), StartsWith("HTTP/1.1 401 "));

  CHECK_THAT(bench.reload(), Contains(kReloaded));  // the fifth: with keys no client could come in
  CHECK(bench.logs("reload: access.mode is not changed: keys needs server.api_keys_file"));
  CHECK_THAT(bench.predict(second), StartsWith("HTTP/1.1 200 "));

  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  const auto audit = bench.text_of("audit");
  CHECK_THAT(audit, Contains(R"("event":"start")") && Contains(R"("event":"reload")") && Contains(R"("event":"stop")"));
  CHECK_THAT(audit, Contains(R"("event":"credential")"));
}

TEST_CASE("FrontEnd: a reload does not open a server that other machines reach", "[app][unit]") {
  ReloadingBench bench;
  write_keys(bench.path("keys"), "first");
  bench.config.access.mode = common::AccessMode::kKeys;
  bench.config.server.api_keys_file = bench.path("keys");
  bench.config.server.listen.push_back({"0.0.0.0:0"});
  bench.start_with([](common::Config& changed, int /*reload*/) {
    changed.access.mode = common::AccessMode::kOpen;
    changed.server.listen = {{"127.0.0.1:0"}};  // needs a restart
  });
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  CHECK(bench.logs("reload: access.mode is not changed: other machines can reach 0.0.0.0:0"));
  CHECK_THAT(bench.predict(), StartsWith("HTTP/1.1 401 "));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

// ---- TLS ----

common::UniqueFd connected_to(int port) {
  common::UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

// Returns the first bytes that the server answers to a request without TLS.
std::string ask_plainly(int port) {
  const auto client = connected_to(port);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  REQUIRE(send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  std::string answer(1024, '\0');
  const ssize_t bytes = recv(client.get(), answer.data(), answer.size(), 0);
  answer.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return answer;
}

// Returns whether a client that shows no certificate completes its handshake.
bool shakes_hands(int port) {
  const auto client = connected_to(port);
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const std::shared_ptr<SSL> tls(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(tls.get(), client.get());
  return SSL_connect(tls.get()) == 1;
}

TEST_CASE("FrontEnd: handshakes are counted, and a reload takes other files", "[app][unit]") {
  ReloadingBench bench;
  const tests::Certificate before({});
  const tests::Certificate after({.valid_to = std::chrono::hours(24 * 1000)});
  before.write_certificate(bench.path("cert"));
  before.write_key(bench.path("key"));
  after.write_certificate(bench.path("next cert"));
  after.write_key(bench.path("next key"));
  bench.config.server.listen.push_back({"127.0.0.1:0"});
  bench.config.server.tls = {bench.path("cert"), bench.path("key"), {}};
  bench.start_with([&bench](common::Config& changed, int reload) {
    changed.server.tls = {bench.path(reload == 1 ? "next cert" : "no cert"), bench.path("next key"), {}};
  });
  const auto expiry = [&bench] {
    const auto metrics = bench.get("/metrics", "admin");
    const auto at = metrics.find("yolod_tls_not_after_seconds{");
    return at == std::string::npos ? std::string() : metrics.substr(at, metrics.find('\n', at) - at);
  };
  const auto first = expiry();
  CHECK_THAT(first, Contains("https://127.0.0.1:"));
  const int port = std::atoi(first.c_str() + first.find("127.0.0.1:") + 10);
  CHECK_THAT(ask_plainly(port), StartsWith("HTTP/1.1 400"));
  CHECK(shakes_hands(port));
  connected_to(port).reset();  // this client leaves before its handshake
  for (const char* result : {"plain_http", "done", "failed"}) {
    const auto line = std::string("yolod_tls_handshakes_total{result=\"") + result + "\"} 1";
    CHECK(FrontEndBench::until([&] { return bench.get("/metrics", "admin").find(line) != std::string::npos; }));
  }
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  const auto second = expiry();
  CHECK(second != first);
  CHECK_THAT(bench.reload(), Contains(kReloaded));
  CHECK(bench.logs("the new certificate is not used, and the certificate before it stays"));
  CHECK(expiry() == second);
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

}  // namespace
}  // namespace yolod::app
