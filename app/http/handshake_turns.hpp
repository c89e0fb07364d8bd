// Lets one TLS handshake compute at a time, and lets the event loop serve other connections between two of them.
// Without it, clients that connect at the same moment would hold the event loop for all their signatures together.
//
// The object is used on the front-end's only thread and outlives the io_context's handlers.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>

#include "common/completion.hpp"

namespace yolod::app::http {

class HandshakeTurns {
 public:
  using Resume = common::Completion<>;

  explicit HandshakeTurns(boost::asio::io_context& io) : io_(io) {}
  HandshakeTurns(const HandshakeTurns&) = delete;
  HandshakeTurns& operator=(const HandshakeTurns&) = delete;

  // Calls `resume` when it is the caller's turn, later and not from within this function. Turns come in the order of
  // the calls.
  void wait(Resume resume);

 private:
  void begin_next();

  boost::asio::io_context& io_;
  std::deque<Resume> waiting_;
  bool is_posted_{false};
};

}  // namespace yolod::app::http
