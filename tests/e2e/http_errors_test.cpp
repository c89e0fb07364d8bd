// These tests trigger every documented refusal, and check its status, its code, and that the server continues.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;

struct SmallServer {
  Server server{identity_config({{.workers = 1}}, {"max_body_bytes: 64KiB"})};
  SmallServer() { REQUIRE(server.wait_until_ready()); }
  ~SmallServer() {
    const auto body = random_body(100, 1);
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
  }
};

void check_error(const Answer& answer, int status, const std::string& code) {
  CAPTURE(answer);
  CHECK(answer.status == status);
  CHECK(answer.error_code() == code);
  CHECK(answer.header("Content-Type").starts_with("application/json"));
  CHECK_FALSE(answer.header("X-Request-Id").empty());
  const auto value = answer.json();
  REQUIRE(value.is_object());
  CHECK(value.at("success") == false);
  CHECK_FALSE(value.at("error").at("message").as_string().empty());
}

}  // namespace

TEST_CASE_METHOD(SmallServer, "HttpErrors: an unknown path is not_found", "[e2e]") {
  const std::string target = GENERATE("/nope", "/predict/", "/predictx", "//");
  check_error(HttpClient(server.endpoint()).get(target), 404, "not_found");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: an invalid target is bad_request", "[e2e]") {
  const std::string target = GENERATE("/%00", "/%zz", "/predict?model=%f");
  CAPTURE(target);
  check_error(HttpClient(server.endpoint()).post(target, "x"), 400, "bad_request");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: an unknown model is unknown_model", "[e2e]") {
  check_error(HttpClient(server.endpoint()).post("/predict?model=nope", "x"), 404, "unknown_model");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: the answer to a wrong method names the right method", "[e2e]") {
  const auto [method, target, allowed] =
      GENERATE(table<std::string, std::string, std::string>({{"GET", "/predict", "POST"},
                                                             {"DELETE", "/predict", "POST"},
                                                             {"POST", "/healthz", "GET"},
                                                             {"POST", "/readyz", "GET"},
                                                             {"PUT", "/status", "GET"},
                                                             {"POST", "/metrics", "GET"}}));
  CAPTURE(method, target);
  const auto answer = HttpClient(server.endpoint()).send({.method = method, .target = target});
  check_error(answer, 405, "method_not_allowed");
  CHECK_THAT(answer.header("Allow"), Catch::Contains(allowed));
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a body with a declared size above the limit is refused before it is sent",
                 "[e2e]") {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write("POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: " +
               std::to_string(kMaxBody + 1) + "\r\n\r\n");
  check_error(client.read_answer(), 413, "body_too_large");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a client that sends its large body regardless still sees the answer",
                 "[e2e]") {
  for (int i = 0; i < 20; ++i) {
    check_error(HttpClient(server.endpoint()).post("/predict", random_body(2'000'000, 3)), 413, "body_too_large");
  }
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a chunked body is refused where it exceeds the limit", "[e2e]") {
  const auto answer = HttpClient(server.endpoint())
                          .send({.method = "POST",
                                 .target = "/predict",
                                 .headers = {{"Content-Type", "image/jpeg"}},
                                 .body = random_body(kMaxBody + 1, 4),
                                 .chunk_bytes = 1000});
  check_error(answer, 413, "body_too_large");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a body of exactly the limit is accepted", "[e2e]") {
  const auto body = random_body(kMaxBody, 5);
  const auto chunk = GENERATE(0, 1000);
  CHECK(is_identity_answer(HttpClient(server.endpoint())
                               .send({.method = "POST",
                                      .target = "/predict",
                                      .headers = {{"Content-Type", "image/jpeg"}},
                                      .body = body,
                                      .chunk_bytes = static_cast<std::size_t>(chunk)}),
                           body));
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a parameter out of range is invalid_parameter", "[e2e]") {
  const std::string query = GENERATE("confidence=abc", "confidence=2", "confidence=-0.1", "confidence=nan",
                                     "confidence=", "iou=x", "iou=1.5", "max_detections=-1", "max_detections=1.5");
  CAPTURE(query);
  check_error(HttpClient(server.endpoint()).post("/predict?" + query, "x"), 400, "invalid_parameter");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: the refusal of a body in a content coding names the coding", "[e2e]") {
  HttpClient client(server.endpoint());
  for (const auto* const coding : {"gzip", "br", "gzip, identity"}) {
    const auto answer = client.post("/predict", "x", {{"Content-Encoding", coding}});
    check_error(answer, 415, "unsupported_media_type");
    CHECK(answer.body.find(coding) != std::string::npos);
    client.close();
  }
  CHECK(client.post("/predict", "x", {{"Content-Encoding", "Identity"}}).status == 200);
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: a header above the limit is header_too_large", "[e2e]") {
  const auto answer = HttpClient(server.endpoint()).get("/healthz", {{"X-Padding", std::string(200'000, 'x')}});
  check_error(answer, 431, "header_too_large");
}

TEST_CASE_METHOD(SmallServer, "HttpErrors: bytes that are not HTTP are bad_request and the connection is closed",
                 "[e2e]") {
  const std::string raw = GENERATE(
      "\x16\x03\x01 no TLS here\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
      "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
      "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  CAPTURE(raw);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(raw);
  check_error(client.read_answer(), 400, "bad_request");
  CHECK(client.wait_for_close());
}

TEST_CASE_METHOD(
    SmallServer,
    "HttpErrors: a request that two parsers could read differently is refused, and nothing after it is read",
    "[e2e][case27]") {
  using namespace std::string_literals;
  const std::string raw = GENERATE(
      as<std::string>{},
      "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      "POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
      "GET /healthz HTTP/1.1\nHost: x\n\n", "GET /healthz HTTP/1.1\r\nHost: x\nX-More: y\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Nul: a\0b\r\n\r\n"s,
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Nul\0: a\r\n\r\n"s,
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Gap : a\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
  const bool at_once = GENERATE(true, false);
  CAPTURE(raw, at_once);
  const std::string second = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(at_once ? raw + second : raw);
  check_error(client.read_answer(), 400, "bad_request");
  if (!at_once) client.write(second);
  CHECK(client.wait_for_close());
  CHECK_FALSE(client.has_unread_bytes());
}

TEST_CASE("HttpErrors: a model that still loads is not_ready, with Retry-After", "[e2e]") {
  Server server(identity_config({{.workers = 1, .load_delay = 600'000ms}}));
  REQUIRE(server.wait_until_listening());
  const auto answer = HttpClient(server.endpoint()).post("/predict", "x");
  check_error(answer, 503, "not_ready");
  REQUIRE(answer.has_header("Retry-After"));
  CHECK(std::stoi(answer.header("Retry-After")) >= 0);
}

TEST_CASE("HttpErrors: a full queue is queue_full at once, with Retry-After", "[e2e]") {
  Server server(identity_config(
      {{.workers = 1, .delay = 2000ms, .keys = {"batch: {max_size: 1}", "queue: {max_size: 2, timeout: 60s}"}}}));
  REQUIRE(server.wait_until_ready());
  // One request runs, one waits at the worker, and two are queued. Most of a dozen requests are refused.
  constexpr int kRequests = 12;
  std::vector<HttpClient> clients;
  for (int i = 0; i < kRequests; ++i) clients.emplace_back(server.endpoint());
  const auto body = random_body(100, 1);
  for (auto& client : clients) {
    REQUIRE(client.connect());
    client.write(
        serialise({.method = "POST", .target = "/predict", .headers = {{"Content-Type", "image/jpeg"}}, .body = body}));
  }
  int served = 0;
  int refused = 0;
  for (auto& client : clients) {
    const auto answer = client.read_answer();
    CAPTURE(answer);
    if (answer.status == 200) {
      ++served;
    } else {
      check_error(answer, 503, "queue_full");
      CHECK(answer.has_header("Retry-After"));
      ++refused;
    }
  }
  CHECK(served >= 3);
  CHECK(served <= 5);
  CHECK(served + refused == kRequests);
}

TEST_CASE("HttpErrors: a request past its deadline is deadline_exceeded", "[e2e]") {
  Server server(identity_config({{.workers = 1, .delay = 3000ms, .keys = {"request_timeout: 200ms"}}}));
  REQUIRE(server.wait_until_ready());
  check_error(HttpClient(server.endpoint()).post("/predict", "x"), 504, "deadline_exceeded");
}

}  // namespace yolod::tests
