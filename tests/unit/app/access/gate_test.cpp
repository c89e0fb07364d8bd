#include "app/access/gate.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::access::gate_test {
namespace {

namespace fs = std::filesystem;
using common::AccessMode;
using common::Config;
using common::ErrorCode;

constexpr common::Clock::time_point kStart{std::chrono::hours(1)};
constexpr accounts::protocol::Seconds kToday = 1'800'000'000;

Network client() { return Network::of(*common::IpAddress::parse("192.0.2.1")); }

struct GateBench {
  tests::TemporaryDirectory folder;
  fs::path keys{folder.path() / "keys"};
  fs::path audit_file{folder.path() / "audit.log"};
  Config config;

  GateBench() {
    config.access.mode = AccessMode::kKeys;
    config.access.audit_log = audit_file;
    config.server.api_keys_file = keys;
    write_keys({"one"});
  }
  // Writes a file of valid keys. A key has its token as its name.
  void write_keys(const std::vector<std::string>& tokens, fs::perms mode = fs::perms(0600)) const {
    std::string text;
    for (const auto& token : tokens) {
      text += token + ":" + accounts::protocol::to_hex(accounts::protocol::digest_of(token)) + "\n";
    }
    folder.write("keys", text);
    fs::permissions(keys, mode);
  }
  [[nodiscard]] std::vector<boost::json::object> audit_lines() const {
    std::vector<boost::json::object> lines;
    std::ifstream in(audit_file);
    for (std::string line; std::getline(in, line);) lines.push_back(boost::json::parse(line).as_object());
    return lines;
  }
};

struct Asked {
  std::optional<common::Error> refused;
  Caller caller;
  [[nodiscard]] std::optional<ErrorCode> code() const { return refused ? std::optional(refused->code) : std::nullopt; }
};

Asked ask(Gate& gate, std::string_view token, Need need = Need::kPredict, common::Clock::time_point now = kStart) {
  const Limits::Presence presence(gate.limits(), client());
  Limits::Ticket ticket;
  Asked asked;
  const auto kind = token.empty() ? Credential::Kind::kNone : Credential::Kind::kKey;
  asked.refused = gate.admit({{kind, token}, client(), need, now, kToday}, presence, "id-1", asked.caller, ticket);
  return asked;
}

std::map<std::string, std::uint64_t, std::less<>> results_of(const Gate& gate) {
  std::map<std::string, std::uint64_t, std::less<>> counts;
  gate.for_each_result([&](std::string_view name, std::uint64_t count) { counts.emplace(name, count); });
  gate.for_each_limit([&](std::string_view name, std::uint64_t count) { counts.emplace(name, count); });
  return counts;
}

TEST_CASE("Gate: the keys of the file are valid from the start", "[app][access][unit]") {
  const GateBench bench;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  const auto asked = ask(gate, "one");
  CHECK_FALSE(asked.refused);
  CHECK(asked.caller.name == "one");
  CHECK(asked.caller.network == client());
  CHECK(ask(gate, "two").code() == ErrorCode::kUnauthorized);
  CHECK(ask(gate, "").code() == ErrorCode::kUnauthorized);
  CHECK(ask(gate, "one", Need::kAdmin).code() == ErrorCode::kForbidden);
}

TEST_CASE("Gate: a bad file of keys is an error of the config", "[app][access][unit]") {
  GateBench bench;
  SECTION("absent") { fs::remove(bench.keys); }
  SECTION("readable by others") { bench.write_keys({"one"}, fs::perms(0644)); }
  SECTION("not a key") { bench.folder.write("keys", "one:two\n"); }
  Gate gate(bench.config.access);
  const auto opened = gate.open(bench.config);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::kBadConfig);
  CHECK(opened.error().message.starts_with("server.api_keys_file: "));
}

TEST_CASE("Gate: an audit log that cannot be opened is an error", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.audit_log = bench.folder.path() / "absent" / "audit.log";
  Gate gate(bench.config.access);
  const auto opened = gate.open(bench.config);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::kSystem);
}

TEST_CASE("Gate: a reload takes over new keys, and a bad file changes nothing", "[app][access][unit]") {
  const GateBench bench;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  bench.write_keys({"two"});
  CHECK_FALSE(ask(gate, "one").refused);  // until the reload
  gate.take_over(bench.config, false);
  CHECK(ask(gate, "one").refused);
  CHECK_FALSE(ask(gate, "two").refused);

  bench.folder.write("keys", "nonsense");
  auto opened = bench.config;
  opened.access.mode = AccessMode::kOpen;
  gate.take_over(GENERATE(true, false) ? bench.config : opened, false);
  CHECK_FALSE(ask(gate, "two").refused);
  CHECK(ask(gate, "").code() == ErrorCode::kUnauthorized);
}

TEST_CASE("Gate: a reload takes over access.mode and the limits", "[app][access][unit]") {
  GateBench bench;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  auto changed = bench.config;
  changed.server.api_keys_file.clear();
  changed.access.mode = AccessMode::kOpen;
  changed.access.per_address.requests_per_second = 2;
  gate.take_over(changed, false);
  CHECK_FALSE(ask(gate, "").refused);
  CHECK_FALSE(ask(gate, "one").refused);  // no key is known any more, and none is needed
  CHECK(ask(gate, "").code() == ErrorCode::kTooManyRequests);
  // Only a restart adds accounts. Without accounts and without a file, the mode keys would refuse every request.
  changed.access.mode = AccessMode::kKeys;
  changed.server.state_dir = "/somewhere";
  gate.take_over(changed, false);
  CHECK_FALSE(ask(gate, "", Need::kPredict, kStart + std::chrono::seconds(5)).refused);
  gate.take_over(changed, true);
  CHECK(ask(gate, "", Need::kPredict, kStart + std::chrono::seconds(9)).code() == ErrorCode::kUnauthorized);
}

