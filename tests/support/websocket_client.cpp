#include "tests/support/websocket_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdlib>

namespace yolod::tests {

WebSocketClient::WebSocketClient(const Endpoint& endpoint, std::string_view target, std::string_view fields)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket_.reset();
    return;
  }
  send(upgrade_request(target, fields));
  const auto end = Clock::now() + scaled(kGenerous);
  std::size_t length = 0;
  while ((length = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(end)) return;
  }
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (!received_.starts_with(kStart)) return;
  status_ = std::atoi(received_.c_str() + kStart.size());
  constexpr int kSwitchingProtocols = 101;
  if (status_ != kSwitchingProtocols) {
    receive(Clock::now() + 100ms);  // the body usually comes with the head
    length = received_.size() - 4;
  }
  head_ = received_.substr(0, length + 4);
  received_.erase(0, length + 4);
}

bool WebSocketClient::send(std::string_view frames) {
  while (!frames.empty()) {
    const auto bytes = ::send(socket_.get(), frames.data(), frames.size(), MSG_NOSIGNAL);
    if (bytes <= 0) return false;
    frames.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

bool WebSocketClient::receive(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
  pollfd state{socket_.get(), POLLIN, 0};
  if (poll(&state, 1, static_cast<int>(std::max<milliseconds::rep>(left.count(), 0))) <= 0) return false;
  std::string some(1U << 16U, '\0');
  const auto bytes = recv(socket_.get(), some.data(), some.size(), 0);
  if (bytes <= 0) return false;
  received_.append(some.data(), static_cast<std::size_t>(bytes));
  return true;
}

std::optional<Frame> WebSocketClient::next(milliseconds deadline) {
  const auto end = Clock::now() + scaled(deadline);
  for (;;) {
    if (auto frame = take_frame(received_)) {
      if (frame->opcode != Frame::kPing) return frame;
      send(bytes_of({.opcode = Frame::kPong, .payload = frame->payload}));
    } else if (!receive(end)) {
      return std::nullopt;
    }
  }
}

boost::json::object WebSocketClient::next_answer(milliseconds deadline) {
  const auto frame = next(deadline);
  if (!frame || frame->opcode != Frame::kText) return {};
  boost::system::error_code failure;
  const auto value = boost::json::parse(frame->payload, failure);
  return !failure && value.is_object() ? value.get_object() : boost::json::object();
}

}  // namespace yolod::tests
