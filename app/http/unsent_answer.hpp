// Holds the rest of an answer that the client's window has not taken yet. It needs no socket. The connection owns it
// and uses it on one thread.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <utility>

#include "app/http/response.hpp"
#include "app/http/text_buffer.hpp"

namespace yolod::app::http {

class UnsentAnswer {
 public:
  // Takes the head and the content of an answer; the first `written` bytes of them are already sent. `head_alone` is
  // true for the answer to a HEAD request, which has no content on the wire.
  UnsentAnswer(TextBuffer head, Response response, bool head_alone, std::size_t written)
      : head_text_(std::move(head)),
        response_(std::move(response)),
        head_(head_text_.view().data(), head_text_.view().size()),
        content_(head_alone ? boost::asio::const_buffer() : response_.content()) {
    sent(written);
  }
  UnsentAnswer(const UnsentAnswer&) = delete;
  UnsentAnswer& operator=(const UnsentAnswer&) = delete;

  [[nodiscard]] bool done() const { return head_.size() + content_.size() == 0; }
  // Returns the next bytes to send: the rest of the head, and at most `most_bytes` of the content.
  [[nodiscard]] std::array<boost::asio::const_buffer, 2> next(std::size_t most_bytes) const {
    return {head_, boost::asio::buffer(content_, most_bytes)};
  }
  void sent(std::size_t bytes) {
    const std::size_t of_head = std::min(bytes, head_.size());
    head_ += of_head;
    content_ += bytes - of_head;
  }

 private:
  const TextBuffer head_text_;
  const Response response_;
  boost::asio::const_buffer head_;
  boost::asio::const_buffer content_;
};

}  // namespace yolod::app::http
