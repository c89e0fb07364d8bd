#include "app/http/websocket_upgrade.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/websocket_frames.hpp"

namespace yolod::app::http {
namespace {
namespace websocket_upgrade_cases {

using boost::beast::http::status;

// Returns the status with which the request is refused, or 101.
unsigned status_of(const std::string& request, access::Caller::Kind kind = access::Caller::Kind::kAnonymous,
                   const common::CorsConfig& cors = {}) {
  RequestHeadReader reader;
  RequestHead head;
  REQUIRE_FALSE(reader.read(boost::asio::buffer(request), head));
  access::Caller caller;
  caller.kind = kind;
  const auto refused = check_upgrade(head, caller, cors);
  return refused ? static_cast<unsigned>(refused->status) : 101;
}

std::string without(std::string request, const std::string& line) {
  const auto at = request.find(line);
  REQUIRE(at != std::string::npos);
  return request.erase(at, request.find("\r\n", at) + 2 - at);
}

std::string with(std::string request, const std::string& from, const std::string& to) {
  const auto at = request.find(from);
  REQUIRE(at != std::string::npos);
  return request.replace(at, from.size(), to);
}

TEST_CASE("WebSocketUpgrade: a complete request of version 13 is accepted", "[app][unit]") {
  const std::string request = tests::upgrade_request("/s");
  CHECK(status_of(request) == 101);
  CHECK(status_of(with(request, "Connection: Upgrade", "Connection: keep-alive, Upgrade")) == 101);
  CHECK(status_of(with(request, "Upgrade: websocket", "Upgrade: WebSocket")) == 101);
}

TEST_CASE("WebSocketUpgrade: a request for no WebSocket or another version gets 426", "[app][unit]") {
  const std::string request = tests::upgrade_request("/s");
  CHECK(status_of("GET /s HTTP/1.1\r\nHost: a\r\n\r\n") == 426);
  CHECK(status_of(with(request, "GET", "HEAD")) == 426);
  CHECK(status_of(without(request, "Connection")) == 426);
  CHECK(status_of(with(request, "Upgrade: websocket", "Upgrade: h2c")) == 426);
  CHECK(status_of(with(request, "Version: 13", "Version: 8")) == 426);
  CHECK(status_of(without(request, "Sec-WebSocket-Version")) == 426);
}

TEST_CASE("WebSocketUpgrade: a key that is not 16 bytes in base64 gets 400", "[app][unit]") {
  const std::string request = tests::upgrade_request("/s");
  const std::string key =
      GENERATE("", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ==A",
               "dGhlIHNhbXBsZSBub25*ZQ==", "dGhlIHNhbXBsZSBub25jZQ===", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz==");
  CAPTURE(key);
  CHECK(status_of(with(request, "dGhlIHNhbXBsZSBub25jZQ==", key)) == 400);
  CHECK(status_of(without(request, "Sec-WebSocket-Key")) == 400);
}

TEST_CASE("WebSocketUpgrade: a request with a body is refused", "[app][unit]") {
  CHECK(status_of(tests::upgrade_request("/s", "Content-Length: 1\r\n")) == 400);
  CHECK(status_of(tests::upgrade_request("/s", "Transfer-Encoding: chunked\r\n")) == 400);
  CHECK(status_of(tests::upgrade_request("/s", "Content-Length: 0\r\n")) == 101);
}

TEST_CASE("WebSocketUpgrade: HTTP/1.0 has no WebSocket", "[app][unit]") {
  CHECK(status_of(with(tests::upgrade_request("/s"), "HTTP/1.1", "HTTP/1.0")) == 400);
}

TEST_CASE("WebSocketUpgrade: a page of another site is refused", "[app][unit]") {
  const auto with_fields = [](const std::string& fields) { return status_of(tests::upgrade_request("/s", fields)); };
  CHECK(with_fields("Origin: http://a\r\n") == 101);
  CHECK(with_fields("Origin: https://A\r\n") == 101);
  CHECK(with_fields("Origin: http://b\r\n") == 403);
  CHECK(with_fields("Origin: http://a:81\r\n") == 403);
  CHECK(with_fields("Origin: null\r\n") == 403);
  CHECK(with_fields("Origin: file://a\r\n") == 403);
  // A proxy has replaced the Host, and the browser says that the page is of the same site.
  CHECK(with_fields("Origin: http://b\r\nSec-Fetch-Site: same-origin\r\n") == 101);
  CHECK(with_fields("Origin: http://a\r\nSec-Fetch-Site: cross-site\r\n") == 403);
  CHECK(with_fields("Origin: http://a\r\nSec-Fetch-Site: same-site\r\n") == 403);
}

TEST_CASE("WebSocketUpgrade: a session needs the fields of a browser", "[app][unit]") {
  using Kind = access::Caller::Kind;
  CHECK(status_of(tests::upgrade_request("/s"), Kind::kSession) == 403);
  CHECK(status_of(tests::upgrade_request("/s", "Origin: http://a\r\n"), Kind::kSession) == 101);
  CHECK(status_of(tests::upgrade_request("/s"), Kind::kKey) == 101);
}

TEST_CASE("WebSocketUpgrade: server.cors allows pages of other sites, and sessions only with credentials",
          "[app][unit]") {
  using Kind = access::Caller::Kind;
  const auto status_from = [](const char* origin, Kind kind, const common::CorsConfig& cors) {
    return status_of(
        tests::upgrade_request("/s", "Sec-Fetch-Site: cross-site\r\nOrigin: " + std::string(origin) + "\r\n"), kind,
        cors);
  };
  common::CorsConfig cors{.origins = {"https://cameras.example"}};
  CHECK(status_from("https://cameras.example", Kind::kKey, cors) == 101);
  CHECK(status_from("https://cameras.example", Kind::kAnonymous, cors) == 101);
  CHECK(status_from("https://cameras.example", Kind::kSession, cors) == 403);
  CHECK(status_from("https://other.example", Kind::kKey, cors) == 403);
  CHECK(status_of(tests::upgrade_request("/s", "Sec-Fetch-Site: cross-site\r\n"), Kind::kKey, cors) == 403);
  cors.credentials = true;
  CHECK(status_from("https://cameras.example", Kind::kSession, cors) == 101);
  cors = {.origins = {std::string(common::kEveryOrigin)}};
  CHECK(status_from("https://other.example", Kind::kKey, cors) == 101);
  CHECK(status_from("https://other.example", Kind::kSession, cors) == 403);
}

TEST_CASE("WebSocketUpgrade: an answer of 426 names the protocol and the version", "[app][unit]") {
  Response response;
  response.start(status::bad_request);
  finish_refusal({status::upgrade_required, {}}, response);
  CHECK(response.status == status::upgrade_required);
  CHECK(response.fields.view() == "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  response.start(status::forbidden);
  finish_refusal({status::forbidden, {}}, response);
  CHECK(response.fields.size() == 0);
}

}  // namespace websocket_upgrade_cases
}  // namespace
}  // namespace yolod::app::http
