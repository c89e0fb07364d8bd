// An AuditedChange has the facts of a command for the audit log: the kind of the event, and the person or key that the
// command concerns. Any thread may call these functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/access/audit_log.hpp"
#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::api::account {

struct AuditedChange {
  std::optional<access::AuditEvent::Kind> kind;  // nothing: the command changes nothing
  std::string subject;                           // "?": the client sent a text that cannot be a name
  std::int64_t subject_id{0};
};

[[nodiscard]] AuditedChange audited_change(const accounts::protocol::Command& command);

// Returns whether a command with that status was allowed and did not succeed. REQUIRES: the status is not kOk.
[[nodiscard]] bool is_fault(accounts::protocol::Status status);

}  // namespace yolod::app::api::account
