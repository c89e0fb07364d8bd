#include "app/access/door.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/accounts/protocol/tokens.hpp"
#include "common/sanitizers.hpp"

namespace yolod::app::access::door_test {
namespace {

namespace protocol = accounts::protocol;
using common::AccessConfig;
using common::AccessMode;
using std::chrono::minutes;

constexpr protocol::Seconds kDate = 1'800'000'000;
const common::Clock::time_point kNow{std::chrono::hours(1)};

AccessConfig keys_needed() {
  AccessConfig config;
  config.mode = AccessMode::kKeys;
  return config;
}

Credential key(std::string_view token) { return {Credential::Kind::kKey, token}; }
Credential session(std::string_view token) { return {Credential::Kind::kSession, token}; }

FileKey file_key(std::string name, std::string_view token) {
  FileKey made;
  made.name = std::move(name);
  made.digest = protocol::digest_of(token);
  return made;
}

protocol::AccessEntry entry_of(std::string_view token, protocol::EntryKind kind = protocol::EntryKind::kKey) {
  protocol::AccessEntry entry;
  entry.digest = protocol::digest_of(token);
  entry.kind = kind;
  entry.key = kind == protocol::EntryKind::kKey ? 7 : 0;
  entry.person = 3;
  entry.name = "ada";
  entry.scopes = protocol::kScopeModels | protocol::kScopePredict;
  return entry;
}

// Gives the door a whole snapshot.
void tell(Door& door, std::vector<protocol::AccessEntry> entries, std::uint64_t version = 1) {
  const auto count = entries.size();
  REQUIRE(door.apply(protocol::SnapshotBegin{version}));
  if (count != 0) REQUIRE(door.apply(protocol::SnapshotEntries{std::move(entries)}));
  REQUIRE(door.apply(protocol::SnapshotEnd{version, count}));
}

struct Result {
  std::optional<Refusal> refusal;
  Caller caller;
};
Result ask(Door& door, const Credential& credential, Need need = Need::kPredict, common::Clock::time_point now = kNow,
           protocol::Seconds date = kDate) {
  Result result;
  result.refusal = door.admit({credential, Network(), need, now, date}, result.caller);
  return result;
}

TEST_CASE("Door: with open access a client without a key may predict and observe, and nothing else",
          "[app][access][unit]") {
  Door door{AccessConfig{}};
  for (const Need need : {Need::kNothing, Need::kModels, Need::kPredict, Need::kObserve}) {
    const auto result = ask(door, {}, need);
    CHECK_FALSE(result.refusal);
    CHECK(result.caller.kind == Caller::Kind::kAnonymous);
    CHECK(result.caller.has(protocol::kScopePredict));
    CHECK_FALSE(result.caller.has(protocol::kScopeAdmin));
  }
  for (const Need need : {Need::kLoad, Need::kAdmin, Need::kIdentity}) {
    CHECK(ask(door, {}, need).refusal == Refusal::kNoCredential);
  }
}

TEST_CASE("Door: with open access the door treats a wrong key like no key", "[app][access][unit]") {
  Door door{AccessConfig{}};
  CHECK_FALSE(ask(door, key("wrong")).refusal);
  CHECK(ask(door, key("wrong")).caller.kind == Caller::Kind::kAnonymous);
  CHECK(ask(door, key("wrong"), Need::kAdmin).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: with keys only the probes are open", "[app][access][unit]") {
  Door door(keys_needed());
  CHECK_FALSE(ask(door, {}, Need::kNothing).refusal);
  CHECK(ask(door, {}, Need::kNothing).caller.scopes == 0);
  for (const Need need : {Need::kModels, Need::kPredict, Need::kObserve, Need::kLoad, Need::kAdmin, Need::kIdentity}) {
    CHECK(ask(door, {}, need).refusal == Refusal::kNoCredential);
  }
}

TEST_CASE("Door: a key of the file comes in with its scopes and name", "[app][access][unit]") {
  Door door(keys_needed());
  door.use_file_keys({file_key("ci", "secret"), file_key("other", "other secret")});
  const auto result = ask(door, key("secret"));
  CHECK_FALSE(result.refusal);
  CHECK(result.caller.kind == Caller::Kind::kFileKey);
  CHECK(result.caller.name == "ci");
  CHECK_FALSE(result.caller.actor(true));
  CHECK(ask(door, key("secret"), Need::kLoad).refusal == Refusal::kMissingScope);
  CHECK(ask(door, key("secret "), Need::kPredict).refusal == Refusal::kUnknownCredential);
  CHECK(ask(door, key(protocol::to_hex(protocol::digest_of("secret")))).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: a WebSocket is checked again by the digest of its key", "[app][access][unit]") {
  Door door(keys_needed());
  door.use_file_keys({file_key("ci", "secret")});
  Knock knock{key({}), Network(), Need::kPredict, kNow, kDate};
  knock.known_digest = protocol::digest_of("secret");
  Caller caller;
  CHECK_FALSE(door.admit(knock, caller));
  CHECK(caller.name == "ci");
  door.use_file_keys({});
  CHECK(door.admit(knock, caller) == Refusal::kUnknownCredential);
}

TEST_CASE("Door: new keys of the file replace all keys before", "[app][access][unit]") {
  Door door(keys_needed());
  door.use_file_keys({file_key("old", "old")});
  door.use_file_keys({file_key("new", "new")});
  CHECK(door.file_key_count() == 1);
  CHECK(ask(door, key("old")).refusal == Refusal::kUnknownCredential);
  CHECK_FALSE(ask(door, key("new")).refusal);
}

TEST_CASE("Door: a key is valid up to the second before it expires", "[app][access][unit]") {
  Door door(keys_needed());
  auto short_lived = file_key("ci", "secret");
  short_lived.expires = kDate + 10;
  door.use_file_keys({short_lived});
  auto entry = entry_of("key");
  entry.expires = kDate + 10;
  tell(door, {entry});
  for (const auto* token : {"secret", "key"}) {
    CHECK_FALSE(ask(door, key(token), Need::kPredict, kNow, kDate + 9).refusal);
    CHECK(ask(door, key(token), Need::kPredict, kNow, kDate + 10).refusal == Refusal::kExpiredCredential);
  }
}

TEST_CASE("Door: a key and a session of yolod-accounts come in, each by its own way alone", "[app][access][unit]") {
  Door door(keys_needed());
  tell(door, {entry_of("key"), entry_of("session", protocol::EntryKind::kSession)});
  const auto by_key = ask(door, key("key"));
  CHECK_FALSE(by_key.refusal);
  CHECK(by_key.caller.kind == Caller::Kind::kKey);
  CHECK(by_key.caller.actor(true) == protocol::Actor{protocol::ActorKind::kKey, 7});
  const auto by_session = ask(door, session("session"), Need::kIdentity);
  CHECK_FALSE(by_session.refusal);
  CHECK(by_session.caller.kind == Caller::Kind::kSession);
  CHECK(by_session.caller.actor(true) == protocol::Actor{protocol::ActorKind::kPerson, 3});
  CHECK(by_session.caller.credential == protocol::digest_of("session"));
  CHECK(ask(door, key("session")).refusal == Refusal::kUnknownCredential);
  CHECK(ask(door, session("key")).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: a revoked key is refused at once", "[app][access][unit]") {
  Door door(keys_needed());
  tell(door, {entry_of("key")});
  REQUIRE_FALSE(ask(door, key("key")).refusal);
  REQUIRE(door.apply(protocol::Changes{2, {protocol::digest_of("key")}, {}}));
  CHECK(ask(door, key("key")).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: apply tells that a message is missing", "[app][access][unit]") {
  Door door(keys_needed());
  tell(door, {entry_of("key")});
  CHECK_FALSE(door.apply(protocol::Changes{3, {}, {}}));
}

TEST_CASE("Door: several different credentials are refused", "[app][access][unit]") {
  Door door(keys_needed());
  door.use_file_keys({file_key("ci", "secret")});
  auto both = key("secret");
  both.is_ambiguous = true;
  CHECK(ask(door, both).refusal == Refusal::kAmbiguousCredential);
  CHECK_FALSE(ask(door, both, Need::kNothing).refusal);
}

TEST_CASE("Door: until the first snapshot unknown keys are neither right nor wrong", "[app][access][unit]") {
  Door door(keys_needed());
  door.use_file_keys({file_key("ci", "secret")});
  door.expect_accounts();
  CHECK(ask(door, key("key")).refusal == Refusal::kAccountsAway);
  CHECK_FALSE(ask(door, key("secret")).refusal);
  tell(door, {entry_of("key")});
  CHECK_FALSE(ask(door, key("key")).refusal);
  CHECK(ask(door, key("wrong")).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: without yolod-accounts its keys stay valid for max_stale", "[app][access][unit]") {
  AccessConfig config = keys_needed();
  config.max_stale = minutes(5);
  Door door(config);
  door.use_file_keys({file_key("ci", "secret")});
  door.expect_accounts();
  tell(door, {entry_of("key")});
  door.accounts_lost(kNow);
  door.accounts_lost(kNow + minutes(4));  // does not prolong the time
  CHECK_FALSE(ask(door, key("key"), Need::kPredict, kNow + minutes(5)).refusal);
  const auto late = kNow + minutes(5) + std::chrono::milliseconds(1);
  CHECK(ask(door, key("key"), Need::kPredict, late).refusal == Refusal::kAccountsAway);
  CHECK(ask(door, key("wrong"), Need::kPredict, late).refusal == Refusal::kAccountsAway);
  CHECK_FALSE(ask(door, key("secret"), Need::kPredict, late).refusal);
  CHECK(door.is_stale(late));

  door.forget_feed();
  CHECK(ask(door, key("key"), Need::kPredict, late).refusal == Refusal::kAccountsAway);
  tell(door, {entry_of("key")});
  CHECK_FALSE(ask(door, key("key"), Need::kPredict, late).refusal);
  CHECK_FALSE(door.is_stale(late));
}

TEST_CASE("Door: the keys of the process before stay until the snapshot of the next is complete",
          "[app][access][unit]") {
  Door door(keys_needed());
  door.expect_accounts();
  tell(door, {entry_of("key")}, 9);
  door.accounts_lost(kNow);
  door.forget_feed();
  REQUIRE(door.apply(protocol::SnapshotBegin{1}));
  REQUIRE(door.apply(protocol::SnapshotEntries{{entry_of("new")}}));
  CHECK_FALSE(ask(door, key("key")).refusal);
  CHECK(ask(door, key("new")).refusal == Refusal::kUnknownCredential);
  REQUIRE(door.apply(protocol::SnapshotEnd{1, 1}));
  CHECK(ask(door, key("key")).refusal == Refusal::kUnknownCredential);
  CHECK_FALSE(ask(door, key("new")).refusal);
  CHECK(door.apply(protocol::Changes{2, {}, {}}));
}

TEST_CASE("Door: next_touches returns each used credential once a minute", "[app][access][unit]") {
  Door door(keys_needed());
  tell(door, {entry_of("a"), entry_of("b")});
  door.use_file_keys({file_key("ci", "secret")});
  CHECK(door.next_touches(kDate).uses.empty());
  for (int i = 0; i < 3; ++i) door.touch(ask(door, key("a")).caller, kDate + i);
  door.touch(ask(door, key("secret")).caller, kDate);
  door.touch(Caller(), kDate);
  (void)ask(door, key("b"));  // not a use
  CHECK(door.next_touches(kDate + 59).uses.empty());
  const auto told = door.next_touches(kDate + 60);
  REQUIRE(told.uses.size() == 1);
  CHECK(told.uses.front() == protocol::Touch::Use{protocol::digest_of("a"), kDate});
  CHECK(door.next_touches(kDate + 61).uses.empty());
}

TEST_CASE("Door: next_touches splits many uses into several messages", "[app][access][unit]") {
  Door door(keys_needed());
  std::vector<protocol::AccessEntry> entries;
  for (int i = 0; i < 200; ++i) entries.push_back(entry_of("key " + std::to_string(i)));
  tell(door, entries);
  for (int i = 0; i < 200; ++i) door.touch(ask(door, key("key " + std::to_string(i))).caller, kDate);
  CHECK(door.next_touches(kDate).uses.size() == protocol::kMaxTouches);
  CHECK(door.next_touches(kDate).uses.size() == 200 - protocol::kMaxTouches);
  CHECK(door.next_touches(kDate).uses.empty());
}

TEST_CASE("Door: a token that is longer than any key is refused", "[app][access][unit]") {
  Door door(keys_needed());
  const std::string token(257, 'x');
  door.use_file_keys({file_key("ci", token)});
  CHECK(ask(door, key(token)).refusal == Refusal::kUnknownCredential);
}

TEST_CASE("Door: an error never names a key", "[app][access][unit]") {
  for (const auto refusal : {Refusal::kNoCredential, Refusal::kUnknownCredential, Refusal::kExpiredCredential}) {
    CHECK(explain(refusal).code == common::ErrorCode::kUnauthorized);
  }
  CHECK(explain(Refusal::kMissingScope).code == common::ErrorCode::kForbidden);
  CHECK(explain(Refusal::kAmbiguousCredential).code == common::ErrorCode::kBadRequest);
  CHECK(explain(Refusal::kAccountsAway).code == common::ErrorCode::kNotReady);
}

// Returns the processor time of this thread in microseconds.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

// Applies a snapshot of this many keys, as the client of yolod-accounts does it. Returns the longest turn of the event
// loop in microseconds.
double longest_turn(Door& door, std::uint64_t version, std::size_t count) {
  constexpr int kMessagesAtOnce = 8;
  double longest = 0;
  bool good = true;
  const auto turn = [&longest](const auto& work) {
    const double began = thread_us();
    work();
    longest = std::max(longest, thread_us() - began);
  };
  turn([&] { good &= door.apply(protocol::SnapshotBegin{version, count}); });
  for (std::size_t at = 0; at < count;) {
    std::vector<protocol::SnapshotEntries> messages(kMessagesAtOnce);
    for (auto& message : messages) {
      for (; at < count && message.entries.size() < protocol::kMaxEntries; ++at) {
        auto entry = entry_of("key " + std::to_string(at));
        entry.key = static_cast<protocol::KeyId>(at + 1);
        entry.name = "the key of a camera with a name that is not short";
        message.entries.push_back(std::move(entry));
      }
    }
    turn([&] {
      for (const auto& message : messages) good &= message.entries.empty() || door.apply(message);
    });
  }
  turn([&] { good &= door.apply(protocol::SnapshotEnd{version, count}); });
  for (int i = 0; i < 200; ++i) turn([&] { door.tidy(); });
  CHECK(good);
  return longest;
}

TEST_CASE("Door: snapshots of 100,000 keys do not hold the event loop", "[app][access][unit]") {
  constexpr std::size_t kKeys = 100'000;
  Door door(keys_needed());
  double shortest = longest_turn(door, 1, kKeys);
  for (std::uint64_t version = 2; version <= 4; ++version) {
    shortest = std::min(shortest, longest_turn(door, version, kKeys));
  }
  CHECK_FALSE(ask(door, key("key 0")).refusal);
  CHECK_FALSE(ask(door, key("key 99999")).refusal);
  CHECK(ask(door, key("key 100000")).refusal == Refusal::kUnknownCredential);
  // Only an optimized build without a sanitizer has the speed of a release.
  CAPTURE(shortest);
#if defined(NDEBUG)
  if (!common::kSanitized) CHECK(shortest < 1000);
#endif
}

}  // namespace
}  // namespace yolod::app::access::door_test
