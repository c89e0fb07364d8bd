#include "app/api/page/pages.hpp"

namespace yolod::app::api::page {

void write_file(const EmbeddedFile& file, std::string_view if_none_match, http::Response& response) {
  const bool is_known = if_none_match == "*" || if_none_match.find(file.etag) != std::string_view::npos;
  response.start(is_known ? boost::beast::http::status::not_modified : boost::beast::http::status::ok,
                 file.content_type);
  add_field(response, "ETag", file.etag);
  add_field(response, "Cache-Control", "no-cache");  // a browser asks each time whether its copy is the present one
  if (is_known) return;
  add_field(response, "X-Content-Type-Options", "nosniff");
  if (!file.policy.empty()) {
    add_field(response, "Content-Security-Policy", file.policy);
    add_field(response, "X-Frame-Options", "DENY");
    add_field(response, "Referrer-Policy", "same-origin");
    add_field(response, "Cross-Origin-Opener-Policy", "same-origin");
  }
  response.body += file.content;
}

}  // namespace yolod::app::api::page
