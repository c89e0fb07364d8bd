// Drives one exchange as a connection does, but without a socket.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/http/exchange.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_target.hpp"
#include "common/awake_clock.hpp"

namespace yolod::app::api {

class ExchangeDriver {
 public:
  using Next = http::Exchange::Next;

  ExchangeDriver(boost::asio::io_context& io, std::unique_ptr<http::Exchange> exchange)
      : io_(io), exchange_(std::move(exchange)) {}

  // Begins an exchange. `head` has no empty line at its end: "POST /predict?iou=0.5 HTTP/1.1\r\nHost: a\r\n".
  // `captures`
  // holds the texts that the braces of the route match.
  Next begin(const std::string& head, std::initializer_list<std::string_view> captures = {}) {
    http::RequestHeadReader reader;
    http::RequestTarget target;
    http::RequestHead read;
    const std::string text = head + "\r\n";
    REQUIRE_FALSE(reader.read(boost::asio::buffer(text), read));
    REQUIRE(target.parse(read.target));
    http::Captures parts;
    for (const auto part : captures) parts.push_back(part);
    return exchange_->begin({read, target, parts, common::AwakeClock::now(), caller, {}, false, late_check, &config},
                            response);
  }
  // Gives the exchange a body for which there is room.
  Next send(std::string_view body) {
    REQUIRE(exchange_->try_room(body.size()));
    return fill(body);
  }
  Next fill(std::string_view body) {
    REQUIRE(exchange_->room().size() >= body.size());
    std::memcpy(exchange_->room().data(), body.data(), body.size());
    return exchange_->body_came(body.size(), response);
  }
  // Lets the exchange wait for room, and ends the wait with room or without it.
  void await_room(std::uint64_t bytes, std::uint64_t kept = 0) {
    boost::asio::co_spawn(io_, exchange_->await_room(bytes, kept),
                          [this](const std::exception_ptr& failure, common::Outcome<void> came) {
                            REQUIRE_FALSE(failure);
                            room_came = std::move(came);
                          });
    turn();
  }
  void wait() {
    exchange_->wait(http::Exchange::Resume::from([this] { resumed = true; }));
    turn();
  }
  // Runs the exchange until its answer is complete.
  void finish(Next next) {
    for (int turns = 0; next != Next::kRespond; ++turns) {
      REQUIRE(turns < 10'000);
      REQUIRE((next == Next::kNextTurn || next == Next::kWriteMore));
      ++turns_;
      next = exchange_->proceed(response);
    }
    exchange_->answered(static_cast<int>(response.status));
  }
  // REQUIRES that the exchange was resumed.
  void finish_wait() {
    REQUIRE(resumed);
    finish(exchange_->proceed(response));
  }
  void turn() {
    io_.restart();
    io_.poll();
  }

  [[nodiscard]] http::Exchange& exchange() { return *exchange_; }
  [[nodiscard]] int status() const { return static_cast<int>(response.status); }
  [[nodiscard]] std::string body() const { return std::string(response.body.view()); }
  [[nodiscard]] int turns() const { return turns_; }

  access::Caller caller;  // who sends the request
  const access::LateCheck* late_check{nullptr};
  common::ServerConfig config;  // of the server that has the request
  http::Response response;
  bool resumed{false};
  std::optional<common::Outcome<void>> room_came;

 private:
  boost::asio::io_context& io_;
  std::unique_ptr<http::Exchange> exchange_;
  int turns_{0};
};

}  // namespace yolod::app::api
