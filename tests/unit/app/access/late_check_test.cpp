#include "app/access/late_check.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>

#include "app/accounts/protocol/digest.hpp"

namespace yolod::app::access::late_check_test {
namespace {

using accounts::protocol::digest_of;
using common::AccessMode;
using common::ErrorCode;

FileKey key_named(const std::string& token, std::uint32_t scopes) { return {token, digest_of(token), scopes}; }

// A request at a route whose key is in the body.
struct LateBench {
  explicit LateBench(AccessMode mode = AccessMode::kKeys) : gate(config_with(mode)) {
    gate.door().use_file_keys(
        {key_named("one", accounts::protocol::kScopePredict), key_named("reader", accounts::protocol::kScopeModels)});
  }
  static const common::AccessConfig& config_with(AccessMode mode) {
    static common::AccessConfig config;
    config = {};
    config.mode = mode;
    config.per_key.requests_in_flight = 1;
    return config;
  }
  // Comes to the gate with this token in the head. Returns the check that follows the body.
  std::optional<LateCheck> come(std::string_view token) {
    ticket.clear();
    caller = {};
    const bool is_late = token.empty();
    Knock knock{{}, {}, Need::kPredict, common::Clock::time_point(), 1};
    if (!is_late) knock.credential = {Credential::Kind::kKey, token};
    if (gate.admit(knock, presence, "id", caller, ticket, is_late ? KeyPlace::kBody : KeyPlace::kHead)) return {};
    return LateCheck(gate, ticket, knock, caller, "id", is_late);
  }
  // Returns the error of a request with these tokens, or nothing if it may come in.
  std::optional<ErrorCode> ask(std::string_view in_head, std::string_view in_body) {
    auto check = come(in_head);
    if (!check) return ErrorCode::kUnauthorized;
    CHECK(check->is_pending() == (in_head.empty() && gate.mode() == AccessMode::kKeys));
    const auto refused = check->check(in_body);
    return refused ? std::optional(refused->code) : std::nullopt;
  }
  std::uint64_t count(std::string_view result) {
    std::uint64_t found = 0;
    gate.for_each_result([&](std::string_view name, std::uint64_t times) {
      if (name == result) found = times;
    });
    return found;
  }

  Gate gate;
  Limits::Presence presence{gate.limits(), {}};
  Limits::Ticket ticket;
  Caller caller;
};

TEST_CASE("LateCheck: a key in the body is checked like a key in the head", "[app][access][unit]") {
  LateBench bench;
  CHECK_FALSE(bench.ask("", "one"));
  CHECK_FALSE(bench.ask("", " one "));
  CHECK(bench.ask("", "") == ErrorCode::kUnauthorized);
  CHECK(bench.ask("", "two") == ErrorCode::kUnauthorized);
  CHECK(bench.ask("", "reader") == ErrorCode::kForbidden);
  CHECK(bench.ask("", std::string(300, 'x')) == ErrorCode::kUnauthorized);
  CHECK(bench.count("accepted") == 2);
  CHECK(bench.count("no_credential") == 1);
  CHECK(bench.count("unknown") == 2);
  CHECK(bench.count("missing_scope") == 1);
}

TEST_CASE("LateCheck: a request is counted for the key of its body until its ticket is cleared",
          "[app][access][unit]") {
  LateBench bench;
  CHECK_FALSE(bench.ask("", "one"));
  Limits::Ticket second;
  Caller caller;
  LateCheck check(bench.gate, second, {{}, {}, Need::kPredict, {}, 1}, caller, "id", true);
  CHECK(check.check("one")->code == ErrorCode::kTooManyRequests);
  second.clear();
  bench.ticket.clear();
  CHECK_FALSE(bench.ask("", "one"));
}

TEST_CASE("LateCheck: the keys of the head and of the body must not differ", "[app][access][unit]") {
  LateBench bench;
  CHECK_FALSE(bench.ask("one", ""));
  CHECK_FALSE(bench.ask("one", "one"));
  CHECK(bench.ask("one", "two") == ErrorCode::kBadRequest);
  CHECK(bench.count("ambiguous") == 1);
}

TEST_CASE("LateCheck: with open access no key of the body is refused", "[app][access][unit]") {
  LateBench bench(AccessMode::kOpen);
  for (const char* in_head : {"", "one", "wrong"}) {
    for (const char* in_body : {"", "one", "wrong"}) {
      CAPTURE(in_head, in_body);
      CHECK_FALSE(bench.ask(in_head, in_body));
    }
  }
}

}  // namespace
}  // namespace yolod::app::access::late_check_test
