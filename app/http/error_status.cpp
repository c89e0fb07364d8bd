#include "app/http/error_status.hpp"

namespace yolod::app {

using boost::beast::http::status;
using common::ErrorCode;

status http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kInvalidParameter:
    case ErrorCode::kInvalidImage: return status::bad_request;
    case ErrorCode::kUnauthorized: return status::unauthorized;
    case ErrorCode::kForbidden: return status::forbidden;
    case ErrorCode::kNotFound:
    case ErrorCode::kUnknownModel: return status::not_found;
    case ErrorCode::kMethodNotAllowed: return status::method_not_allowed;
    case ErrorCode::kRequestTimeout: return status::request_timeout;
    case ErrorCode::kBodyTooLarge:
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kImageTooComplex: return status::payload_too_large;
    case ErrorCode::kUnsupportedMediaType: return status::unsupported_media_type;
    case ErrorCode::kQuarantined: return status::unprocessable_entity;
    case ErrorCode::kHeaderTooLarge: return status::request_header_fields_too_large;
    case ErrorCode::kWorkerCrashed:
    case ErrorCode::kInternal:
    case ErrorCode::kBadConfig:
    case ErrorCode::kBadModel:
    case ErrorCode::kSystem: return status::internal_server_error;
    case ErrorCode::kClientGone: return static_cast<status>(499);  // as nginx counts them; nobody gets it
    case ErrorCode::kQueueFull:
    case ErrorCode::kNotReady:
    case ErrorCode::kShuttingDown: return status::service_unavailable;
    case ErrorCode::kDeadlineExceeded: return status::gateway_timeout;
  }
  return status::internal_server_error;
}

std::string client_message(const common::Error& error) {
  switch (error.code) {
    case ErrorCode::kInternal:
    case ErrorCode::kBadConfig:
    case ErrorCode::kBadModel:
    case ErrorCode::kSystem: return "the server failed on this request";
    default: return error.message;
  }
}

}  // namespace yolod::app
