// Connects socket pairs to an application that the test writes. The bench needs no port, no process and no thread.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/http/application.hpp"
#include "app/http/connection.hpp"
#include "app/http/connection_list.hpp"
#include "app/http/conversation.hpp"
#include "app/http/exchange.hpp"
#include "common/awake_clock.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::http {

// Holds the steps and the observations that all exchanges of a test share.
struct ExchangeScript {
  explicit ExchangeScript(boost::asio::io_context& context) : io(context) {}
  boost::asio::io_context& io;

  // These functions are the steps of an exchange. An empty function means that the test does not expect its step.
  std::function<Exchange::Next(const RequestView&, Response&)> begin;
  std::function<Exchange::Next(Response&)> proceed;
  std::function<Exchange::Next(std::string_view body, Response&)> body_came;

  Exchange::BodyRule rule{1U << 20U, 64};
  bool has_room{true};
  bool yields{false};
  bool minds_client{true};
  std::function<std::unique_ptr<Conversation>()> converse;  // after kUpgrade
  // Ends a wait for room. The test calls it.
  std::function<void(common::Outcome<void>)> give_room;
  Exchange::Resume resume;  // resumes a wait

  int begun{0};
  int dropped_rooms{0};
  int gone{0};  // counts calls of client_is_gone()
  std::vector<std::string> refused;
  std::vector<int> statuses;
};

class ScriptedExchange final : public Exchange {
 public:
  explicit ScriptedExchange(ExchangeScript& script) : script_(script) {}

  [[nodiscard]] Next begin(const RequestView& request, Response& response) override {
    ++script_.begun;
    return script_.begin(request, response);
  }
  [[nodiscard]] Next proceed(Response& response) override { return script_.proceed(response); }
  void wait(Resume done) override { script_.resume = std::move(done); }
  [[nodiscard]] bool minds_client() const override { return script_.minds_client; }
  [[nodiscard]] BodyRule body_rule() const override { return script_.rule; }
  [[nodiscard]] bool try_room(std::uint64_t bytes) override {
    if (!script_.has_room) return false;
    room_.assign(bytes, std::byte{0});
    return true;
  }
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override {
    auto came =
        co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(common::Outcome<void>)>(
            [this](auto handler) {
              auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
              script_.give_room = [waiting](common::Outcome<void> result) { std::move (*waiting)(std::move(result)); };
            },
            boost::asio::use_awaitable);
    if (came) {
      REQUIRE(kept_bytes <= room_.size());
      room_.resize(bytes);
    }
    co_return came;
  }
  [[nodiscard]] std::span<std::byte> room() const override { return room_; }
  [[nodiscard]] bool yields_to_unchecked() const override { return script_.yields; }
  void drop_room() override {
    ++script_.dropped_rooms;
    room_.clear();
  }
  [[nodiscard]] Next body_came(std::uint64_t bytes, Response& response) override {
    return script_.body_came({reinterpret_cast<const char*>(room_.data()), bytes}, response);
  }
  [[nodiscard]] std::unique_ptr<Conversation> take_conversation() override { return script_.converse(); }
  void client_is_gone() override {
    ++script_.gone;
    if (script_.give_room) {
      boost::asio::post(script_.io, [end_wait = std::exchange(script_.give_room, nullptr)] {
        end_wait(common::Error{common::ErrorCode::kClientGone, "gone"});
      });
    }
  }
  void refuse(const common::Error& error, Response& response) override {
    script_.refused.push_back(error.message);
    response.start(error.code == common::ErrorCode::kBodyTooLarge     ? boost::beast::http::status::payload_too_large
                   : error.code == common::ErrorCode::kQueueFull      ? boost::beast::http::status::service_unavailable
                   : error.code == common::ErrorCode::kRequestTimeout ? boost::beast::http::status::request_timeout
                                                                      : boost::beast::http::status::bad_request);
    response.body += error.message;
  }
  void answered(int http_status) override { script_.statuses.push_back(http_status); }

 private:
  ExchangeScript& script_;
  mutable std::vector<std::byte> room_;
};

class ConnectionBench : public Application {
 public:
  using Clock = common::AwakeClock;

  explicit ConnectionBench(std::size_t limit = 16, common::ServerConfig settings = {})
      : config(std::move(settings)), connections(io, *this, config, limit) {
    script.begin = [](const RequestView&, Response& response) {
      write_text(response, "text/plain", "hello");
      return Exchange::Next::kRespond;
    };
    script.body_came = [](std::string_view body, Response& response) {
      write_text(response, "text/plain", body);
      return Exchange::Next::kRespond;
    };
  }
  virtual ~ConnectionBench() {
    connections.close_all();
    turn();
    Clock::skip(-skipped_);
  }

