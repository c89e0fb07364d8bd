// Maps a reply of yolod-accounts that is not kOk to an error of yolod's own protocol. Any thread may call it.
#pragma once

#include <cstdint>

#include "app/accounts/protocol/messages.hpp"
#include "app/http/response.hpp"
#include "common/error.hpp"

namespace yolod::app::api::account {

// Says what a wrong password means. At a log-in the person has no session yet, so the status is 401.
enum class PasswordFor : std::uint8_t { kLogIn, kChange };

// The text never tells whether a person exists whose password was not given. REQUIRES: reply.status is not kOk.
[[nodiscard]] common::Error error_of(const accounts::protocol::Reply& reply, PasswordFor use);

// Replaces the whole response by that error, with the Retry-After of the reply.
void write_refusal(const accounts::protocol::Reply& reply, PasswordFor use, http::Response& response);

}  // namespace yolod::app::api::account
