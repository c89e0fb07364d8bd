// Looks for a request's head at the front of the bytes that a connection has read. A head that arrives in many small
// pieces is parsed once at its end and not once for each piece. The class needs no socket. A connection owns one
// object and uses it on one thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>

#include "app/http/request_head.hpp"

namespace yolod::app::http {

class HeadSearch {
 public:
  enum class State {
    kNothing,     // the buffer is empty, or held only empty lines, which are consumed
    kUnfinished,  // the head needs more bytes
    kFound,       // `head` is set; its bytes are still in the buffer
    kBad,         // failure() has the reason
  };

  // Begins a new request: the next look() examines every byte.
  void restart() { looked_at_ = 0; }

  // Afterwards `head` refers to texts of `reader`.
  [[nodiscard]] State look(boost::beast::flat_buffer& buffer, RequestHeadReader& reader, RequestHead& head);

  [[nodiscard]] boost::system::error_code failure() const { return failure_; }

 private:
  void skip_empty_lines(boost::beast::flat_buffer& buffer);
  // Returns whether the bytes since the last look can end a head.
  [[nodiscard]] bool may_be_whole(const boost::beast::flat_buffer& buffer);

  std::size_t looked_at_{0};  // bytes that were examined without finding a whole head
  unsigned empty_lines_{0};   // before the present request
  boost::system::error_code failure_;
};

}  // namespace yolod::app::http
