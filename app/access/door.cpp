#include "app/access/door.hpp"

#include <algorithm>
#include <utility>

#include "app/access/token_digest.hpp"

namespace yolod::app::access {
namespace {

namespace protocol = accounts::protocol;
using protocol::Seconds;

// The server does not hash a longer token: yolod makes none, and hashing takes time.
constexpr std::size_t kLongestToken = 256;
constexpr Seconds kTouchPeriod = 60;
// The server tells no further uses of the same minute, so that the list is bounded.
constexpr std::size_t kMostTouches = 100'000;

// Returns the scope that a caller needs, or 0 if a credential is enough.
std::uint32_t scope_for(Need need) {
  switch (need) {
    case Need::kNothing:
    case Need::kAnyone:
    case Need::kIdentity: return 0;
    case Need::kModels: return protocol::kScopeModels;
    case Need::kPredict: return protocol::kScopePredict;
    case Need::kLoad: return protocol::kScopeLoad;
    case Need::kObserve:
    case Need::kAdmin: return protocol::kScopeAdmin;
  }
  return protocol::kAllScopes;
}

// Returns whether access.mode: open lets a caller without a credential do this.
bool is_open(Need need) {
  switch (need) {
    case Need::kNothing:
    case Need::kAnyone:
    case Need::kModels:
    case Need::kPredict:
    case Need::kObserve: return true;
    case Need::kLoad:
    case Need::kAdmin:
    case Need::kIdentity: return false;
  }
  return false;
}

// Each thread that has a door keeps what OpenSSL needs for digests.
protocol::Digest digest_of_token(std::string_view token) {
  thread_local TokenDigest digest;
  return digest.of(token);
}

}  // namespace

std::optional<Refusal> Door::admit(const Knock& knock, Caller& caller) {
  caller.network = knock.network;
  const auto refused = identify(knock, caller);
  const bool may_be_anonymous = knock.need == Need::kNothing || knock.need == Need::kAnyone ||
                                (config_.mode == common::AccessMode::kOpen && is_open(knock.need));
  if (may_be_anonymous) {
    if (caller.kind == Caller::Kind::kAnonymous && config_.mode == common::AccessMode::kOpen) {
      caller.scopes = protocol::kScopeModels | protocol::kScopePredict;
    }
    return std::nullopt;
  }
  if (refused) return refused;
  const std::uint32_t scope = scope_for(knock.need);
  if ((caller.scopes & scope) != scope) return Refusal::kMissingScope;
  return std::nullopt;
}

std::optional<Refusal> Door::identify(const Knock& knock, Caller& caller) {
  const Credential& credential = knock.credential;
  if (credential.is_ambiguous) return Refusal::kAmbiguousCredential;
  if (credential.kind == Credential::Kind::kNone) return Refusal::kNoCredential;
  if (credential.token.size() > kLongestToken) return Refusal::kUnknownCredential;
  const Digest digest = knock.known_digest ? *knock.known_digest : digest_of_token(credential.token);
  const auto is_expired = [&knock](Seconds expires) { return expires != 0 && expires <= knock.date; };

  if (credential.kind == Credential::Kind::kKey) {
    if (const auto found = file_keys_.find(digest); found != file_keys_.end()) {
      const FileKey& key = found->second;
      if (is_expired(key.expires)) return Refusal::kExpiredCredential;
      caller.kind = Caller::Kind::kFileKey;
      caller.scopes = key.scopes;
      caller.credential = digest;
      caller.name = key.name;
      return std::nullopt;
    }
  }
  const auto kind =
      credential.kind == Credential::Kind::kKey ? protocol::EntryKind::kKey : protocol::EntryKind::kSession;
  const protocol::AccessTable::Entry* const entry = table_.find(digest);
  if (expects_accounts_ && (table_.version() == 0 || is_stale(knock.now))) return Refusal::kAccountsAway;
  if (entry == nullptr || entry->kind != kind) return Refusal::kUnknownCredential;
  if (is_expired(entry->expires)) return Refusal::kExpiredCredential;
  caller.kind = kind == protocol::EntryKind::kKey ? Caller::Kind::kKey : Caller::Kind::kSession;
  caller.role = entry->role;
  caller.scopes = entry->scopes;
  caller.key = entry->key;
  caller.person = entry->person;
  caller.credential = digest;
  caller.name = entry->name();
  caller.rate = entry->rate;
  caller.in_flight = entry->in_flight;
  return std::nullopt;
}

// ---- the feed of yolod-accounts ----

void Door::take_next_table() {
  if (next_table_ && next_table_->version() != 0) {
    table_.take_over(*std::move(next_table_));
    next_table_.reset();
    lost_at_.reset();
  }
}

void Door::forget_feed() {
  if (next_table_) table_.discard(*std::move(next_table_));
  next_table_.emplace();
}

void Door::accounts_lost(common::Clock::time_point now) {
  if (!lost_at_) lost_at_ = now;
}

bool Door::is_stale(common::Clock::time_point now) const { return lost_at_ && now - *lost_at_ > config_.max_stale; }

void Door::touch(const Caller& caller, Seconds date) {
  if (caller.kind != Caller::Kind::kKey && caller.kind != Caller::Kind::kSession) return;
  if (used_.size() < kMostTouches && table_.is_first_use(caller.credential, round_)) {
    used_.push_back({caller.credential, date});
  }
}

protocol::Touch Door::next_touches(Seconds date) {
  if (untold_.empty() && date - minute_began_ >= kTouchPeriod) {
    minute_began_ = date;
    untold_ = std::exchange(used_, {});
    if (++round_ == 0) ++round_;
  }
  protocol::Touch touch;
  const auto count = std::min(untold_.size(), protocol::kMaxTouches);
  touch.uses.assign(untold_.end() - static_cast<std::ptrdiff_t>(count), untold_.end());
  untold_.resize(untold_.size() - count);
  return touch;
}

// ---- the keys of the file ----

void Door::use_file_keys(std::vector<FileKey> keys) {
  (void)digest_of_token({});  // the first digest takes OpenSSL longer, and no request should wait for that
  file_keys_.clear();
  for (FileKey& key : keys) {
    const Digest digest = key.digest;
    file_keys_.emplace(digest, std::move(key));
  }
}

std::string_view word_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNoCredential: return "no_credential";
    case Refusal::kAmbiguousCredential: return "ambiguous";
    case Refusal::kUnknownCredential: return "unknown";
    case Refusal::kExpiredCredential: return "expired";
    case Refusal::kMissingScope: return "missing_scope";
    case Refusal::kAccountsAway: return "accounts_away";
  }
  return "unknown";
}

common::Error explain(Refusal refusal) {
  using common::ErrorCode;
  switch (refusal) {
    case Refusal::kNoCredential:
      return {ErrorCode::kUnauthorized,
              "this path needs an API key: send it as Authorization: Bearer KEY or as X-API-Key: KEY"};
    case Refusal::kAmbiguousCredential:
      return {ErrorCode::kBadRequest, "the request has several different API keys or sessions; send only one"};
    case Refusal::kUnknownCredential:
      return {ErrorCode::kUnauthorized, "the API key or session is not valid: it is unknown, revoked or has ended"};
    case Refusal::kExpiredCredential: return {ErrorCode::kUnauthorized, "the API key or session has expired"};
    case Refusal::kMissingScope:
      return {ErrorCode::kForbidden, "the API key or session does not have the scope that this path needs"};
    case Refusal::kAccountsAway: return {ErrorCode::kNotReady, "the server cannot check API keys now; try again later"};
  }
  return {ErrorCode::kForbidden, "the request may not come in"};
}

}  // namespace yolod::app::access
