// One answer to a client: its status, its header lines and its content, and how they become text.
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

// One object serves one answer after another, so that its texts keep their room.
struct Response {
  boost::beast::http::status status{boost::beast::http::status::ok};
  std::string_view content_type;  // a constant
  TextBuffer fields;              // the other header lines, each with its line break
  TextBuffer body;
  std::vector<std::byte> file;  // the body instead, where a worker made a file: it is not copied again

  // Replaces all of it: an answer with that status and an empty body. `type` is a constant.
  void start(boost::beast::http::status status, std::string_view type = kJsonContentType);

  [[nodiscard]] boost::asio::const_buffer content() const {
    return file.empty() ? boost::asio::buffer(body.view()) : boost::asio::buffer(file);
  }
};

// Each of these replaces all of `response`.
void write_json(Response& response, boost::beast::http::status status, std::string_view body);
// With 200. `content_type` is a constant.
void write_text(Response& response, std::string_view content_type, std::string_view body);

// Adds one header line.
void add_field(Response& response, std::string_view name, std::string_view value);

// What the connection adds to an answer.
struct HeadSettings {
  unsigned version;  // 10 or 11
  bool keep_alive;
  std::string_view request_id;
  std::string_view date;  // HttpDate's
};
// The status line and the header, with the empty line: what is sent before content().
void append_head(TextBuffer& out, const Response& response, const HeadSettings& settings);

}  // namespace yolod::app::http