  // Opens a new connection and returns the client's end.
  class Client {
   public:
    explicit Client(ConnectionBench& bench, net::ListenerRole role = net::ListenerRole::kPublic) : bench_(bench) {
      int ends[2];
      REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
      end_ = common::UniqueFd(ends[0]);
      other_end_ = ends[1];
      Connection::Socket socket(bench.io, boost::asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
      auto connection = std::make_shared<Connection>(std::move(socket), role, bench.connections);
      boost::asio::co_spawn(bench.io, connection->run(), [&bench](const std::exception_ptr& failure) {
        CHECK_FALSE(failure);
        ++bench.ended;
      });
      bench.turn();
    }
    // Sends all bytes, then lets the connection work.
    Client& send(std::string_view text) {
      REQUIRE(::send(end_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
              static_cast<ssize_t>(text.size()));
      bench_.turn();
      return *this;
    }
    // Returns all bytes that have arrived since the last call, up to a limit.
    std::string received(std::size_t most = 1U << 20U) {
      std::string text;
      std::string some(most, '\0');
      for (;;) {
        const auto bytes = recv(end_.get(), some.data(), most - text.size(), MSG_DONTWAIT);
        if (bytes <= 0) break;
        text.append(some.data(), static_cast<std::size_t>(bytes));
        if (text.size() == most) break;
      }
      return text;
    }
    // Tells whether the server has closed its side and no bytes are left to read.
    [[nodiscard]] bool is_ended() {
      char byte{};
      return recv(end_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    }
    void shut_down() {
      shutdown(end_.get(), SHUT_WR);
      bench_.turn();
    }
    // Sends `text` from the server's end until the socket has no more room. Returns how many times. REQUIRES: the
    // connection is open.
    std::size_t fill_socket(std::string_view text) {
      std::size_t count = 0;
      const auto bytes = static_cast<ssize_t>(text.size());
      while (::send(other_end_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == bytes) ++count;
      return count;
    }
    void close() {
      vanish();
      bench_.turn();
    }
    // Does the same, but the connection does not work yet.
    void vanish() { end_.reset(); }

   private:
    ConnectionBench& bench_;
    common::UniqueFd end_;
    int other_end_{-1};  // the connection owns it
  };

  // Runs all handlers that are ready now.
  void turn() {
    io.restart();
    io.poll();
  }
  void skip(std::chrono::milliseconds time) {
    Clock::skip(time);
    skipped_ += time;
  }
  // Lets this time pass and cuts off late connections.
  void pass(std::chrono::milliseconds time) {
    skip(time);
    connections.check_deadlines();
    turn();
  }
  void read_bodies() {
    script.begin = [](const RequestView&, Response&) { return Exchange::Next::kReadBody; };
  }
  void resume() {
    std::exchange(script.resume, {})();
    turn();
  }
  void give_room(common::Outcome<void> result = {}) { give_room_to(script, std::move(result)); }
  void give_room_to(ExchangeScript& waiting, common::Outcome<void> result = {}) {
    REQUIRE(waiting.give_room);
    std::exchange(waiting.give_room, nullptr)(std::move(result));
    turn();
  }

  // Application
  [[nodiscard]] const Router& router() const override { return router_; }
  [[nodiscard]] access::Gate& gate() override { return gate_; }
  [[nodiscard]] bool draining() const override { return drains; }
  void refuse(const common::Error& error, std::string_view, Response& response) override {
    refused.push_back(error.message);
    write_json(response, boost::beast::http::status::bad_request, error.message);
  }
  void answered_without_exchange(int http_status) override { statuses.push_back(http_status); }
  void handshake_ended(net::Handshake how) override { handshakes.push_back(how); }
  [[nodiscard]] Shortage room_shortage(common::Clock::time_point) const override { return shortage; }
  [[nodiscard]] Shortage unchecked_shortage(common::Clock::time_point) override { return of_unchecked; }

  access::Gate gate_{common::AccessConfig{}};
  boost::asio::io_context io;
  common::ServerConfig config;
  ConnectionList connections;
  ExchangeScript script{io};
  bool drains{false};
  Shortage shortage;
  Shortage of_unchecked;
  int ended{0};
  std::vector<std::string> refused;
  std::vector<int> statuses;
  std::vector<net::Handshake> handshakes;

 private:
  Clock::duration skipped_{0};
  std::function<std::unique_ptr<Exchange>()> make_ = [this] { return std::make_unique<ScriptedExchange>(script); };
  Router router_{{{"/thing", "GET, HEAD, POST", Audience::kClients, access::Need::kPredict, make_},
                  {"/thing/{name}", "GET", Audience::kClients, access::Need::kPredict, make_},
                  {"/healthz", "GET, HEAD", Audience::kEverybody, access::Need::kNothing, make_},
                  {"/status", "GET", Audience::kObservers, access::Need::kObserve, make_},
                  {"/people", "POST", Audience::kClients, access::Need::kIdentity, make_},
                  {"/admin", "POST", Audience::kAdmins, access::Need::kAdmin, make_}}};
};

}  // namespace yolod::app::http
