#include "app/api/doods/doods_error.hpp"

#include "app/api/native_error.hpp"
#include "common/text.hpp"

namespace yolod::app::api::doods {
namespace {

using boost::beast::http::status;
using common::ErrorCode;

// DOODS answers every fault of a request with 400. A picture is a part of the request.
status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownModel:
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kImageTooComplex:
    case ErrorCode::kUnsupportedMediaType: return status::bad_request;
    default: return api::http_status(code);
  }
}

}  // namespace

void write_error(http::Response& response, const common::Error& error, std::string_view id,
                 std::uint32_t retry_after_seconds) {
  response.start(status_of(error.code));
  response.body += '{';
  if (!id.empty()) {
    response.body += R"("id":)";
    response.body.add_json(common::as_utf8(id));
    response.body += ',';
  }
  response.body += R"("detections":[],"error":)";
  response.body.add_json(common::as_utf8(api::client_message(error)));  // the text may contain bytes of a client
  response.body += '}';
  add_retry_after(response, retry_after_seconds);
}

bool owns_path(std::string_view path) { return path == "/detectors" || path == "/detect"; }

}  // namespace yolod::app::api::doods
