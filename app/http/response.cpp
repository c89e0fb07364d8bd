#include "app/http/response.hpp"

namespace yolod::app::http {

namespace beast_http = boost::beast::http;

void Response::start(beast_http::status with_status, std::string_view type) {
  status = with_status;
  content_type = type;
  fields.clear();
  body.clear();
  file.clear();
  parts.clear();
}

std::size_t Response::content_bytes() const {
  std::size_t bytes = content().size();
  for (const auto& part : parts) bytes += part.size();
  return bytes;
}

void write_json(Response& response, beast_http::status status, std::string_view body) {
  response.start(status);
  response.body += body;
}

void write_text(Response& response, std::string_view content_type, std::string_view body) {
  response.start(beast_http::status::ok, content_type);
  response.body += body;
}

void add_field(Response& response, std::string_view name, std::string_view value) {
  response.fields += name;
  response.fields += ": ";
  response.fields += value;
  response.fields += "\r\n";
}

void add_challenge(Response& response) { add_field(response, "WWW-Authenticate", "Bearer realm=\"yolod\""); }

void append_head(TextBuffer& out, const Response& response, const HeadSettings& settings) {
  out += settings.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out.add_whole(static_cast<unsigned>(response.status));
  out += ' ';
  const auto reason = beast_http::obsolete_reason(response.status);
  out += std::string_view(reason.data(), reason.size());
  out += "\r\n";
  // 204 and 304 have no content. The Content-Length of 304 would be the length of the client's copy, and 204 must not
  // have one (RFC 9110, 8.6).
  const bool has_content =
      response.status != beast_http::status::not_modified && response.status != beast_http::status::no_content;
  if (has_content) {
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\n";
  }
  out += response.fields.view();
  if (settings.version == 10 && settings.keep_alive) out += "Connection: keep-alive\r\n";
  if (settings.version != 10 && !settings.keep_alive) out += "Connection: close\r\n";
  out += "Date: ";
  out += settings.date;
  out += "\r\nX-Request-Id: ";
  out += settings.request_id;
  if (has_content) {
    out += "\r\nContent-Length: ";
    out.add_whole(response.content_bytes());
  }
  out += "\r\n\r\n";
}

}  // namespace yolod::app::http
