// Caller names the sender of a request, and Need names the right that a route requires. Both are plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/access/network.hpp"
#include "app/accounts/protocol/digest.hpp"
#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::access {

// A Need is the right that a route requires of its caller. With access.mode: open, a caller without a credential may do
// what needs kModels, kPredict or kObserve; the others need a credential in every mode.
enum class Need : std::uint8_t {
  kNothing,   // every client may use the route, and no limit applies to it
  kAnyone,    // every client may use the route: a log-in
  kModels,    // scope models: to read about models
  kPredict,   // scope predict
  kObserve,   // scope admin: /status and /metrics
  kLoad,      // scope load: to load and unload models
  kAdmin,     // scope admin: to change the server or its accounts
  kIdentity,  // any key or session: to see or change the caller's own account
};

struct Caller {
  enum class Kind : std::uint8_t {
    kAnonymous,
    kOperator,  // at the admin listener; may do everything
    kFileKey,   // a key of server.api_keys_file
    kKey,       // a key of yolod-accounts
    kSession,   // a person; browsers add the cookie to every request, so changes need more checks
  };
  Kind kind{Kind::kAnonymous};
  accounts::protocol::Role role{accounts::protocol::Role::kUser};
  std::uint32_t scopes{0};                  // bits of accounts::protocol::Scope
  accounts::protocol::KeyId key{0};         // with kKey
  accounts::protocol::PersonId person{0};   // with kSession, and with kKey if the key has an owner
  accounts::protocol::Digest credential{};  // the digest of the key or session; zeros without one
  // The name of the key or person. It is valid as long as the RequestView: copy it to keep it.
  std::string_view name{};
  // A key may have its own limits: requests a second, and requests in flight. 0: access.per_key has the limit.
  std::uint32_t rate{0};
  std::uint32_t in_flight{0};
  Network network{};  // where the request comes from, also without a credential

  [[nodiscard]] bool has(accounts::protocol::Scope scope) const { return (scopes & scope) != 0; }
  // Returns the actor of a request to yolod-accounts. Without a person or key of yolod-accounts only an admin is an
  // actor: the operator. `may_administer` is false if the listener of the request does not serve the management of
  // people and of the keys of others.
  [[nodiscard]] std::optional<accounts::protocol::Actor> actor(bool may_administer) const {
    using accounts::protocol::ActorKind;
    switch (kind) {
      case Kind::kAnonymous: return std::nullopt;
      case Kind::kOperator: return accounts::protocol::Actor{ActorKind::kOperator, 0};
      case Kind::kFileKey:
        if (!has(accounts::protocol::kScopeAdmin) || !may_administer) return std::nullopt;
        return accounts::protocol::Actor{ActorKind::kOperator, 0};
      case Kind::kKey: return accounts::protocol::Actor{ActorKind::kKey, key, may_administer};
      case Kind::kSession: return accounts::protocol::Actor{ActorKind::kPerson, person, may_administer};
    }
    return std::nullopt;
  }
};

}  // namespace yolod::app::access
