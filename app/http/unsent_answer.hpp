// Holds the rest of an answer that the client's window has not taken yet. It needs no socket. The connection owns it
// and uses it on one thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <utility>

#include "app/http/response.hpp"
#include "app/http/text_buffer.hpp"
#include "app/net/stream.hpp"

namespace yolod::app::http {

// Returns the first bytes of an answer: the head, and at most `most_bytes` of the content. The arguments outlive the
// buffers. `head_alone` is true for the answer to a HEAD request, which has no content on the wire.
[[nodiscard]] net::Stream::Buffers first_bytes(const TextBuffer& head, const Response& response, bool head_alone,
                                               std::size_t most_bytes);

class UnsentAnswer {
 public:
  // Takes the head and the content of an answer; the first `written` bytes of them are already sent.
  UnsentAnswer(TextBuffer head, Response response, bool head_alone, std::size_t written)
      : head_text_(std::move(head)),
        response_(std::move(response)),
        count_(head_alone ? 1 : 2 + response_.parts.size()) {
    sent(written);
  }
  UnsentAnswer(const UnsentAnswer&) = delete;
  UnsentAnswer& operator=(const UnsentAnswer&) = delete;

  [[nodiscard]] bool done() const { return next_ == count_; }
  // Returns the next bytes to send: the rest of the head, and at most `most_bytes` of the content.
  [[nodiscard]] net::Stream::Buffers next(std::size_t most_bytes) const;
  // Frees the memory of the part that is sent, because freeing a long answer at once would hold up the event loop.
  void sent(std::size_t bytes);

 private:
  // Piece 0 is the head, piece 1 the content, and the parts follow.
  [[nodiscard]] boost::asio::const_buffer piece_at(std::size_t number) const;

  const TextBuffer head_text_;
  Response response_;
  const std::size_t count_;
  std::size_t next_{0};  // the first piece that is not sent
  std::size_t at_{0};    // how much of it is sent
};

}  // namespace yolod::app::http
