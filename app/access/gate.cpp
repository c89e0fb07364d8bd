#include "app/access/gate.hpp"

#include <utility>
#include <vector>

#include "common/log.hpp"

namespace yolod::app::access {
namespace {

using common::Outcome;

// Returns whether a credential was sent and is not good enough. The others say nothing about a client.
bool is_suspicious(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNoCredential:
    case Refusal::kAccountsAway: return false;
    case Refusal::kAmbiguousCredential:
    case Refusal::kUnknownCredential:
    case Refusal::kExpiredCredential:
    case Refusal::kMissingScope: return true;
  }
  return true;
}

Outcome<std::vector<FileKey>> keys_of(const std::filesystem::path& file,
                                      KeyFileReader reader = KeyFileReader::kServer) {
  if (file.empty()) return std::vector<FileKey>();
  return read_key_file(file, reader);
}

}  // namespace

Gate::Gate(const common::AccessConfig& config) : config_(config), door_(config) {
  limits_.configure(config.per_key, config.per_address);
}

Network Gate::owner_of(const PeerAddress& peer) const { return proxies_.trusts(peer) ? Network() : peer.network(); }

Network Gate::client_of(const PeerAddress& peer, const Forwarding& forwarding) {
  if (proxies_.trusts(peer)) {
    if (!forwarding.empty() && !proxies_.reads(forwarding) && !std::exchange(field_is_said_, true)) {
      common::log_warning(
          "a trusted proxy sends {}, which is ignored: all clients of the proxy count as one address; "
          "server.forwarded_header says which field the proxies write",
          forwarding.x_forwarded_for.empty() ? "Forwarded" : "X-Forwarded-For");
    }
    return proxies_.client_of(peer, forwarding);
  }
  if (forwarding.empty()) return peer.network();
  if (peer.is_local() && !std::exchange(proxy_is_said_, true)) {
    common::log_warning(
        "a proxy on this machine forwards requests, but server.trusted_proxies does not name {}: all clients of the "
        "proxy count as one address",
        peer.is_unix() ? common::kUnixProxies : "127.0.0.1 or ::1");
  }
  return peer.network();
}

std::optional<common::Error> Gate::admit(const Knock& knock, const Limits::Presence& presence,
                                         std::string_view request_id, Caller& caller, Limits::Ticket& ticket,
                                         KeyPlace place) {
  if (knock.need == Need::kNothing) {
    (void)door_.admit(knock, caller);
    return std::nullopt;
  }
  caller.network = knock.network;
  if (const auto limit = limits_.take(presence, knock.network, knock.now, ticket))
    return refused(*limit, caller, knock, request_id);
  if (place == KeyPlace::kBody) return std::nullopt;
  return admit_late(knock, request_id, caller, ticket);
}

std::optional<common::Error> Gate::admit_late(const Knock& knock, std::string_view request_id, Caller& caller,
                                              Limits::Ticket& ticket) {
  if (const auto refusal = door_.admit(knock, caller)) return refused(*refusal, caller, knock, request_id);
  if (const auto limit = limits_.take(caller, knock.now, ticket)) return refused(*limit, caller, knock, request_id);
  door_.touch(caller, knock.date);
  ++(caller.kind == Caller::Kind::kAnonymous ? anonymous_count_ : accepted_count_);
  return std::nullopt;
}

std::optional<common::Error> Gate::refuse_second_key(const Knock& knock, std::string_view request_id) {
  if (config_.mode == common::AccessMode::kOpen) return std::nullopt;
  Caller caller;
  caller.network = knock.network;
  return refused(Refusal::kAmbiguousCredential, caller, knock, request_id);
}

common::Error Gate::refused(Refusal refusal, const Caller& caller, const Knock& knock, std::string_view request_id) {
  ++refusal_counts_[static_cast<std::size_t>(refusal)];
  if (is_suspicious(refusal)) {
    AuditEvent event{AuditEvent::Kind::kCredential, AuditEvent::Result::kRefused};
    event.detail = word_of(refusal);
    audit_refusal(event, caller, knock, request_id);
  }
  return explain(refusal);
}

common::Error Gate::refused(Limit limit, const Caller& caller, const Knock& knock, std::string_view request_id) {
  ++limit_counts_[static_cast<std::size_t>(limit)];
  AuditEvent event{AuditEvent::Kind::kLimit, AuditEvent::Result::kRefused};
  event.subject = config_key_of(limit);
  audit_refusal(event, caller, knock, request_id);
  return explain(limit);
}

void Gate::audit_refusal(AuditEvent& event, const Caller& caller, const Knock& knock, std::string_view request_id) {
  event.by(caller);
  event.request_id = request_id;
  audit_.write_refusal(event, knock.now);
}

// ---- settings ----

Outcome<void> Gate::open(const common::Config& config, KeyFileReader reader) {
  proxies_.configure(config.server.trusted_proxies, config.server.forwarded_header);
  auto keys = keys_of(config.server.api_keys_file, reader);
  if (!keys) return common::Error{keys.error().code, "server.api_keys_file: " + keys.error().message};
  door_.use_file_keys(std::move(*keys));
  return audit_.use(config.access.audit_log);
}

bool Gate::take_over_keys(const common::Config& changed, bool has_accounts) {
  const auto& file = changed.server.api_keys_file;
  if (changed.access.mode == common::AccessMode::kKeys && file.empty() && !has_accounts) {
    common::log_error(
        "reload: access.mode is not changed: keys needs server.api_keys_file, or accounts, which only a restart adds");
    return false;
  }
  auto keys = keys_of(file);
  if (!keys) {
    common::log_error("reload: the API keys and access.mode are not changed: {}", keys.error().message);
    return false;
  }
  door_.use_file_keys(std::move(*keys));
  if (!file.empty()) common::log_info("{} API keys of {} are valid", door_.file_key_count(), file.string());
  return true;
}

void Gate::take_over(const common::Config& changed, bool has_accounts) {
  auto access = changed.access;
  if (!take_over_keys(changed, has_accounts)) access.mode = config_.mode;
  if (auto opened = audit_.use(access.audit_log); !opened) {
    common::log_error("reload: access.audit_log is not changed: {}", opened.error().message);
    access.audit_log = config_.audit_log;
  }
  proxies_.configure(changed.server.trusted_proxies, changed.server.forwarded_header);
  config_ = std::move(access);
  door_.configure(config_);
  limits_.configure(config_.per_key, config_.per_address);
}

void Gate::reopen_audit_log() {
  if (auto opened = audit_.use(config_.audit_log); !opened) {
    common::log_error("cannot reopen the audit log: {}", opened.error().message);
  }
}

void Gate::tick(common::Clock::time_point now) {
  door_.tidy();
  audit_.tick(now);
}

// ---- metrics ----

void Gate::for_each_result(const std::function<void(std::string_view, std::uint64_t)>& tell) const {
  tell("accepted", accepted_count_);
  tell("anonymous", anonymous_count_);
  for (std::size_t i = 0; i < kRefusalCount; ++i) tell(word_of(static_cast<Refusal>(i)), refusal_counts_[i]);
}

void Gate::for_each_limit(const std::function<void(std::string_view, std::uint64_t)>& tell) const {
  for (std::size_t i = 0; i < kLimitCount; ++i) tell(config_key_of(static_cast<Limit>(i)), limit_counts_[i]);
}

}  // namespace yolod::app::access
