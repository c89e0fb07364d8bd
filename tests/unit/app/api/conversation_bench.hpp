// Gives tests of a conversation a client at one end of a socket pair and a connection at the other. The worker is a
// fake.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/http/connection.hpp"
#include "app/http/connection_list.hpp"
#include "common/awake_clock.hpp"
#include "tests/support/websocket_frames.hpp"
#include "tests/unit/app/api/model_bench.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::api {

class ConversationBench : public ModelBench, public http::Application {
 public:
  // Every request to `path` gets an exchange of `make`.
  ConversationBench(std::string_view path, std::function<std::unique_ptr<http::Exchange>()> make,
                    common::ModelConfig settings = one_worker())
      : ModelBench(std::move(settings)),
        router_({{path, "GET", http::Audience::kClients, access::Need::kPredict, std::move(make)}}) {}
  ~ConversationBench() override {
    dispatcher.shut_down();
    turn();
    connections.close_all();
    turn();
    common::AwakeClock::skip(-skipped_);
  }
  static common::ModelConfig one_worker() {
    auto config = echo_config();
    config.batch.max_size = 1;
    return config;
  }

  class Client {
   public:
    // `fields` are more header lines of the request.
    Client(ConversationBench& bench, std::string_view target, std::string_view fields = {}) : bench_(bench) {
      int ends[2];
      REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
      end_ = common::UniqueFd(ends[0]);
      http::Connection::Socket socket(bench.io, boost::asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
      auto connection =
          std::make_shared<http::Connection>(std::move(socket), net::ListenerRole::kPublic, bench.connections);
      boost::asio::co_spawn(bench.io, connection->run(), [&bench](const std::exception_ptr& failure) {
        CHECK_FALSE(failure);
        ++bench.ended;
      });
      send(tests::upgrade_request(target, fields));
      head = received();
    }
    Client& send(std::string_view bytes) {
      REQUIRE(::send(end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
              static_cast<ssize_t>(bytes.size()));
      bench_.turn();
      return *this;
    }
    std::vector<tests::Frame> frames() {
      bench_.turn();
      received_ += received();
      return tests::take_frames(received_);
    }
    // Returns the only answer that has come.
    boost::json::object answer() {
      const auto came = frames();
      REQUIRE(came.size() == 1);
      REQUIRE(came[0].opcode == tests::Frame::kText);
      return boost::json::parse(came[0].payload).as_object();
    }
    void close() {
      end_.reset();
      bench_.turn();
    }
    std::string head;  // of the answer to the request, and the body of a refusal

   private:
    std::string received() {
      std::string some(1U << 16U, '\0');
      const auto bytes = recv(end_.get(), some.data(), some.size(), MSG_DONTWAIT);
      return some.substr(0, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
    }
    ConversationBench& bench_;
    common::UniqueFd end_;
    std::string received_;
  };

  void pass(std::chrono::milliseconds time) {
    common::AwakeClock::skip(time);
    skipped_ += time;
    connections.check_deadlines();
    turn();
  }

  // Application
  [[nodiscard]] const http::Router& router() const override { return router_; }
  [[nodiscard]] access::Gate& gate() override { return gate_; }
  [[nodiscard]] bool draining() const override { return drains; }
  void refuse(const common::Error& error, std::string_view, http::Response& response) override {
    http::write_json(response, boost::beast::http::status::bad_request, error.message);
  }
  void answered_without_exchange(int) override {}
  void handshake_ended(net::Handshake) override {}
  [[nodiscard]] Shortage room_shortage(common::Clock::time_point) const override { return {}; }
  [[nodiscard]] Shortage unchecked_shortage(common::Clock::time_point) override { return {}; }

  access::Gate gate_{common::AccessConfig{}};
  http::ConnectionList connections{io, *this, server, 64};
  int ended{0};
  const std::uint64_t idle_bytes{arena.used_bytes()};

 private:
  common::Clock::duration skipped_{0};
  http::Router router_;
};

}  // namespace yolod::app::api
