#include "app/accounts/server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

using common::Clock;
using protocol::Secret;

class Loop {
 public:
  Loop(int socket, Service& service) : socket_(socket), service_(service) {}

  void run(const protocol::Hello& hello) {
    next_ = protocol::encode(protocol::Message(hello));
    for (;;) {
      if (closing_ && (service_.under_way() == 0 || Clock::now() >= end_)) return;
      wait();
      service_.open_mail();
      receive();
      service_.tick(Clock::now());
      send();
    }
  }

 private:
  static constexpr int kPacketsAtOnce = 32;
  static constexpr common::milliseconds kGrace{1'000};

  void wait() {
    std::array<pollfd, 2> waited{{{socket_, 0, 0}, {service_.mail_descriptor(), POLLIN, 0}}};
    if (!closing_ && service_.takes_requests()) waited[0].events |= POLLIN;
    if (!next_.empty()) waited[0].events |= POLLOUT;
    if (waited[0].events == 0) waited[0].fd = -1;  // else a hang-up would wake this loop again and again
    auto until = service_.next_tick();
    if (closing_) until = std::min(until, end_);
    const auto left = std::max<std::int64_t>(0, std::chrono::ceil<common::milliseconds>(until - Clock::now()).count());
    (void)poll(waited.data(), waited.size(), static_cast<int>(left));
  }

  void receive() {
    for (int packets = 0; packets < kPacketsAtOnce && !closing_ && service_.takes_requests(); ++packets) {
      std::array<char, protocol::kMaxMessageBytes> packet;
      const ssize_t received = recv(socket_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
      if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
      // The front-end has left without reading every message. The requests that it has sent follow this error.
      if (received < 0 && errno == ECONNRESET) continue;
      if (received <= 0) {
        closing_ = true;
        end_ = Clock::now() + kGrace;
        return;
      }
      const auto size = static_cast<std::size_t>(received);
      // The service sees only the beginning of an oversized packet, with its id; no valid request is that short.
      constexpr std::size_t kBeginning = 10;
      service_.receive({packet.data(), size > packet.size() ? kBeginning : size}, Clock::now());
      sodium_memzero(packet.data(), std::min(size, packet.size()));
    }
  }

  void send() {
    for (;;) {
      while (next_.empty()) {
        auto message = service_.next_message();
        if (!message) return;
        next_ = protocol::encode(*message);
        if (next_.empty()) common::log_error("a message for the front-end is longer than it may be, and is left out");
      }
      const auto bytes = next_.view();
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      next_ = Secret();  // also if the front-end is gone; receive() then takes the requests that it has sent
    }
  }

  int socket_;
  Service& service_;
  Secret next_;  // the message that waits for room in the socket
  bool closing_{false};
  Clock::time_point end_{};
};

}  // namespace

void serve_front_end(int socket, Service& service, const protocol::Hello& hello) { Loop(socket, service).run(hello); }

}  // namespace yolod::app::accounts
