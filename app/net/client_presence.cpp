#include "app/net/client_presence.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <string_view>

namespace yolod::app::net {

ClientPresence client_presence(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  if (poll(&state, 1, 0) <= 0) return ClientPresence::kThere;
  if ((state.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return ClientPresence::kGone;
  return (state.revents & POLLRDHUP) != 0 ? ClientPresence::kHalfClosed : ClientPresence::kThere;
}

void probe_client(int socket) {
  constexpr std::string_view kInterim = "HTTP/1.1 102 Processing\r\n\r\n";
  // If the socket's buffer is full, the client does not read, and the probe would not help.
  [[maybe_unused]] const auto sent = send(socket, kInterim.data(), kInterim.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace yolod::app::net
