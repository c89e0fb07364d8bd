#include "app/api/roboflow/roboflow_error.hpp"

#include "app/api/native_error.hpp"
#include "common/text.hpp"

namespace yolod::app::api::roboflow {

void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds) {
  response.start(api::http_status(error.code));
  response.body += R"({"message":)";
  response.body.add_json(common::as_utf8(api::client_message(error)));  // the text may contain bytes of a client
  response.body += '}';
  add_retry_after(response, retry_after_seconds);
}

bool owns_path(std::string_view path) {
  if (path.starts_with("/infer/") || path.starts_with("/model/")) return true;
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == path.size()) return false;
  return path.find_first_not_of("0123456789", slash + 1) == std::string_view::npos;
}

}  // namespace yolod::app::api::roboflow
