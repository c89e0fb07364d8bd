#include "app/api/native_error.hpp"

#include "common/text.hpp"

namespace yolod::app::api {

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
    case ErrorCode::kTooManyRequests: return status::too_many_requests;
    case ErrorCode::kConflict: return status::conflict;
    case ErrorCode::kHeaderTooLarge: return status::request_header_fields_too_large;
    case ErrorCode::kWorkerCrashed:
    case ErrorCode::kInternal:
    case ErrorCode::kBadConfig:
    case ErrorCode::kBadModel:
    case ErrorCode::kSystem: return status::internal_server_error;
    case ErrorCode::kClientGone: return static_cast<status>(499);  // nginx uses this status too; no client receives it
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

void append_failure(http::TextBuffer& out, ErrorCode code, std::string_view message) {
  out += R"({"success":false,"error":{"code":")";
  out += common::to_string(code);
  out += R"(","message":)";
  out.add_json(common::as_utf8(message));  // the text may contain bytes of a client or the name of a file
  out += "}}";
}

void write_failure(http::Response& response, status status, ErrorCode code, std::string_view message) {
  response.start(status);
  append_failure(response.body, code, message);
}

void add_retry_after(http::Response& response, std::uint32_t seconds) {
  if (response.status != status::service_unavailable && response.status != status::too_many_requests) return;
  response.fields += "Retry-After: ";
  response.fields.add_whole(seconds);
  response.fields += "\r\n";
}

void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds) {
  write_failure(response, http_status(error.code), error.code, client_message(error));
  add_retry_after(response, retry_after_seconds);
}

}  // namespace yolod::app::api
