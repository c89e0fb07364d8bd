// Any bytes after the upgrade of a connection must end in the end of the connection. All bytes that the server sends
// must be whole frames of RFC 6455. The first byte of the input is the length of the pieces in which the rest comes.
#include "app/http/websocket.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/http/application.hpp"
#include "app/http/connection.hpp"
#include "app/http/connection_list.hpp"
#include "app/http/conversation.hpp"
#include "common/text.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/websocket_frames.hpp"

using namespace yolod;
using namespace yolod::app;

namespace {

// Answers a message with its length.
class Length final : public http::Exchange {
 public:
  [[nodiscard]] Next begin(const http::RequestView& /*request*/, http::Response& /*response*/) override {
    return Next::kReadBody;
  }
  [[nodiscard]] Next proceed(http::Response& /*response*/) override { return Next::kRespond; }
  void wait(Resume /*done*/) override { std::abort(); }
  [[nodiscard]] BodyRule body_rule() const override { return {kLimitBytes, 16}; }
  [[nodiscard]] bool try_room(std::uint64_t bytes) override {
    room_.resize(bytes);
    return true;
  }
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override {
    fuzz::require(kept_bytes <= room_.size() && bytes <= kLimitBytes);
    room_.resize(bytes);
    co_return common::Outcome<void>();
  }
  [[nodiscard]] std::span<std::byte> room() const override { return room_; }
  void drop_room() override { room_.clear(); }
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) override {
    fuzz::require(bytes <= room_.size());
    http::write_text(response, "text/plain", std::to_string(bytes));
    return Next::kNextTurn;
  }
  void client_is_gone() override {}
  void refuse(const common::Error& error, http::Response& response) override {
    http::write_text(response, "text/plain", error.message);
  }
  void answered(int /*http_status*/) override {}

 private:
  static constexpr std::uint64_t kLimitBytes = 1024;
  mutable std::vector<std::byte> room_;
};

class Talk final : public http::Conversation {
 public:
  [[nodiscard]] std::unique_ptr<http::Exchange> begin_message(Kind kind) override {
    return kind == Kind::kText ? nullptr : std::make_unique<Length>();
  }
  void note_came(std::string_view text, http::Response& response) override {
    fuzz::require(text.size() <= kMostNoteBytes && common::as_utf8(text) == text);
    http::write_text(response, "text/plain", text);
  }
  [[nodiscard]] std::size_t most_unanswered() const override { return 3; }
};

class Upgrade final : public http::HeadExchange {
 public:
  [[nodiscard]] Next begin(const http::RequestView& /*request*/, http::Response& /*response*/) override {
    return Next::kUpgrade;
  }
  [[nodiscard]] std::unique_ptr<http::Conversation> take_conversation() override { return std::make_unique<Talk>(); }
  void refuse(const common::Error& /*error*/, http::Response& /*response*/) override {}
  void answered(int /*http_status*/) override {}
};

class Bench final : public http::Application {
 public:
  [[nodiscard]] const http::Router& router() const override { return router_; }
  [[nodiscard]] access::Gate& gate() override { return gate_; }
  [[nodiscard]] bool draining() const override { return false; }
  void refuse(const common::Error& /*error*/, std::string_view /*path*/, http::Response& /*response*/) override {}
  void answered_without_exchange(int /*http_status*/) override {}
  void handshake_ended(net::Handshake /*how*/) override {}
  [[nodiscard]] Shortage room_shortage(common::Clock::time_point /*now*/) const override { return {}; }
  [[nodiscard]] Shortage unchecked_shortage(common::Clock::time_point /*now*/) override { return {}; }

  void turn() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io;
  common::ServerConfig config;
  http::ConnectionList connections{io, *this, config, 4};

 private:
  access::Gate gate_{common::AccessConfig{}};
  http::Router router_{
      {{"/", "GET", http::Audience::kClients, access::Need::kPredict, [] { return std::make_unique<Upgrade>(); }}}};
};

void receive(int socket, std::string& received) {
  std::string some(1U << 16U, '\0');
  for (ssize_t bytes = 0; (bytes = recv(socket, some.data(), some.size(), MSG_DONTWAIT)) > 0;) {
    received.append(some.data(), static_cast<std::size_t>(bytes));
  }
}

}  // namespace

YOLOD_FUZZ_TARGET(websocket) {
  if (size == 0) return 0;
  static Bench bench;
  int ends[2];
  fuzz::require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const auto connection = std::make_shared<http::Connection>(
      http::Connection::Socket(bench.io, boost::asio::generic::stream_protocol(AF_UNIX, 0), ends[1]),
      net::ListenerRole::kPublic, bench.connections);
  bool has_ended = false;
  boost::asio::co_spawn(bench.io, connection->run(), [&has_ended](const std::exception_ptr& failure) {
    fuzz::require(!failure);
    has_ended = true;
  });
  std::string received;
  const auto send_bytes = [&](std::string_view bytes) {
    (void)!send(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    bench.turn();
    receive(ends[0], received);
  };
  send_bytes(tests::upgrade_request("/"));
  const auto head = received.find("\r\n\r\n");
  fuzz::require(received.starts_with("HTTP/1.1 101 ") && head != std::string::npos);
  received.erase(0, head + 4);
  const std::size_t piece = data[0] == 0 ? size : data[0];
  const auto text = fuzz::as_text(data + 1, size - 1);
  for (std::size_t at = 0; at < text.size(); at += piece) send_bytes(text.substr(at, piece));
  shutdown(ends[0], SHUT_WR);
  bench.turn();
  receive(ends[0], received);
  close(ends[0]);
  bench.turn();
  fuzz::require(has_ended);
  for (const auto& frame : tests::take_frames(received)) {
    fuzz::require(!frame.masked && frame.reserved == 0 && frame.final);
    fuzz::require(frame.opcode == tests::Frame::kText || frame.opcode == tests::Frame::kPong ||
                  frame.opcode == tests::Frame::kClose);
    fuzz::require(frame.opcode == tests::Frame::kText || frame.payload.size() <= 125);
  }
  fuzz::require(received.empty());
  return 0;
}
