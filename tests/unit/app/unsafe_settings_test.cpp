#include "app/unsafe_settings.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace yolod::app {
namespace {

using common::AccessMode;
using common::Config;

Config listening_at(const std::string& address) {
  Config config;
  config.server.listen = {{address}};
  return config;
}

// Checks that this is the single problem of the config, and that its message has these words.
void check_refused(const Config& config, const std::string& key, std::initializer_list<const char*> words) {
  const auto problems = unsafe_settings(config);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].key == key);
  CHECK(problems[0].message.find('\n') == std::string::npos);
  for (const auto* word : words) {
    CAPTURE(word, problems[0].message);
    CHECK(problems[0].message.find(word) != std::string::npos);
  }
}

TEST_CASE("Unsafe: only loopback addresses and unix sockets are private", "[app][unit]") {
  for (const auto* address : {"127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "unix:/run/x", "http://127.0.0.1:80",
                              "https://[::1]:443", "[::ffff:127.0.0.1]:80"}) {
    CAPTURE(address);
    CHECK_FALSE(is_public(address));
  }
  for (const auto* address : {"0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[::1:1]:80", "http://0.0.0.0:80",
                              "https://[2001:db8::1]:443", "[::ffff:10.0.0.1]:80"}) {
    CAPTURE(address);
    CHECK(is_public(address));
  }
}

TEST_CASE("Unsafe: a public listener with open access is refused with the ways out", "[app][unit]") {
  const std::string address = GENERATE("0.0.0.0:80", "192.0.2.1:80", "[::]:80");
  auto config = listening_at(address);
  check_refused(config, "server.listen", {address.c_str(), "server.api_keys_file", "server.insecure: true"});
  config.server.listen = {{"127.0.0.1:80"}, {address}};
  check_refused(config, "server.listen", {address.c_str()});
  config.server.insecure = true;
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: a public listener with keys is safe", "[app][unit]") {
  auto config = listening_at("0.0.0.0:80");
  config.access.mode = AccessMode::kKeys;
  config.server.api_keys_file = "/etc/yolod/keys";
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: a public listener that asks for client certificates is safe", "[app][unit]") {
  auto config = listening_at("0.0.0.0:443");
  config.server.tls = {"c", "k", "ca"};
  CHECK(unsafe_settings(config).empty());
  config.server.listen[0].tls = {"own", "own", ""};
  check_refused(config, "server.listen", {"0.0.0.0:443"});
  config.server.listen[0].tls.client_ca = "own";
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: keys are refused if no key can be valid", "[app][unit]") {
  auto config = listening_at("127.0.0.1:80");
  config.access.mode = AccessMode::kKeys;
  check_refused(config, "access.mode", {"server.api_keys_file", "accounts"});
  SECTION("a file") { config.server.api_keys_file = "/etc/yolod/keys"; }
  SECTION("SQLite") { config.server.state_dir = "/var/lib/yolod"; }
  SECTION("PostgreSQL") { config.postgres.emplace(); }
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: a well-known password of the database is refused with a public listener", "[app][unit]") {
  Config config;
  config.access.mode = AccessMode::kKeys;
  config.postgres.emplace();
  config.postgres->password = GENERATE("root", "postgres");
  const std::string own = GENERATE("127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "unix:/run/x");
  config.server.listen = {{own}};
  CHECK(unsafe_settings(config).empty());
  config.server.listen.push_back({GENERATE("0.0.0.0:80", "192.0.2.1:80", "[::]:80")});
  check_refused(config, "postgres.password", {"another password", "listen only at 127.0.0.1"});
  config.postgres->password = "Ahpoh7lieX0i";
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: the password in a file is checked too", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  Config config = listening_at("0.0.0.0:80");
  config.access.mode = AccessMode::kKeys;
  config.postgres.emplace();
  config.postgres->password = "not used";
  config.postgres->password_file = folder.write("password", "postgres\r\n");
  check_refused(config, "postgres.password_file", {"another password", "listen only at 127.0.0.1"});
  config.server.listen = {{"127.0.0.1:80"}};
  CHECK(unsafe_settings(config).empty());
  config.server.listen = {{"0.0.0.0:80"}};
  // The process with the accounts says what is wrong with such a file.
  const std::string text = GENERATE("Ahpoh7lieX0i\n", "", "root or not\n", "long");
  folder.write("password", text == "long" ? std::string(10'000, 'x') : text);
  CHECK(unsafe_settings(config).empty());
  config.postgres->password_file = folder.path() / "none";
  CHECK(unsafe_settings(config).empty());
}

TEST_CASE("Unsafe: keys for every client who registers are a warning", "[app][unit]") {
  Config config;
  config.server.state_dir = "/somewhere";
  config.access.register_policy = common::RegisterPolicy::kOpen;
  CHECK(warnings_of(config).empty());
  config.access.mode = AccessMode::kKeys;
  REQUIRE(warnings_of(config).size() == 1);
  CHECK(warnings_of(config).front().find("access.register: open") == 0);
  config.access.register_policy = common::RegisterPolicy::kInvite;
  CHECK(warnings_of(config).empty());
  config.access.register_policy = common::RegisterPolicy::kOpen;
  config.server.state_dir.clear();  // no accounts
  CHECK(warnings_of(config).empty());
}

TEST_CASE("Unsafe: a socket of the service manager is checked like an address of the config", "[app][unit]") {
  auto config = listening_at("127.0.0.1:8080");
  CHECK(check_open_addresses(config, {"http://127.0.0.1:9000", "unix:/run/x"}).ok());
  const auto refused = check_open_addresses(config, {"http://127.0.0.1:9000", "http://0.0.0.0:80"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == common::ErrorCode::kForbidden);
  CHECK(refused.error().message.find("http://0.0.0.0:80") != std::string::npos);
  CHECK(refused.error().message.find("server.insecure: true") != std::string::npos);
  config.server.insecure = true;
  CHECK(check_open_addresses(config, {"http://0.0.0.0:80"}).ok());
  config.server.insecure = false;
  config.access.mode = AccessMode::kKeys;
  CHECK(check_open_addresses(config, {"http://0.0.0.0:80"}).ok());
  CHECK_FALSE(check_open_addresses(listening_at("0.0.0.0:8080"), {}).ok());
}

}  // namespace
}  // namespace yolod::app
