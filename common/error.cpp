#include "common/error.hpp"

#include <cerrno>
#include <system_error>

namespace yolod::common {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest: return "bad_request";
    case ErrorCode::kInvalidParameter: return "invalid_parameter";
    case ErrorCode::kInvalidImage: return "invalid_image";
    case ErrorCode::kUnauthorized: return "unauthorized";
    case ErrorCode::kForbidden: return "forbidden";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kUnknownModel: return "unknown_model";
    case ErrorCode::kMethodNotAllowed: return "method_not_allowed";
    case ErrorCode::kRequestTimeout: return "request_timeout";
    case ErrorCode::kBodyTooLarge: return "body_too_large";
    case ErrorCode::kImageTooLarge: return "image_too_large";
    case ErrorCode::kImageTooComplex: return "image_too_complex";
    case ErrorCode::kUnsupportedMediaType: return "unsupported_media_type";
    case ErrorCode::kQuarantined: return "quarantined";
    case ErrorCode::kTooManyRequests: return "too_many_requests";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kHeaderTooLarge: return "header_too_large";
    case ErrorCode::kWorkerCrashed: return "worker_crashed";
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kQueueFull: return "queue_full";
    case ErrorCode::kNotReady: return "not_ready";
    case ErrorCode::kShuttingDown: return "shutting_down";
    case ErrorCode::kDeadlineExceeded: return "deadline_exceeded";
    case ErrorCode::kBadConfig: return "bad_config";
    case ErrorCode::kBadModel: return "bad_model";
    case ErrorCode::kSystem: return "system";
    case ErrorCode::kClientGone: return "client_gone";
  }
  return "internal";
}

std::optional<ErrorCode> error_code_from(std::uint32_t value) {
  constexpr auto kFirst = static_cast<std::uint32_t>(ErrorCode::kBadRequest);
  constexpr auto kLast = static_cast<std::uint32_t>(ErrorCode::kConflict);
  if (value < kFirst || value > kLast) return std::nullopt;
  return static_cast<ErrorCode>(value);
}

Error system_error(std::string_view what, int error_number) {
  return {ErrorCode::kSystem, std::string(what) + ": " + std::generic_category().message(error_number)};
}

Error last_system_error(std::string_view what) { return system_error(what, errno); }

}  // namespace yolod::common
