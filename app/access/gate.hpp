// The Gate decides over each request before its exchange begins. It has the door (which keys and sessions are valid),
// the limits, the audit log and the keys of server.api_keys_file.
//
//   connection --admit()--> the limits of the address --> the door --> the limits of the key --> the exchange
//
// Some protocols have the API key in the body. Then admit() ends after the limits of the address, and LateCheck does
// the other steps when the body is there.
//
// A refusal is counted for the metrics and written to the audit log. A route that every client may use
// (Need::kNothing) has no limit.
//
// The front-end owns it and uses it on its only thread. It outlives the connections.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "app/access/audit_log.hpp"
#include "app/access/caller.hpp"
#include "app/access/door.hpp"
#include "app/access/forwarding.hpp"
#include "app/access/key_file.hpp"
#include "app/access/limits.hpp"
#include "app/access/trusted_proxies.hpp"
#include "common/clock.hpp"
#include "common/config/config.hpp"
#include "common/error.hpp"
#include "common/outcome.hpp"

namespace yolod::app::access {

// Says where a request without a credential in its head may have one.
enum class KeyPlace : std::uint8_t {
  kHead,  // nowhere else
  kBody,  // in its body, so a LateCheck follows
};

class Gate {
 public:
  explicit Gate(const common::AccessConfig& config);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // ---- for the connections ----

  // Fills in `caller` and `ticket`. Returns what the client receives if the request may not come in, or nothing if it
  // may. The connection clears the ticket at the end of the request, also after a refusal. With KeyPlace::kBody the
  // knock has no credential, and a request that may come in is not counted yet.
  [[nodiscard]] std::optional<common::Error> admit(const Knock& knock, const Limits::Presence& presence,
                                                   std::string_view request_id, Caller& caller, Limits::Ticket& ticket,
                                                   KeyPlace place = KeyPlace::kHead);
  // LateCheck calls these functions. admit_late() does the steps that admit() has left. refuse_second_key() returns
  // what the client receives if the keys in the head and in the body differ, or nothing with access.mode: open.
  [[nodiscard]] std::optional<common::Error> admit_late(const Knock& knock, std::string_view request_id, Caller& caller,
                                                        Limits::Ticket& ticket);
  [[nodiscard]] std::optional<common::Error> refuse_second_key(const Knock& knock, std::string_view request_id);
  [[nodiscard]] Limits& limits() { return limits_; }
  // Returns the network that this connection counts for. The connections of a trusted proxy count for none, because
  // they carry the requests of many clients.
  [[nodiscard]] Network owner_of(const PeerAddress& peer) const;
  // Returns the network of the client of a request, which a trusted proxy tells.
  [[nodiscard]] Network client_of(const PeerAddress& peer, const Forwarding& forwarding);

  // ---- for the front-end ----

  // Reads server.api_keys_file and opens access.audit_log. The Error is kBadConfig for the keys, and kSystem for the
  // audit log.
  [[nodiscard]] common::Outcome<void> open(const common::Config& config, KeyFileReader reader = KeyFileReader::kServer);
  // Takes over the settings of a reload: server.trusted_proxies, access.mode, max_stale, the limits, the audit log and
  // the keys of the file.
  // It logs what cannot be taken over. It keeps the keys and the mode if the file is bad. `has_accounts` says
  // whether yolod-accounts runs.
  void take_over(const common::Config& changed, bool has_accounts);
  // Opens the audit log again, after a rotation.
  void reopen_audit_log();
  // Call it about every 100 ms.
  void tick(common::Clock::time_point now);

  // Returns the mode in force. After a reload it may differ from the mode of the config.
  [[nodiscard]] common::AccessMode mode() const { return config_.mode; }
  [[nodiscard]] Door& door() { return door_; }
  [[nodiscard]] AuditLog& audit() { return audit_; }

  // Calls `tell` with each result of admission and the number of requests that had it. Requests that no limit or need
  // concerns are not counted.
  void for_each_result(const std::function<void(std::string_view result, std::uint64_t count)>& tell) const;
  // Calls `tell` with each limit (config_key_of) and the number of requests that it refused.
  void for_each_limit(const std::function<void(std::string_view limit, std::uint64_t count)>& tell) const;

 private:
  [[nodiscard]] common::Error refused(Refusal refusal, const Caller& caller, const Knock& knock,
                                      std::string_view request_id);
  [[nodiscard]] common::Error refused(Limit limit, const Caller& caller, const Knock& knock,
                                      std::string_view request_id);
  // Completes the event with the facts about the request, and writes it.
  void audit_refusal(AuditEvent& event, const Caller& caller, const Knock& knock, std::string_view request_id);
  // Returns whether access.mode and the keys may be as in `changed`, and takes over the keys.
  [[nodiscard]] bool take_over_keys(const common::Config& changed, bool has_accounts);

  common::AccessConfig config_;
  Door door_;
  Limits limits_;
  TrustedProxies proxies_;
  bool proxy_is_said_{false};  // whether the log has the warning about a proxy without trust
  bool field_is_said_{false};  // whether it has the warning about the wrong field of a trusted proxy
  AuditLog audit_;
  std::uint64_t accepted_count_{0};   // with a valid credential
  std::uint64_t anonymous_count_{0};  // with access.mode: open
  std::array<std::uint64_t, kRefusalCount> refusal_counts_{};
  std::array<std::uint64_t, kLimitCount> limit_counts_{};
};

}  // namespace yolod::app::access
