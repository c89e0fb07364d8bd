#include "app/http/handshake_turns.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace yolod::app::http {

void HandshakeTurns::wait(Resume resume) {
  waiting_.push_back(std::move(resume));
  if (!std::exchange(is_posted_, true)) boost::asio::post(io_, [this] { begin_next(); });
}

// The posted handler runs after every handler that is ready now, and after the event loop has asked the kernel for
// more events. So other connections are served before the next handshake.
void HandshakeTurns::begin_next() {
  Resume resume = std::move(waiting_.front());
  waiting_.pop_front();
  is_posted_ = !waiting_.empty();
  if (is_posted_) boost::asio::post(io_, [this] { begin_next(); });
  resume();
}

}  // namespace yolod::app::http
