#include "app/api/account/account_error.hpp"

#include <algorithm>

#include "app/api/native_error.hpp"

namespace yolod::app::api::account {

using accounts::protocol::Status;
using common::Error;
using common::ErrorCode;

Error error_of(const accounts::protocol::Reply& reply, PasswordFor use) {
  // The reply's own reason, if it has one, tells more.
  const auto reason = [&reply](const char* otherwise) {
    return reply.reason.empty() ? std::string(otherwise) : reply.reason;
  };
  switch (reply.status) {
    case Status::kOk: break;
    case Status::kBadRequest: return {ErrorCode::kInvalidParameter, reason("a value is not allowed")};
    case Status::kWrongCredentials:
      if (use == PasswordFor::kLogIn) return {ErrorCode::kUnauthorized, "the name or the password is wrong"};
      return {ErrorCode::kForbidden, "the password is wrong"};
    case Status::kNotAllowed: return {ErrorCode::kForbidden, reason("this person or key may not do that")};
    case Status::kNotFound: return {ErrorCode::kNotFound, "there is no such person or key"};
    case Status::kNameTaken: return {ErrorCode::kConflict, "the name is taken; choose another name"};
    case Status::kWeakPassword: return {ErrorCode::kInvalidParameter, reason("the password is too weak")};
    case Status::kInviteRefused:
      return {ErrorCode::kForbidden, "the invitation is unknown, used or expired; ask an admin for another"};
    case Status::kRegistrationClosed:
      return {ErrorCode::kForbidden, "only an admin adds people to this server (access.register is closed)"};
    case Status::kTooManyAttempts: return {ErrorCode::kTooManyRequests, "too many attempts; wait before the next one"};
    case Status::kLimitReached:
      return {ErrorCode::kForbidden, reason("there are as many people or keys as the server allows")};
    case Status::kBusy: return {ErrorCode::kQueueFull, "too many requests about accounts wait already"};
    case Status::kUnavailable:
      return {ErrorCode::kNotReady, "the account service is not available; known keys and sessions stay valid"};
    case Status::kDeadlineExceeded:
      return {ErrorCode::kDeadlineExceeded, "there was no answer in time; the change may have been made all the same"};
  }
  return {ErrorCode::kInternal, "a reply without an error was treated as an error"};
}

void write_refusal(const accounts::protocol::Reply& reply, PasswordFor use, http::Response& response) {
  constexpr std::uint32_t kSecond = 1000;
  const std::uint32_t seconds = reply.retry_after_ms / kSecond + (reply.retry_after_ms % kSecond == 0 ? 0 : 1);
  write_error(response, error_of(reply, use), std::max<std::uint32_t>(seconds, 1));
}

}  // namespace yolod::app::api::account