TEST_CASE("Gate: requests that every client may send have no limit and are not counted", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.per_address.requests_per_second = 1;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(ask(gate, "", Need::kNothing).refused);
  for (const auto& [name, count] : results_of(gate)) CHECK(count == 0);
}

TEST_CASE("Gate: the limit of an address also stops requests with a wrong key", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.per_address.requests_per_second = 3;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  for (int i = 0; i < 3; ++i) CHECK(ask(gate, "wrong").code() == ErrorCode::kUnauthorized);
  CHECK(ask(gate, "wrong").code() == ErrorCode::kTooManyRequests);
  CHECK(ask(gate, "one").code() == ErrorCode::kTooManyRequests);
}

// Returns whether the accounts hear of a use of the credential that these requests have sent.
bool was_used(Gate& gate, int minute) { return !gate.door().next_touches(kToday + 60 * minute).uses.empty(); }

TEST_CASE("Gate: only a request that came in is a use of its key or session", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.per_key.requests_per_second = 1;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  accounts::protocol::AccessEntry entry;
  entry.digest = accounts::protocol::digest_of("yld_a");
  entry.kind = accounts::protocol::EntryKind::kKey;
  entry.key = 1;
  entry.scopes = accounts::protocol::kScopePredict;
  REQUIRE(gate.door().apply(accounts::protocol::SnapshotBegin{1, 1}));
  REQUIRE(gate.door().apply(accounts::protocol::SnapshotEntries{{entry}}));
  REQUIRE(gate.door().apply(accounts::protocol::SnapshotEnd{1, 1}));
  CHECK(ask(gate, "yld_a", Need::kAdmin).code() == ErrorCode::kForbidden);
  CHECK_FALSE(ask(gate, "yld_a", Need::kNothing).refused);
  CHECK_FALSE(was_used(gate, 1));
  CHECK_FALSE(ask(gate, "yld_a").refused);
  CHECK(was_used(gate, 2));
  CHECK(ask(gate, "yld_a").code() == ErrorCode::kTooManyRequests);
  CHECK_FALSE(was_used(gate, 3));
}

TEST_CASE("Gate: a trusted proxy says which client a request comes from", "[app][access][unit]") {
  GateBench bench;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  const PeerAddress proxy(*common::IpAddress::parse("10.0.0.5"));
  Forwarding forwarding;
  forwarding.x_forwarded_for.add("203.0.113.9");
  CHECK(gate.client_of(proxy, forwarding).to_string() == "10.0.0.5");
  CHECK(gate.owner_of(proxy).to_string() == "10.0.0.5");
  bench.config.server.trusted_proxies = {"10.0.0.0/8"};
  gate.take_over(bench.config, false);
  CHECK(gate.client_of(proxy, forwarding).to_string() == "203.0.113.9");
  CHECK(gate.client_of(proxy, {}).to_string() == "10.0.0.5");
  CHECK_FALSE(gate.owner_of(proxy).is_known());
  const PeerAddress stranger(*common::IpAddress::parse("192.0.2.1"));
  CHECK(gate.client_of(stranger, forwarding).to_string() == "192.0.2.1");
}

TEST_CASE("Gate: a client of a trusted unix socket has limits, whatever its fields are", "[app][access][unit]") {
  GateBench bench;
  bench.config.server.trusted_proxies = {"unix"};
  bench.config.server.forwarded_header = common::ForwardedHeader::kForwarded;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  Forwarding unreadable;
  unreadable.forwarded.add("for=\"");
  Forwarding ignored;
  ignored.x_forwarded_for.add("203.0.113.9");
  for (const Forwarding& forwarding : {Forwarding(), unreadable, ignored}) {
    CHECK(gate.client_of(PeerAddress::unix_socket(), forwarding) == Network::hidden());
  }
}

TEST_CASE("Gate: each result is counted", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.per_key.requests_per_second = 2;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  for (int i = 0; i < 5; ++i) (void)ask(gate, "one");
  (void)ask(gate, "wrong");
  (void)ask(gate, "");
  (void)ask(gate, "");
  (void)ask(gate, "one", Need::kAdmin);
  const auto counts = results_of(gate);
  CHECK(counts.at("accepted") == 2);
  CHECK(counts.at("per_key.requests_per_second") == 3);
  CHECK(counts.at("unknown") == 1);
  CHECK(counts.at("no_credential") == 2);
  CHECK(counts.at("missing_scope") == 1);
  CHECK(counts.at("anonymous") == 0);
  CHECK(counts.at("per_address.connections") == 0);
}

TEST_CASE("Gate: refusals are in the audit log, without the key that was sent", "[app][access][unit]") {
  GateBench bench;
  bench.config.access.per_key.requests_per_second = 1;
  Gate gate(bench.config.access);
  REQUIRE(gate.open(bench.config));
  (void)ask(gate, "yld_a_wrong_key");
  (void)ask(gate, "");
  (void)ask(gate, "one");
  (void)ask(gate, "one");
  const auto lines = bench.audit_lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("event") == "credential");
  CHECK(lines[0].at("result") == "refused");
  CHECK(lines[0].at("detail") == "unknown");
  CHECK(lines[0].at("address") == "192.0.2.1");
  CHECK(lines[0].at("request_id") == "id-1");
  CHECK(lines[1].at("event") == "limit");
  CHECK(lines[1].at("subject") == "per_key.requests_per_second");
  CHECK(lines[1].at("name") == "one");
  CHECK(tests::read_file(bench.audit_file).find("yld_") == std::string::npos);
}

}  // namespace
}  // namespace yolod::app::access::gate_test
