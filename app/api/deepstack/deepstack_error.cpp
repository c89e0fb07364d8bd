#include "app/api/deepstack/deepstack_error.hpp"

#include <string>

#include "app/api/native_error.hpp"
#include "common/text.hpp"

namespace yolod::app::api::deepstack {
namespace {

using boost::beast::http::status;
using common::ErrorCode;

// Clients know these texts. Every other error keeps its own.
std::string text_of(const common::Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidImage: return "invalid image file: " + error.message;
    case ErrorCode::kUnauthorized: return "Incorrect api key";
    case ErrorCode::kDeadlineExceeded: return "failed to process request before timeout";
    default: return api::client_message(error);
  }
}

// Returns whether the fault is in the picture or in a value, which a module of CodeProject.AI finds.
bool is_of_the_content(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kInvalidParameter:
    case ErrorCode::kInvalidImage:
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kImageTooComplex:
    case ErrorCode::kUnsupportedMediaType:
    case ErrorCode::kQuarantined: return true;
    default: return false;
  }
}

}  // namespace

void write_error(http::Response& response, const common::Error& error, common::DeepStackErrors style,
                 std::uint32_t retry_after_seconds) {
  const status real = api::http_status(error.code);
  const bool is_told_in_json = style == common::DeepStackErrors::kSuccess && is_of_the_content(error.code);
  response.start(is_told_in_json ? status::ok : real);
  response.body += R"({"success":false,"error":)";
  response.body.add_json(common::as_utf8(text_of(error)));  // the text may contain bytes of a client
  response.body += R"(,"code":)";
  response.body.add_whole(static_cast<unsigned>(real));
  if (is_told_in_json) response.body += R"(,"predictions":[],"count":0)";
  response.body += R"(,"duration":0})";
  add_retry_after(response, retry_after_seconds);
}

bool owns_path(std::string_view path) {
  return path.starts_with("/v1/vision/") || path.starts_with("/v1/status/") || path.starts_with("/v1/server/");
}

}  // namespace yolod::app::api::deepstack
