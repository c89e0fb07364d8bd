// Pictures over a WebSocket, while workers are killed, the models are reloaded and the server stops.
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/websocket_client.hpp"

namespace yolod::tests {
namespace {
namespace stream_process_cases {

std::string text_of(const boost::json::object& answer, std::string_view name) {
  const auto* const value = answer.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number_of(const boost::json::object& answer, std::string_view name) {
  const auto* const value = answer.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

TEST_CASE("Stream: each picture is answered once, in order, while workers are killed", "[process]") {
  Server server(identity_config({{.workers = 2, .delay = 20ms, .keys = {"batch: {max_size: 2}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  WebSocketClient client(server.endpoint(), "/stream?model=echo&max_in_flight=4");
  REQUIRE(client.status() == 101);
  constexpr std::uint64_t kPictures = 100;
  std::thread sender([&client] {
    for (std::uint64_t i = 1; i <= kPictures; ++i) client.send(binary_frame(std::string(i * 100, 'p')));
  });
  std::vector<pid_t> deaths;
  bool all_right = true;
  for (std::uint64_t i = 1; i <= kPictures; ++i) {
    if (i % 25 == 10) {
      const auto busy = server.wait_for_worker_in("busy");
      if (busy != 0 && kill(busy, SIGKILL) == 0) deaths.push_back(busy);
    }
    const auto answer = client.next_answer();
    all_right = all_right && number_of(answer, "seq") == i && number_of(answer, "bytes") == i * 100;
    if (!all_right) {
      UNSCOPED_INFO("answer " << i << ": " << boost::json::serialize(answer));
      break;
    }
  }
  CHECK(all_right);
  client.close();
  sender.join();
  CHECK(server.metric("yolod_replays_total", {{"model", "echo"}}) > 0);
  check_after_case(server, before, deaths);
}

// The client sends many requests, and tells their answers apart by the id.
TEST_CASE("DOODS: each request of a WebSocket is answered once while workers are killed", "[process]") {
  Server server(identity_config({{.workers = 2, .delay = 20ms, .keys = {"batch: {max_size: 2}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  WebSocketClient client(server.endpoint(), "/detect");
  REQUIRE(client.status() == 101);
  constexpr std::uint64_t kRequests = 120;
  std::thread sender([&client] {
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      client.send(text_frame(R"({"id": ")" + std::to_string(i) + R"(", "detector_name": "default", "data": ")" +
                             std::string(4 * (i % 50 + 1), 'A') + R"(", "detect": {"*": 50}, "regions": []})"));
    }
  });
  std::vector<pid_t> deaths;
  std::set<std::string> ids;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    if (i % 20 == 10 && i < 60) {  // many requests are left
      const auto busy = server.wait_for_worker_in("busy");
      if (busy != 0 && kill(busy, SIGKILL) == 0) deaths.push_back(busy);
    }
    const auto answer = client.next_answer();
    CAPTURE(boost::json::serialize(answer));
    CHECK_FALSE(answer.contains("error"));
    CHECK((answer.contains("detections") && answer.at("detections").is_array()));
    if (!ids.insert(text_of(answer, "id")).second) break;
  }
  CHECK(ids.size() == kRequests);
  CHECK(ids.contains(std::to_string(kRequests - 1)));
  client.close();
  sender.join();
  CHECK(server.metric("yolod_replays_total", {{"model", "echo"}}) > 0);
  check_after_case(server, before, deaths);
}

TEST_CASE("Stream: a picture that kills workers is refused, and the stream goes on", "[process]") {
  Server server(identity_config({{.workers = 1, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  WebSocketClient client(server.endpoint(), "/stream");
  REQUIRE(client.status() == 101);
  client.send(binary_frame("FAULT:abort"));
  CHECK_THAT(boost::json::serialize(client.next_answer()), Catch::Contains("worker_crashed"));
  client.send(binary_frame("FAULT:abort"));
  CHECK_THAT(boost::json::serialize(client.next_answer()), Catch::Contains("quarantined"));
  client.send(binary_frame("good"));
  CHECK(number_of(client.next_answer(), "bytes") == 4);
}

TEST_CASE("Stream: a reload loses no picture", "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 5ms}}));
  REQUIRE(server.wait_until_ready());
  WebSocketClient client(server.endpoint(), "/stream");
  REQUIRE(client.status() == 101);
  const auto generation = [&server] { return server.metric("yolod_generation", {{"model", "echo"}}); };
  std::uint64_t sent = 0;
  server.send_signal(SIGHUP);
  const bool reloaded = wait_until([&] {
    client.send(binary_frame("abc"));
    ++sent;
    return number_of(client.next_answer(), "seq") == sent && generation() >= 2;
  });
  CHECK(reloaded);
  client.send(binary_frame("abc"));
  CHECK(number_of(client.next_answer(), "bytes") == 3);
}

TEST_CASE("Stream: at a stop pictures under way are answered, and the code is 1001", "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 300ms}}));
  REQUIRE(server.wait_until_ready());
  WebSocketClient busy(server.endpoint(), "/stream");
  WebSocketClient idle(server.endpoint(), "/stream");
  REQUIRE(busy.status() == 101);
  REQUIRE(idle.status() == 101);
  busy.send(binary_frame("abc"));
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  server.send_signal(SIGTERM);
  CHECK(number_of(busy.next_answer(), "bytes") == 3);
  for (WebSocketClient* const client : {&busy, &idle}) {
    const auto end = client->next();
    REQUIRE(end);
    CHECK(end->opcode == Frame::kClose);
    CHECK(close_code(*end) == 1001);
    client->send(close_frame(1001));
  }
  CHECK(server.wait_for_exit() == exited(0));
}

TEST_CASE("Stream: a stop does not wait for a client that never answers the close", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  WebSocketClient client(server.endpoint(), "/stream");
  REQUIRE(client.status() == 101);
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

TEST_CASE("Stream: pages of other sites and wrong requests are refused", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  CHECK(WebSocketClient(server.endpoint(), "/stream", "Origin: http://evil.example\r\n").status() == 403);
  CHECK(WebSocketClient(server.endpoint(), "/stream", "Origin: http://a\r\n").status() == 101);
  CHECK(WebSocketClient(server.endpoint(), "/stream?model=other").status() == 404);
  CHECK(WebSocketClient(server.endpoint(), "/stream?drop=all").status() == 400);
  HttpClient plain(server.endpoint());
  const auto answer = plain.get("/stream");
  CHECK(answer.status == 426);
  CHECK(answer.header("Sec-WebSocket-Version") == "13");
  CHECK(plain.post("/stream", "x").status == 405);
}

TEST_CASE("Stream: a model with options takes them from messages", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  WebSocketClient client(server.endpoint(), "/stream");
  REQUIRE(client.status() == 101);
  client.send(text_frame(R"({"id":"first"})") + binary_frame("abc") + text_frame(R"({"unknown":1})"));
  CHECK(text_of(client.next_answer(), "id") == "first");
  CHECK_THAT(boost::json::serialize(client.next_answer()), Catch::Contains("invalid_parameter"));
}

}  // namespace stream_process_cases
}  // namespace
}  // namespace yolod::tests
