// A blocking WebSocket client for tests. It answers pings. Only one thread at a time may use a client, except that
// another thread may send.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/websocket_frames.hpp"

namespace yolod::tests {

class WebSocketClient {
 public:
  // Connects without TLS and sends the request for `target`. `fields` are more header lines.
  WebSocketClient(const Endpoint& endpoint, std::string_view target, std::string_view fields = {});

  // Returns the HTTP status of the answer to the request, which is 101 for a WebSocket. 0: there was no answer.
  [[nodiscard]] int status() const { return status_; }
  // Returns the answer's head, and the body of a refusal.
  [[nodiscard]] const std::string& head() const { return head_; }
  // Returns false if the connection has ended.
  bool send(std::string_view frames);
  // Returns the next frame that is no ping. Nothing: the connection has ended, or no frame came in time.
  [[nodiscard]] std::optional<Frame> next(milliseconds deadline = kGenerous);
  // Returns the next frame as a JSON object, which is empty if the frame is none.
  [[nodiscard]] boost::json::object next_answer(milliseconds deadline = kGenerous);
  void close() { socket_.reset(); }

 private:
  // Reads some bytes. Returns false if the connection has ended or no byte came in time.
  bool receive(Clock::time_point end);

  common::UniqueFd socket_;
  int status_{0};
  std::string head_;
  std::string received_;
};

}  // namespace yolod::tests
