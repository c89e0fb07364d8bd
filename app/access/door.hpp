// The Door decides which requests may come in. It holds the keys of server.api_keys_file, and the keys and sessions
// that yolod-accounts tells. A decision costs one SHA-256 and a look-up in memory: no I/O, no wait, no allocation.
//
// The client of yolod-accounts feeds it with these calls:
//
//   door.expect_accounts()      before the first start of yolod-accounts
//   door.apply(message)         for each SnapshotBegin, SnapshotEntries, SnapshotEnd and Changes that arrives. After
//                               false a message is missing: end the process and start another, whose first
//                               snapshot has everything. Its versions begin anew, so call forget_feed() before.
//   door.accounts_lost(now)     when the process or its socket is gone. The known keys and sessions stay valid for
//                               access.max_stale; then requests with them get status 503. The end of the next
//                               snapshot ends that.
//   door.next_touches()         once a second: the next uses for a Touch to yolod-accounts, if there are any
//
// If the database is away (Availability), the Door needs no call: the known keys and sessions stay valid.
//
// The front-end owns it and uses it on its only thread. It outlives the connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "app/access/caller.hpp"
#include "app/access/credential.hpp"
#include "app/access/network.hpp"
#include "app/accounts/protocol/access_table.hpp"
#include "app/accounts/protocol/messages.hpp"
#include "common/clock.hpp"
#include "common/config/access_config.hpp"
#include "common/error.hpp"

namespace yolod::app::access {

// A key of server.api_keys_file.
struct FileKey {
  std::string name;
  accounts::protocol::Digest digest{};
  std::uint32_t scopes{accounts::protocol::kScopeModels | accounts::protocol::kScopePredict};
  accounts::protocol::Seconds expires{0};  // 0: never
};

// The facts of a request on which the decision depends.
struct Knock {
  Credential credential{};
  Network network{};
  Need need{Need::kNothing};
  common::Clock::time_point now{};      // AwakeClock
  accounts::protocol::Seconds date{0};  // seconds since 1970
  // The digest of the token, instead of the token. A WebSocket is checked again for each message, and keeps no token.
  std::optional<accounts::protocol::Digest> known_digest{};
};

enum class Refusal : std::uint8_t {
  kNoCredential,         // the request has none
  kAmbiguousCredential,  // the request has several
  kUnknownCredential,    // a wrong key, a revoked key, or the cookie of a session that has ended
  kExpiredCredential,
  kMissingScope,
  kAccountsAway,  // yolod-accounts has not told its keys yet, or is away for longer than access.max_stale
};
inline constexpr std::size_t kRefusalCount = 6;

class Door {
 public:
  explicit Door(const common::AccessConfig& config) : config_(config) {}
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // ---- for the connections ----

  // Fills in `caller`. Returns why the request may not come in, or nothing if it may.
  [[nodiscard]] std::optional<Refusal> admit(const Knock& knock, Caller& caller);
  // The caller's key or session was used. Call it only for a request that came in, so that refused requests do not keep
  // a session alive.
  void touch(const Caller& caller, accounts::protocol::Seconds date);

  // ---- for the client of yolod-accounts: see above ----

  void expect_accounts() { expects_accounts_ = true; }
  template <typename Message>
  [[nodiscard]] bool apply(const Message& message) {
    const bool is_next = (next_table_ ? *next_table_ : table_).apply(message);
    take_next_table();
    if (std::is_same_v<Message, accounts::protocol::SnapshotEnd> && is_next) lost_at_.reset();
    return is_next;
  }
  // The snapshot of another process follows. The known keys and sessions stay until that snapshot is complete.
  void forget_feed();
  void accounts_lost(common::Clock::time_point now);
  // Returns whether that key or session of yolod-accounts is in the table.
  [[nodiscard]] bool knows(const accounts::protocol::Digest& digest) const { return table_.find(digest) != nullptr; }
  [[nodiscard]] bool knows_key(accounts::protocol::KeyId key) const { return table_.has_key(key); }
  // Frees some memory that a snapshot has replaced. Call it from time to time.
  void tidy() { (void)table_.tidy(); }
  // Returns at most kMaxTouches uses. It returns each used credential once a minute.
  [[nodiscard]] accounts::protocol::Touch next_touches(accounts::protocol::Seconds date);

  // ---- for the front-end ----

  void configure(const common::AccessConfig& config) { config_ = config; }
  // Replaces the keys of the file.
  void use_file_keys(std::vector<FileKey> keys);
  [[nodiscard]] std::size_t file_key_count() const { return file_keys_.size(); }
  // Counts the keys and sessions of yolod-accounts.
  [[nodiscard]] std::size_t account_entry_count() const { return table_.size(); }
  // Returns whether yolod-accounts has been away for longer than access.max_stale.
  [[nodiscard]] bool is_stale(common::Clock::time_point now) const;

 private:
  using Digest = accounts::protocol::Digest;
  template <typename Value>
  using ByDigest = std::unordered_map<Digest, Value, accounts::protocol::DigestHash, accounts::protocol::DigestEqual>;

  [[nodiscard]] std::optional<Refusal> identify(const Knock& knock, Caller& caller);
  void take_next_table();

  common::AccessConfig config_;
  ByDigest<FileKey> file_keys_;
  accounts::protocol::AccessTable table_;
  std::optional<accounts::protocol::AccessTable> next_table_;  // until the snapshot of a new process is complete
  bool expects_accounts_{false};
  std::optional<common::Clock::time_point> lost_at_;
  // used_ has the uses of this minute, which is number round_. untold_ has older uses that next_touches() has not
  // returned yet.
  std::vector<accounts::protocol::Touch::Use> used_;
  std::vector<accounts::protocol::Touch::Use> untold_;
  accounts::protocol::Seconds minute_began_{0};
  std::uint32_t round_{1};
};

// Returns the name of the refusal in metrics and in the audit log, such as "missing_scope".
[[nodiscard]] std::string_view word_of(Refusal refusal);
// Returns the error that the client receives.
[[nodiscard]] common::Error explain(Refusal refusal);

}  // namespace yolod::app::access
