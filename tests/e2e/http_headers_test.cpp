// These tests check the headers of every answer.
#include <catch2/catch.hpp>
#include <ctime>
#include <string>

#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

struct OneEchoServer {
  Server server{identity_config({{.workers = 1, .delay = 5ms}})};
  OneEchoServer() { REQUIRE(server.wait_until_ready()); }
};

}  // namespace

TEST_CASE_METHOD(OneEchoServer, "HttpHeaders: a sane X-Request-Id is echoed", "[e2e]") {
  const std::string id = GENERATE("abc-123", "0f8fad5b-d9cb-469f-a165-70867728950e");
  HttpClient client(server.endpoint());
  CHECK(client.get("/healthz", {{"X-Request-Id", id}}).header("X-Request-Id") == id);
  CHECK(client.post("/predict", "x", {{"X-Request-Id", id}}).header("X-Request-Id") == id);
  CHECK(client.get("/nope", {{"X-Request-Id", id}}).header("X-Request-Id") == id);
}

TEST_CASE_METHOD(OneEchoServer, "HttpHeaders: an X-Request-Id that is not sane is replaced", "[e2e]") {
  const auto id = GENERATE(std::string("a b\"c<d>"), std::string(2000, 'x'));
  const auto answer = HttpClient(server.endpoint()).get("/healthz", {{"X-Request-Id", id}});
  CHECK(answer.status == 200);
  CHECK_FALSE(answer.header("X-Request-Id").empty());
  CHECK(answer.header("X-Request-Id") != id);
}

TEST_CASE_METHOD(OneEchoServer, "HttpHeaders: a request without an id gets a new id", "[e2e]") {
  HttpClient client(server.endpoint());
  const auto first = client.get("/healthz").header("X-Request-Id");
  const auto second = client.get("/healthz").header("X-Request-Id");
  CHECK_FALSE(first.empty());
  CHECK_FALSE(second.empty());
  CHECK(first != second);
}

TEST_CASE_METHOD(OneEchoServer, "HttpHeaders: every answer has a Date", "[e2e]") {
  HttpClient client(server.endpoint());
  const auto seconds = [](const Answer& answer) {
    std::tm parsed{};
    const auto text = answer.header("Date");
    CAPTURE(text);
    const char* const end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parsed);
    REQUIRE(end != nullptr);
    CHECK(*end == '\0');
    return timegm(&parsed);
  };
  const auto began = std::time(nullptr);
  for (const auto& answer : {client.get("/healthz"), client.post("/predict", "x"), client.get("/nope"),
                             client.send({"PATCH", "/predict"}), client.get("/metrics")}) {
    CHECK(seconds(answer) >= began);
    CHECK(seconds(answer) <= std::time(nullptr));
  }
}

TEST_CASE_METHOD(OneEchoServer, "HttpHeaders: the Server-Timing of a prediction lists its stages", "[e2e]") {
  const auto answer = HttpClient(server.endpoint()).post("/predict", "x");
  REQUIRE(answer.status == 200);
  const auto timing = answer.header("Server-Timing");
  for (const char* stage : {"queue", "decode", "infer", "post"}) {
    CAPTURE(stage, timing);
    const auto at = timing.find(std::string(stage) + ";dur=");
    REQUIRE(at != std::string::npos);
    CHECK(std::stod(timing.substr(timing.find('=', at) + 1)) >= 0);
  }
  const auto infer = timing.find("infer;dur=");
  CHECK(std::stod(timing.substr(timing.find('=', infer) + 1)) >= 4.9);
}

}  // namespace yolod::tests
