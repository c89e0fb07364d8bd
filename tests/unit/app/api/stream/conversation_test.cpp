// These tests have a client at one end of a socket pair and a connection with /stream at the other. The worker is a
// fake.
#include "app/api/stream/conversation.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "app/api/stream/stream_exchange.hpp"
#include "app/http/connection.hpp"
#include "app/http/connection_list.hpp"
#include "common/awake_clock.hpp"
#include "tests/support/websocket_frames.hpp"
#include "tests/unit/app/api/model_bench.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::api::stream {
namespace {
namespace stream_cases {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using tests::binary_frame;
using tests::Frame;
using tests::text_frame;

// Each request to the front-end is one for /stream.
class StreamBench final : public ModelBench, public http::Application {
 public:
  explicit StreamBench(common::ModelConfig settings = one_worker()) : ModelBench(std::move(settings)) {}
  ~StreamBench() override {
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
    explicit Client(StreamBench& bench, std::string_view query = {}) : bench_(bench) {
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
      send(tests::upgrade_request("/stream?model=echo" + std::string(query)));
      head = received();
    }
    Client& send(std::string_view bytes) {
      REQUIRE(::send(end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
              static_cast<ssize_t>(bytes.size()));
      bench_.turn();
      return *this;
    }
    std::vector<Frame> frames() {
      bench_.turn();
      received_ += received();
      return tests::take_frames(received_);
    }
    // Returns the only answer that has come.
    boost::json::object answer() {
      const auto came = frames();
      REQUIRE(came.size() == 1);
      REQUIRE(came[0].opcode == Frame::kText);
      return boost::json::parse(came[0].payload).as_object();
    }
    void close() {
      end_.reset();
      bench_.turn();
    }
    std::string head;

   private:
    std::string received() {
      std::string some(1U << 16U, '\0');
      const auto bytes = recv(end_.get(), some.data(), some.size(), MSG_DONTWAIT);
      return some.substr(0, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
    }
    StreamBench& bench_;
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

  access::Gate gate_{common::AccessConfig{}};
  http::ConnectionList connections{io, *this, server, 64};
  int ended{0};
  const std::uint64_t idle_bytes{arena.used_bytes()};

 private:
  common::Clock::duration skipped_{0};
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>(io, *this);
  http::Router router_{{{"/stream", "GET", http::Audience::kClients, access::Need::kPredict,
                         [this] { return std::make_unique<StreamExchange>(context, turns_); }}}};
};
using Client = StreamBench::Client;

std::uint64_t number(const boost::json::object& answer, std::string_view name) {
  const auto* const value = answer.if_contains(name);
  return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

std::string picture(char byte, std::size_t size = 3) { return binary_frame(std::string(size, byte)); }

TEST_CASE("Stream: each picture has one answer with its number and timing", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  REQUIRE_THAT(client.head, Contains("101 Switching Protocols"));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    client.send(picture('a', 10 * i));
    REQUIRE(bench.serve() == 1);
    const auto answer = client.answer();
    CHECK(number(answer, "seq") == i);
    CHECK(number(answer, "bytes") == 10 * i);
    CHECK(answer.at("success").as_bool());
    CHECK(answer.at("model").as_string() == "echo");
    CHECK(answer.at("timing_ms").as_object().contains("total"));
    CHECK_FALSE(answer.contains("dropped"));
    CHECK_FALSE(answer.contains("id"));
  }
  CHECK(bench.answers("echo", 200) == 3);
}

TEST_CASE("Stream: an id belongs to the next picture only", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(text_frame(R"({"id":"x\"y"})")).send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("id").as_string() == "x\"y");
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK_FALSE(client.answer().contains("id"));
}

TEST_CASE("Stream: bad options get an error, and change nothing", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  const std::string text = GENERATE("nonsense", R"({"iou":3})", R"({"model":"other"})");
  client.send(text_frame(text));
  const auto error = client.answer();
  CHECK_FALSE(error.at("success").as_bool());
  CHECK_FALSE(error.contains("seq"));
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("success").as_bool());
}

TEST_CASE("Stream: an error of a picture has its number, and the stream goes on", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(text_frame(R"({"top_k":5})")).send(picture('a'));  // the model does not classify
  auto answer = client.answer();
  CHECK(number(answer, "seq") == 1);
  CHECK(answer.at("error").as_object().at("code").as_string() == "invalid_parameter");
  client.send(text_frame(R"({"top_k":null})")).send(picture('a'));
  const auto cells = bench.worker.take();
  REQUIRE(cells.size() == 1);
  bench.worker.refuse(cells[0], common::ErrorCode::kInvalidImage);
  bench.dispatcher.worker_completions(bench.worker);
  answer = client.answer();
  CHECK(number(answer, "seq") == 2);
  CHECK(answer.at("error").as_object().at("code").as_string() == "invalid_image");
  bench.is_there = false;
  client.send(picture('a'));
  CHECK(client.answer().at("error").as_object().at("code").as_string() == "unknown_model");
  bench.is_there = true;
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(number(client.answer(), "seq") == 4);
}

TEST_CASE("Stream: with drop: none one more picture waits, and then the server stops to read", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  for (char c = 'a'; c < 'f'; ++c) client.send(picture(c));
  CHECK(bench.arena.used_bytes() > bench.idle_bytes);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    REQUIRE(bench.serve() == 1);
    CHECK(number(client.answer(), "seq") == i);
  }
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
}

TEST_CASE("Stream: with drop: oldest a new picture replaces the waiting picture, and the next answer counts it",
          "[app][unit]") {
  StreamBench bench;
  Client client(bench, "&drop=oldest");
  for (char c = 'a'; c < 'f'; ++c) client.send(picture(c, static_cast<std::size_t>(c - 'a' + 1)));
  REQUIRE(bench.serve() == 1);
  auto answer = client.answer();
  CHECK(number(answer, "seq") == 1);
  CHECK(number(answer, "dropped") == 3);
  REQUIRE(bench.serve() == 1);
  answer = client.answer();
  CHECK(number(answer, "seq") == 5);
  CHECK(number(answer, "bytes") == 5);
  CHECK_FALSE(answer.contains("dropped"));
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
  CHECK(bench.answers("echo", 200) == 2);
}

TEST_CASE("Stream: max_in_flight lets several pictures go to the scheduler", "[app][unit]") {
  auto config = echo_config();
  config.batch.max_size = 4;
  StreamBench bench(config);
  Client client(bench, "&drop=oldest&max_in_flight=3");
  for (int i = 0; i < 6; ++i) client.send(picture('a'));
  std::size_t served = 0;
  std::vector<std::uint64_t> numbers;
  while (const std::size_t count = bench.serve()) served += count;
  for (const auto& frame : client.frames()) {
    numbers.push_back(number(boost::json::parse(frame.payload).as_object(), "seq"));
  }
  CHECK(served == 4);
  CHECK(numbers == std::vector<std::uint64_t>{1, 2, 3, 6});
}

TEST_CASE("Stream: streams take turns", "[app][unit]") {
  StreamBench bench;
  Client one(bench, "&drop=oldest");
  Client two(bench, "&drop=oldest");
  Client three(bench, "&drop=oldest");
  std::array<int, 3> counts{};
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 5; ++i) one.send(picture('1'));  // sends more than the others
    two.send(picture('2'));
    three.send(picture('3'));
    REQUIRE(bench.serve() == 1);
    counts[0] += static_cast<int>(one.frames().size());
    counts[1] += static_cast<int>(two.frames().size());
    counts[2] += static_cast<int>(three.frames().size());
  }
  CHECK(counts == std::array{10, 10, 10});
}

