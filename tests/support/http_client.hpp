// A blocking HTTP/1.1 client for tests. It keeps its connection, can send anything byte by byte, and says how an
// exchange failed in the terms that the fault cases use. One thread at a time may use one client.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"

namespace yolod::tests {

// 127.0.0.1:port, or a Unix socket where a path is given.
struct Endpoint {
  std::uint16_t port{0};
  std::string unix_path;
};

enum class Failure {
  kNone,
  kRefused,           // no connection could be made
  kClosedUnanswered,  // the connection ended before the first byte of an answer
  kClosedMidAnswer,   // the connection ended within an answer
  kDeadline,          // no complete answer in time
  kMalformed,         // what came is not HTTP
};
[[nodiscard]] std::string_view to_string(Failure failure);

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  Failure failure{Failure::kNone};
  bool reused{false};     // the connection had carried an answer before this one
  bool continued{false};  // "100 Continue" came first
  Clock::time_point connected_at;
  Clock::time_point sent_at;  // when its request was begun
  int status{0};
  Headers headers;
  std::string body;

  [[nodiscard]] bool answered() const { return failure == Failure::kNone; }
  // "A reused connection that was closed before the first byte of an answer counts as not sent."
  [[nodiscard]] bool counts_as_not_sent() const { return failure == Failure::kClosedUnanswered && reused; }
  // The header's value; empty where it is absent. `name` in any case.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  // The body; null where it is not JSON.
  [[nodiscard]] boost::json::value json() const;
  // error.code of an error answer; empty for any other.
  [[nodiscard]] std::string error_code() const;
};

// "200 {...}" or "no answer: refused": what an assertion prints.
[[nodiscard]] std::string describe(const Answer& answer);
std::ostream& operator<<(std::ostream& stream, const Answer& answer);

struct Request {
  std::string method{"GET"};
  std::string target{"/"};
  Headers headers{};
  std::string body{};
  std::size_t chunk_bytes{0};  // not 0: chunked, in pieces of that size
};

// The bytes of it: request line, Host, headers, Content-Length or chunks.
[[nodiscard]] std::string serialise(const Request& request);

class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint, milliseconds deadline = kGenerous)
      : endpoint_(std::move(endpoint)), deadline_(scaled(deadline)) {}

  // One exchange, on the connection there is or a new one.
  Answer send(const Request& request);
  Answer get(const std::string& target, Headers headers = {});
  Answer post(const std::string& target, std::string body, Headers headers = {});

  // The steps, for a test that does something between them.
  bool connect();                    // false: refused. Keeps a connection that is there
  bool write(std::string_view raw);  // false: the peer has closed; there may still be an answer to read
  Answer read_answer(bool to_head = false);
  void finish_writing();  // half-close
  void close();

  [[nodiscard]] bool connected() const { return socket_.valid(); }
  // Waits for the peer to close; false if it sends or stays open until the deadline.
  [[nodiscard]] bool wait_for_close(milliseconds deadline = kGenerous);
  // Whether bytes came that belong to no answer read so far.
  [[nodiscard]] bool has_unread_bytes();

 private:
  enum class Received { kBytes, kEnd, kNothing };
  Received receive(Clock::time_point end);

  Endpoint endpoint_;
  milliseconds deadline_;
  common::UniqueFd socket_;
  Clock::time_point connected_at_;
  Clock::time_point sent_at_;
  std::string received_;  // not yet part of an answer
  bool peer_closed_{false};
  bool closing_{false};          // the last answer said that it is this connection's last
  std::size_t answer_count_{0};  // on this connection
};

}  // namespace yolod::tests
