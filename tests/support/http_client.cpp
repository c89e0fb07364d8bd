#include "tests/support/http_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <sstream>

namespace yolod::tests {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// Waits for one of `events`. Returns 0 after `end`.
short wait_for(int socket, short events, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0) return 0;
    pollfd item{socket, events, 0};
    const int ready = ::poll(&item, 1, static_cast<int>(left.count()));
    if (ready > 0) return item.revents;
    if (ready < 0 && errno != EINTR) return POLLERR;
  }
}

common::UniqueFd open_connection(const Endpoint& endpoint) {
  const bool local = !endpoint.unix_path.empty();
  common::UniqueFd socket(::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return {};
  int result = 0;
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto size = std::min(endpoint.unix_path.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path, endpoint.unix_path.data(), size);
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (endpoint.own_address != 0) {
      address.sin_addr.s_addr = htonl(endpoint.own_address);
      if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    }
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (result != 0) return {};
  return socket;
}

}  // namespace

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::kNone: return "none";
    case Failure::kRefused: return "refused";
    case Failure::kClosedUnanswered: return "closed before the first byte of an answer";
    case Failure::kClosedMidAnswer: return "closed within an answer";
    case Failure::kDeadline: return "no complete answer in time";
    case Failure::kMalformed: return "not HTTP";
  }
  return "?";
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

bool Answer::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& item) {
    return beast::iequals({item.first.data(), item.first.size()}, {name.data(), name.size()});
  });
}

boost::json::value Answer::json() const {
  boost::json::error_code error;
  auto value = boost::json::parse(body, error);
  return error ? boost::json::value{} : value;
}

std::string Answer::error_code() const {
  const auto value = json();
  const auto* object = value.if_object();
  const auto* error = object != nullptr ? object->if_contains("error") : nullptr;
  const auto* fields = error != nullptr ? error->if_object() : nullptr;
  const auto* code = fields != nullptr ? fields->if_contains("code") : nullptr;
  const auto* text = code != nullptr ? code->if_string() : nullptr;
  return text != nullptr ? std::string(text->c_str(), text->size()) : std::string();
}

std::string describe(const Answer& answer) {
  if (!answer.answered()) {
    return "no answer: " + std::string(to_string(answer.failure)) + (answer.reused ? " (reused connection)" : "");
  }
  constexpr std::size_t kShown = 500;
  return std::to_string(answer.status) + " " + answer.body.substr(0, kShown);
}

std::ostream& operator<<(std::ostream& stream, const Answer& answer) { return stream << describe(answer); }

std::string serialise(const Request& request) {
  std::ostringstream text;
  text << request.method << ' ' << request.target << " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : request.headers) text << name << ": " << value << "\r\n";
  if (request.chunk_bytes > 0) {
    text << "Transfer-Encoding: chunked\r\n\r\n" << std::hex;
    for (std::size_t at = 0; at < request.body.size(); at += request.chunk_bytes) {
      const auto piece = std::string_view(request.body).substr(at, request.chunk_bytes);
      text << piece.size() << "\r\n" << piece << "\r\n";
    }
    text << "0\r\n\r\n";
  } else {
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      text << "Content-Length: " << request.body.size() << "\r\n";
    }
    text << "\r\n" << request.body;
  }
  return std::move(text).str();
}

Answer HttpClient::send(const Request& request) {
  if (!connect()) {
    Answer answer;
    answer.failure = Failure::kRefused;
    answer.connected_at = answer.sent_at = Clock::now();
    return answer;
  }
  write(serialise(request));
  return read_answer(request.method == "HEAD");
}

Answer HttpClient::get(const std::string& target, Headers headers) {
  return send({.method = "GET", .target = target, .headers = std::move(headers)});
}

Answer HttpClient::post(const std::string& target, std::string body, Headers headers) {
  if (headers.empty()) headers = {{"Content-Type", "application/octet-stream"}};
  return send({.method = "POST", .target = target, .headers = std::move(headers), .body = std::move(body)});
}

bool HttpClient::connect() {
  if (socket_.valid() && !closing_) return true;
  closing_ = false;
  tls_.reset();
  socket_ = open_connection(endpoint_);
  if (socket_.valid() && endpoint_.tls) {
    const int on = 1;
    ::ioctl(socket_.get(), FIONBIO, &on);
    tls_ = {SSL_new(endpoint_.tls.get()), &SSL_free};
    SSL_set_fd(tls_.get(), socket_.get());
    SSL_set_connect_state(tls_.get());
  }
  connected_at_ = Clock::now();
  received_.clear();
  peer_closed_ = false;
  answer_count_ = 0;
  return socket_.valid();
}

