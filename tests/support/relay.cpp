#include "tests/support/relay.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

namespace yolod::tests {
namespace {

using common::UniqueFd;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

struct Link {
  UniqueFd client;
  UniqueFd server;
};

// Forwards the bytes that have come. Returns false at the end of the connection. The peers read at once, so a blocking
// write is short.
bool forward(int from, int to) {
  std::array<char, 16'384> bytes{};
  const ssize_t count = recv(from, bytes.data(), bytes.size(), 0);
  return count > 0 && send(to, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
}

}  // namespace

Relay::Relay(std::uint16_t to_port)
    : to_port_(to_port),
      listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listening_.get(), SOMAXCONN) != 0 ||
      getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("a relay has no socket");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
  stops_ = true;
  wake();
  thread_.join();
}

void Relay::cut() {
  is_cut_ = true;
  wake();
}

void Relay::restore() {
  is_cut_ = false;
  wake();
}

void Relay::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void Relay::run() {
  std::vector<Link> links;
  while (!stops_) {
    std::vector<pollfd> waited{{wake_.get(), POLLIN, 0}};
    if (!is_cut_) {
      waited.push_back({listening_.get(), POLLIN, 0});
      for (const Link& link : links) {
        waited.push_back({link.client.get(), POLLIN, 0});
        waited.push_back({link.server.get(), POLLIN, 0});
      }
    }
    (void)poll(waited.data(), waited.size(), -1);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto woken = read(wake_.get(), &count, sizeof count);
    if (is_cut_ || waited.size() == 1) continue;
    constexpr std::size_t kFirstLink = 2;
    std::vector<Link> going_on;
    for (std::size_t i = 0; i < links.size(); ++i) {
      Link& link = links[i];
      const bool from_client = waited[kFirstLink + 2 * i].revents != 0;
      const bool from_server = waited[kFirstLink + 2 * i + 1].revents != 0;
      if (from_client && !forward(link.client.get(), link.server.get())) continue;
      if (from_server && !forward(link.server.get(), link.client.get())) continue;
      going_on.push_back(std::move(link));
    }
    links = std::move(going_on);
    if (waited[1].revents == 0) continue;
    Link made{UniqueFd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)),
              UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    const auto address = loopback(to_port_);
    if (made.client.valid() &&
        connect(made.server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      links.push_back(std::move(made));
    }
  }
}

}  // namespace yolod::tests