TEST_CASE("Stream: a client that leaves takes its waiting picture along, and gives its turn back", "[app][unit]") {
  StreamBench bench;
  Client gone(bench);
  Client other(bench);
  gone.send(picture('a')).send(picture('b'));
  other.send(picture('c'));
  gone.close();
  CHECK(bench.serve() == 1);  // the worker has it
  CHECK(bench.ended == 1);
  CHECK(bench.serve() == 1);
  CHECK(number(other.answer(), "seq") == 1);
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
}

TEST_CASE("Stream: the timeout counts from the picture's first byte", "[app][unit]") {
  StreamBench bench;
  Client first(bench);
  Client second(bench, "&timeout_ms=100");
  first.send(picture('a'));
  second.send(picture('b'));  // waits for its turn
  bench.pass(200ms);
  CHECK(bench.serve() == 1);
  bench.turn();
  while (bench.serve() != 0) {
  }
  const auto answer = second.answer();
  CHECK(answer.at("error").as_object().at("code").as_string() == "deadline_exceeded");
}

TEST_CASE("Stream: the path refuses requests that begin no stream", "[app][unit]") {
  StreamBench bench;
  CHECK_THAT(Client(bench, "&drop=never").head, Contains("400") && Contains("invalid_parameter"));
  CHECK_THAT(Client(bench, "&top_k=5").head, Contains("400") && Contains("models that classify"));
  bench.is_there = false;
  CHECK_THAT(Client(bench).head, Contains("404") && Contains("unknown_model"));
  bench.is_there = true;
  bench.drains = true;
  CHECK_THAT(Client(bench).head, Contains("503") && Contains("shutting_down"));
}

TEST_CASE("Stream: a key or right that ends meanwhile ends the stream with 1008", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("success").as_bool());
  common::AccessConfig keys;
  keys.mode = common::AccessMode::kKeys;
  common::Config changed;
  changed.access = keys;
  bench.gate_.take_over(changed, true);  // now an anonymous client may not predict
  client.send(picture('a'));
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK_THAT(frames[0].payload, Contains("unauthorized"));
  CHECK(tests::close_code(frames[1]) == 1008);
}

}  // namespace stream_cases
}  // namespace
}  // namespace yolod::app::api::stream
