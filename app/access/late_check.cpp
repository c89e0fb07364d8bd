#include "app/access/late_check.hpp"

#include <ctime>

#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::access {

std::optional<common::Error> LateCheck::check(std::string_view key) {
  key = common::trimmed(key);
  Knock knock{{}, network_, need_, common::AwakeClock::now(), std::time(nullptr)};
  if (!key.empty()) knock.credential = {Credential::Kind::kKey, key};
  if (is_late_) {
    is_late_ = false;
    Caller caller;
    return gate_->admit_late(knock, request_id_, caller, *ticket_);
  }
  const bool has_two = !key.empty() && head_credential_ != accounts::protocol::Digest{} &&
                       !accounts::protocol::same_digest(accounts::protocol::digest_of(key), head_credential_);
  if (!has_two) return std::nullopt;
  knock.credential.is_ambiguous = true;
  return gate_->refuse_second_key(knock, request_id_);
}

}  // namespace yolod::app::access
