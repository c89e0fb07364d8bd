// Looks for the head of a request at the front of what a connection has read. It reads a head that arrives in many
// small pieces once at its end, not once for each piece. No sockets. One object belongs to one connection; one thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>

#include "app/http/request_head.hpp"

namespace yolod::app::http {

class HeadSearch {
 public:
  enum class State {
    kNothing,     // the buffer is empty, apart from empty lines, which are consumed
    kUnfinished,  // more bytes are needed
    kFound,       // `head` is set; its bytes are still in the buffer
    kBad,         // failure() says why
  };

  // A new request begins: the next look() looks at every byte.
  void restart() { looked_at_ = 0; }

  // `head` refers to texts of `reader` afterwards.
  [[nodiscard]] State look(boost::beast::flat_buffer& buffer, RequestHeadReader& reader, RequestHead& head);

  [[nodiscard]] boost::system::error_code failure() const { return failure_; }

 private:
  void skip_empty_lines(boost::beast::flat_buffer& buffer);
  // Whether the bytes that came since the last look can end a head.
  [[nodiscard]] bool may_be_whole(const boost::beast::flat_buffer& buffer);

  std::size_t looked_at_{0};  // bytes that did not hold a whole head
  unsigned empty_lines_{0};   // before the request at hand
  boost::system::error_code failure_;
};

}  // namespace yolod::app::http