bool HttpClient::write(std::string_view raw) {
  const auto end = Clock::now() + deadline_;
  sent_at_ = Clock::now();
  if (tls_) return write_by_tls(raw, end);
  while (!raw.empty()) {
    // An answer that comes before the whole request is sent is read at once, because a reset would discard it.
    const short ready = wait_for(socket_.get(), POLLOUT | (peer_closed_ ? 0 : POLLIN), end);
    if (ready == 0) return false;
    if ((ready & POLLIN) != 0 && receive(end) == Received::kEnd) peer_closed_ = true;
    if ((ready & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
    const auto sent = ::send(socket_.get(), raw.data(), raw.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      raw.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return false;
    }
  }
  return true;
}

HttpClient::Received HttpClient::receive(Clock::time_point end) {
  if (peer_closed_) return Received::kEnd;
  if (tls_) return receive_by_tls(end);
  if (wait_for(socket_.get(), POLLIN, end) == 0) return Received::kNothing;
  std::array<char, 65536> buffer;
  const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0) {
    peer_closed_ = true;
    return Received::kEnd;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(size));
  return Received::kBytes;
}

bool HttpClient::wait_for_tls(int result, Clock::time_point end) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ: return wait_for(socket_.get(), POLLIN, end) != 0;
    case SSL_ERROR_WANT_WRITE: return wait_for(socket_.get(), POLLOUT, end) != 0;
    default: peer_closed_ = true; return false;
  }
}

bool HttpClient::shake_hands() {
  const auto end = Clock::now() + deadline_;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) return true;
    if (!wait_for_tls(result, end)) return false;
  }
}

bool HttpClient::write_by_tls(std::string_view raw, Clock::time_point end) {
  while (!raw.empty()) {
    ERR_clear_error();
    const int result = SSL_write(tls_.get(), raw.data(), static_cast<int>(raw.size()));
    if (result > 0) {
      raw.remove_prefix(static_cast<std::size_t>(result));
    } else if (SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_WRITE) {
      // As above, an early answer is read at once.
      const short ready = wait_for(socket_.get(), POLLIN | POLLOUT, end);
      if (ready == 0 || ((ready & POLLIN) != 0 && receive_by_tls(Clock::now()) == Received::kEnd)) return false;
    } else if (!wait_for_tls(result, end)) {
      return false;
    }
  }
  return true;
}

HttpClient::Received HttpClient::receive_by_tls(Clock::time_point end) {
  std::array<char, 65536> buffer;
  for (;;) {
    ERR_clear_error();
    const int size = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(size));
      return Received::kBytes;
    }
    if (!wait_for_tls(size, end)) return peer_closed_ ? Received::kEnd : Received::kNothing;
  }
}

Answer HttpClient::read_answer(bool to_head) {
  const auto end = Clock::now() + deadline_;
  Answer answer;
  answer.reused = answer_count_ > 0;
  answer.connected_at = connected_at_;
  answer.sent_at = sent_at_;
  const auto fail = [&](Failure failure) {
    answer.failure = failure;
    close();
    return answer;
  };
  bool begun = false;
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.skip(to_head);
    parser.body_limit(boost::none);
    while (!parser.is_done()) {
      if (!received_.empty()) {
        begun = true;
        beast::error_code error;
        const auto used = parser.put(boost::asio::buffer(received_), error);
        received_.erase(0, used);
        if (error && error != http::error::need_more) return fail(Failure::kMalformed);
        if (parser.is_done() || used > 0) continue;
      }
      switch (receive(end)) {
        case Received::kBytes: break;
        case Received::kNothing: return fail(Failure::kDeadline);
        case Received::kEnd: {
          beast::error_code error;
          if (parser.got_some()) parser.put_eof(error);
          if (!parser.is_done() || error) {
            return fail(begun ? Failure::kClosedMidAnswer : Failure::kClosedUnanswered);
          }
        }
      }
    }
    auto message = parser.release();
    if (message.result_int() < 200) {  // an interim answer: the final answer follows
      answer.continued |= message.result() == http::status::continue_;
      continue;
    }
    answer.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      answer.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    answer.body = std::move(message.body());
    ++answer_count_;
    // The socket stays open until the next connect(), so that wait_for_close() can tell whether the server closes it.
    closing_ = !message.keep_alive();
    return answer;
  }
}

void HttpClient::finish_writing() {
  if (tls_) SSL_shutdown(tls_.get());
  ::shutdown(socket_.get(), SHUT_WR);
}

void HttpClient::close() {
  tls_.reset();
  socket_.reset();
  received_.clear();
}

bool HttpClient::wait_for_close(milliseconds deadline) {
  if (!socket_.valid()) return true;
  return receive(Clock::now() + scaled(deadline)) == Received::kEnd;
}

bool HttpClient::has_unread_bytes() {
  if (!received_.empty()) return true;
  return socket_.valid() && receive(Clock::now() + 1ms) == Received::kBytes;
}

}  // namespace yolod::tests
