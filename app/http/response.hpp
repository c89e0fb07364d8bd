// Holds the status, the header lines and the content of one answer, and writes them as text.
#pragma once

#include <ostream>  // before status.hpp, which uses it without including it (Boost 1.81)

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/status.hpp>
#include <cstddef>
#include <string_view>
#include <vector>

#include "app/http/text_buffer.hpp"

namespace yolod::app::http {

inline constexpr std::string_view kJsonContentType = "application/json";

// An object serves one answer after another, so that its buffers keep their memory.
struct Response {
  boost::beast::http::status status{boost::beast::http::status::ok};
  std::string_view content_type;  // a string constant
  TextBuffer fields;              // the other header lines, each with its line break
  TextBuffer body;
  std::vector<std::byte> file;  // a worker's file, sent instead of `body` without a copy
  // A worker's tensors, sent after content() without a copy.
  std::vector<std::vector<std::byte>> parts;

  // Replaces the whole response by one with this status and an empty body. `type` is a string constant.
  void start(boost::beast::http::status status, std::string_view type = kJsonContentType);

  [[nodiscard]] boost::asio::const_buffer content() const {
    return file.empty() ? boost::asio::buffer(body.view()) : boost::asio::buffer(file);
  }
  // Returns the size of content() and of all parts.
  [[nodiscard]] std::size_t content_bytes() const;
};

// Each of these functions replaces the whole response.
void write_json(Response& response, boost::beast::http::status status, std::string_view body);
// The status is 200. `content_type` is a string constant.
void write_text(Response& response, std::string_view content_type, std::string_view body);

void add_field(Response& response, std::string_view name, std::string_view value);
// Adds the field that an answer with status 401 must have (RFC 9110, 11.6.1).
void add_challenge(Response& response);

// The connection adds these parts of the head.
struct HeadSettings {
  unsigned version;  // 10 or 11
  bool keep_alive;
  std::string_view request_id;
  std::string_view date;  // the text of HttpDate::at()
};
// Appends the status line, the header and the empty line. content() follows them.
void append_head(TextBuffer& out, const Response& response, const HeadSettings& settings);

}  // namespace yolod::app::http
