// A blocking HTTP/1.1 client for tests, with or without TLS. It keeps its connection, can send anything byte by byte,
// and reports a failed exchange in the terms of the fault cases. Only one thread at a time may use a client.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace yolod::tests {

// The address 127.0.0.1:port, or a Unix socket if a path is set.
struct Endpoint {
  std::uint16_t port{0};
  std::string unix_path;
  // If it is set, clients speak TLS (tests/support/tls_client.hpp).
  std::shared_ptr<ssl_ctx_st> tls{};
  // The client's own address, 127.0.x.y, so that a test has clients with different addresses. 0: the kernel chooses.
  std::uint32_t own_address{0};
};

enum class Failure {
  kNone,
  kRefused,           // no connection could be made
  kClosedUnanswered,  // the connection ended before the first byte of an answer, or in the TLS handshake
  kClosedMidAnswer,   // the connection ended within an answer
  kDeadline,          // no complete answer in time
  kMalformed,         // the bytes that came are not HTTP
};
[[nodiscard]] std::string_view to_string(Failure failure);

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  Failure failure{Failure::kNone};
  bool reused{false};     // the connection had carried an earlier answer
  bool continued{false};  // "100 Continue" came first
  Clock::time_point connected_at;
  Clock::time_point sent_at;  // the time when the client began to send its request
  int status{0};
  Headers headers;
  std::string body;

  [[nodiscard]] bool answered() const { return failure == Failure::kNone; }
  // "A reused connection that was closed before the first byte of an answer counts as not sent."
  [[nodiscard]] bool counts_as_not_sent() const { return failure == Failure::kClosedUnanswered && reused; }
  // Returns the header's value, or an empty string if it is absent. The case of `name` does not matter.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  // Returns the body, or null if it is not JSON.
  [[nodiscard]] boost::json::value json() const;
  // Returns error.code of an error answer, or an empty string for any other.
  [[nodiscard]] std::string error_code() const;
};

// Returns text for an assertion: "200 {...}" or "no answer: refused".
[[nodiscard]] std::string describe(const Answer& answer);
std::ostream& operator<<(std::ostream& stream, const Answer& answer);

struct Request {
  std::string method{"GET"};
  std::string target{"/"};
  Headers headers{};
  std::string body{};
  std::size_t chunk_bytes{0};  // if not 0, the body is chunked in pieces of that size
};

// Returns the bytes of the request: request line, Host, headers, Content-Length or chunks.
[[nodiscard]] std::string serialise(const Request& request);

class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint, milliseconds deadline = kGenerous)
      : endpoint_(std::move(endpoint)), deadline_(scaled(deadline)) {}

  // Sends a request and reads its answer, on the existing connection or a new connection.
  Answer send(const Request& request);
  Answer get(const std::string& target, Headers headers = {});
  Answer post(const std::string& target, std::string body, Headers headers = {});

  // A test that does something between the steps of an exchange calls these.
  bool connect();                    // false: refused. Keeps an existing connection
  bool write(std::string_view raw);  // false: the peer has closed; an answer may still be readable
  Answer read_answer(bool to_head = false);
  void finish_writing();  // half-close
  void close();

  [[nodiscard]] bool connected() const { return socket_.valid(); }
  // Completes the TLS handshake of the connection. Returns false if it fails. Other calls do it when they need it.
  [[nodiscard]] bool shake_hands();
  // Returns OpenSSL's object of the present connection; null without TLS.
  [[nodiscard]] ssl_st* tls() const { return tls_.get(); }
  // Waits for the peer to close. Returns false if the peer sends or stays open until the deadline.
  [[nodiscard]] bool wait_for_close(milliseconds deadline = kGenerous);
  // Returns whether bytes came that belong to no answer read so far.
  [[nodiscard]] bool has_unread_bytes();

 private:
  enum class Received { kBytes, kEnd, kNothing };
  Received receive(Clock::time_point end);
  Received receive_by_tls(Clock::time_point end);
  // Waits until OpenSSL can repeat a call that returned `result`. Returns false if the connection has ended.
  bool wait_for_tls(int result, Clock::time_point end);
  bool write_by_tls(std::string_view raw, Clock::time_point end);

  Endpoint endpoint_;
  milliseconds deadline_;
  common::UniqueFd socket_;
  std::shared_ptr<ssl_st> tls_;
  Clock::time_point connected_at_;
  Clock::time_point sent_at_;
  std::string received_;  // not yet part of an answer
  bool peer_closed_{false};
  bool closing_{false};          // the last answer announced that the connection closes
  std::size_t answer_count_{0};  // on this connection
};

}  // namespace yolod::tests
