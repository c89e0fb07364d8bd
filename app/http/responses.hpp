// What goes back to a client: built here as a value, and here alone made the text that an answer is.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/status.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "app/http/text_buffer.hpp"
#include "app/schedule/answer_handler.hpp"
#include "common/error.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// One object serves one answer after another, so that its texts keep their room: each write_*() below replaces all of
// it.
struct Response {
  boost::beast::http::status status{boost::beast::http::status::ok};
  std::string_view content_type;  // a constant
  TextBuffer fields;              // what other header lines there are, each with its line break
  TextBuffer body;
  std::vector<std::byte> file;  // the body instead, where a worker made a file: it is not copied again

  [[nodiscard]] boost::asio::const_buffer content() const {
    return file.empty() ? boost::asio::buffer(body.view()) : boost::asio::buffer(file);
  }
};

void write_json(Response& response, boost::beast::http::status status, std::string_view body);
// Something else than JSON, with 200.
void write_text(Response& response, std::string_view content_type, std::string_view body);
// {"success":false,"error":{...}}, with Retry-After where the contract has it.
void write_error(Response& response, const common::Error& error, std::uint32_t retry_after_seconds = 1);
// Of POST /reload: whoever may ask for one is told the reason as it is.
void write_reloaded(Response& response, const common::Outcome<void>& result);
// A prediction, with Server-Timing: JSON, or the file that it is, which is taken out of `answer`. `total_us` runs from
// the request's first byte to now.
void write_prediction(Response& response, std::string_view model, Answer& answer, std::uint32_t total_us);

// The same for a long list, piece by piece: begin_prediction(), append_items() until all of item_count() are written,
// end_prediction(). Not for files.
[[nodiscard]] std::size_t item_count(const common::Prediction& prediction);
void begin_prediction(Response& response, std::string_view model, const Answer& answer);
// Up to `count` members of the list from number `from` on.
void append_items(Response& response, const Answer& answer, std::size_t from, std::size_t count);
void end_prediction(Response& response, const Answer& answer, std::uint32_t total_us);

// One more header line.
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

}  // namespace yolod::app
