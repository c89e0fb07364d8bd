#include "app/http/response.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string head_of(const Response& response, const HeadSettings& settings) {
  TextBuffer head;
  append_head(head, response, settings);
  return std::string(head.view());
}

TEST_CASE("Response: the head describes the content, the request and whether the connection stays open",
          "[app][unit]") {
  Response response;
  write_json(response, beast_http::status::ok, "{}");
  CHECK(head_of(response, {11, true, "id-1", kDate}) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: "
        "id-1\r\nContent-Length: 2\r\n\r\n");
  CHECK(head_of(response, {11, false, "id-1", kDate}) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nDate: Sun, 06 Nov 1994 08:49:37 "
        "GMT\r\nX-Request-Id: id-1\r\n"
        "Content-Length: 2\r\n\r\n");
  CHECK(head_of(response, {10, true, "2", kDate}) ==
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nDate: Sun, 06 Nov 1994 "
        "08:49:37 GMT\r\nX-Request-Id: 2\r\n"
        "Content-Length: 2\r\n\r\n");
  CHECK(head_of(response, {10, false, "2", kDate}) ==
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: "
        "2\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("Response: further fields are lines of the head", "[app][unit]") {
  Response response;
  write_text(response, "text/plain", "four");
  add_field(response, "A", "1");
  add_field(response, "B", "2");
  CHECK(head_of(response, {11, true, "x", kDate}) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nA: 1\r\nB: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 "
        "GMT\r\nX-Request-Id: x\r\n"
        "Content-Length: 4\r\n\r\n");
}

TEST_CASE("Response: 304 has neither a content nor its length", "[app][unit]") {
  Response response;
  response.start(beast_http::status::not_modified, "text/html");
  add_field(response, "ETag", "\"1\"");
  CHECK(head_of(response, {11, true, "x", kDate}) ==
        "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: x\r\n\r\n");
}

TEST_CASE("Response: 204 has no content and no length", "[app][unit]") {
  Response response;
  response.start(beast_http::status::no_content);
  CHECK(head_of(response, {11, true, "x", kDate}) ==
        "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: x\r\n\r\n");
}

TEST_CASE("Response: one object serves several answers in turn", "[app][unit]") {
  Response response;
  response.start(beast_http::status::ok, "image/png");
  response.file = {std::byte{1}, std::byte{2}};
  write_json(response, beast_http::status::service_unavailable, R"({"success":false})");
  add_field(response, "Retry-After", "3");
  CHECK(head_of(response, {11, true, "x", kDate}) ==
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 3\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: x\r\nContent-Length: " +
            std::to_string(response.body.size()) + "\r\n\r\n");
  CHECK(response.content().size() == response.body.size());
  write_json(response, beast_http::status::ok, "{}");
  CHECK(response.fields.view().empty());
  CHECK(response.body.view() == "{}");
}

}  // namespace
}  // namespace yolod::app::http
