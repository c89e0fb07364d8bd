#include "app/api/oip/oip_error.hpp"

#include <utility>

#include "app/api/native_error.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {

using boost::beast::http::status;
using common::ErrorCode;

namespace {

constexpr std::size_t kMostNameBytes = 200;

}  // namespace

// Triton answers every fault of a request's content with 400.
status http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kImageTooComplex:
    case ErrorCode::kUnsupportedMediaType:
    case ErrorCode::kBodyTooLarge:
    case ErrorCode::kHeaderTooLarge: return status::bad_request;
    default: return api::http_status(code);
  }
}

void write_failure(http::Response& response, status status, std::string_view text) {
  response.start(status);
  response.body += R"({"error":)";
  response.body.add_json(common::as_utf8(text));  // the text may contain bytes of a client
  response.body += '}';
}

void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds) {
  const auto status = http_status(error.code);
  // The public client of Triton knows these two texts.
  const std::string text = error.code == ErrorCode::kNotFound           ? "Not Found"
                           : error.code == ErrorCode::kMethodNotAllowed ? "Method Not Allowed"
                                                                        : api::client_message(error);
  write_failure(response, status, text);
  add_retry_after(response, retry_after_seconds);
}

common::Error unknown_model(std::string_view name, std::string_view version) {
  std::string text = "Request for unknown model: '" + common::printable(name, kMostNameBytes) + "'";
  if (!version.empty()) text.append(" version ").append(common::printable(version, kMostNameBytes));
  return {ErrorCode::kUnknownModel, text + " is not found"};
}

common::Error unloaded_model(std::string_view name, std::string_view version) {
  const std::string text = "Request for unknown model: '" + common::printable(name, kMostNameBytes) + "'";
  if (version.empty()) return {ErrorCode::kUnknownModel, text + " has no available versions"};
  return {ErrorCode::kNotReady,
          text + " version " + common::printable(version, kMostNameBytes) + " is not at ready state"};
}

common::Error bad_request(std::string what) { return {common::ErrorCode::kBadRequest, std::move(what)}; }

std::string in_quotes(std::string_view name) { return "'" + common::printable(name, 100) + "'"; }

}  // namespace yolod::app::api::oip
