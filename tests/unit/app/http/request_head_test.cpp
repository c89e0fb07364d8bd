#include "app/http/request_head.hpp"

#include <boost/beast/http/error.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace yolod::app::http {
namespace {

using namespace std::string_literals;
namespace beast_http = boost::beast::http;
using boost::system::error_code;

// The result is valid until the next call.
error_code read(std::string_view text, RequestHead& head) {
  static const auto reader = std::make_unique<RequestHeadReader>();
  return reader->read(boost::asio::buffer(text), head);
}

RequestHead head_of(std::string_view text) {
  CAPTURE(text);
  RequestHead head;
  REQUIRE_FALSE(read(text, head));
  return head;
}

std::string_view ambiguity_of(const std::string& fields, const std::string& version = "1.1") {
  return head_of("POST / HTTP/" + version + "\r\n" + fields + "\r\n").ambiguity;
}

TEST_CASE("RequestHead: the head gives the method, the target and the length of the body", "[app][unit]") {
  const auto text =
      "POST /predict?model=m HTTP/1.1\r\nHost: h\r\nContent-Type: image/jpeg\r\nAccept: image/png\r\n"
      "Content-Length: 5\r\nX-Request-Id: id-7\r\n\r\n"s;
  const auto head = head_of(text + "12345POST");
  CHECK(head.bytes == text.size());
  CHECK(head.method == beast_http::verb::post);
  CHECK(head.target == "/predict?model=m");
  CHECK(head.version == 11);
  CHECK(head.keep_alive);
  CHECK_FALSE(head.chunked);
  CHECK(head.content_length == 5);
  CHECK(head.has_body());
  CHECK(head.content_type == "image/jpeg");
  CHECK(head.accept == "image/png");
  CHECK(head.request_id == "id-7");
  CHECK_FALSE(head.forwarded);
  CHECK_FALSE(head.expects_continue);
  CHECK(head.ambiguity.empty());
}

TEST_CASE("RequestHead: an absent field is empty", "[app][unit]") {
  const auto head = head_of("GET / HTTP/1.0\r\n\r\n");
  CHECK(head.version == 10);
  CHECK_FALSE(head.keep_alive);
  CHECK_FALSE(head.has_body());
  CHECK(head.content_type.empty());
  CHECK(head.request_id.empty());
  CHECK(head.ambiguity.empty());
}

TEST_CASE("RequestHead: field names are read in any case, and the first of equal fields counts", "[app][unit]") {
  const auto head =
      head_of("GET / HTTP/1.1\r\nhOST: h\r\nx-request-ID: a\r\nX-Request-Id: b\r\nEXPECT: 100-Continue\r\n\r\n");
  CHECK(head.request_id == "a");
  CHECK(head.expects_continue);
  CHECK(head.ambiguity.empty());
}

TEST_CASE("RequestHead: each mark of a proxy shows that a request was forwarded", "[app][unit]") {
  const auto mark = GENERATE("Origin: x"s, "Via: x"s, "Forwarded: for=x"s, "x-forwarded-for: 1.2.3.4"s);
  CHECK(head_of("POST /reload HTTP/1.1\r\nHost: h\r\n" + mark + "\r\n\r\n").forwarded);
}

TEST_CASE("RequestHead: the fields that tell where a browser's request comes from", "[app][unit]") {
  const auto head = head_of(
      "POST / HTTP/1.1\r\nHost: a:80\r\nOrigin: http://a:80\r\nSec-Fetch-Site: same-origin\r\nx-csrf-token: t\r\n\r\n");
  CHECK(head.host == "a:80");
  CHECK(head.origin == "http://a:80");
  CHECK(head.fetch_site == "same-origin");
  CHECK(head.csrf_token == "t");
  CHECK(head.forwarded);
}

TEST_CASE("RequestHead: HTTP/1.1 requires exactly one Host", "[app][unit]") {
  CHECK_FALSE(ambiguity_of("").empty());
  CHECK_FALSE(ambiguity_of("Host: a\r\nHost: a\r\n").empty());
  CHECK(ambiguity_of("Host: a\r\n").empty());
  CHECK(ambiguity_of("", "1.0").empty());
}

TEST_CASE("RequestHead: a Host must be a valid host, in every version", "[app][unit]") {
  const std::string version = GENERATE("1.0", "1.1");
  for (const auto* host : {"a", "a:80", "[::1]:80", "", " a ", "a\t"}) {
    CAPTURE(host);
    CHECK(ambiguity_of("Host: " + std::string(host) + "\r\n", version).empty());
  }
  for (const auto* host : {"a b", "a@b/c", "a/b", "a,b:x", "[::1", ":80", "a:b", "http://a"}) {
    CAPTURE(host);
    CHECK_FALSE(ambiguity_of("Host: " + std::string(host) + "\r\n", version).empty());
  }
  CHECK_FALSE(ambiguity_of("Host: a\r\nHost: a\r\n", version).empty());
  CHECK_FALSE(ambiguity_of("Host:\r\nHost:\r\n", version).empty());
}

TEST_CASE("RequestHead: two content types are ambiguous", "[app][unit]") {
  CHECK_FALSE(ambiguity_of("Host: a\r\nContent-Type: image/png\r\nContent-Type: image/png\r\n").empty());
}

TEST_CASE("RequestHead: a field that continues on the next line is ambiguous", "[app][unit]") {
  const std::string folded = GENERATE("X: a\r\n b\r\n", "X: a\r\n\tb\r\n", "Host: a\r\n \r\n", "X:\r\n a\r\n");
  CAPTURE(folded);
  RequestHead head;
  const auto failure = read("GET / HTTP/1.1\r\nHost: h\r\n" + folded + "\r\n", head);
  CHECK((failure || !head.ambiguity.empty()));
  CHECK(head_of("GET / HTTP/1.1\r\nHost: h\r\nX: a \t b\r\n\r\n \r\n\t").ambiguity.empty());
}

TEST_CASE("RequestHead: a length that two parsers could read differently is ambiguous", "[app][unit]") {
  const auto host = "Host: a\r\n"s;
  CHECK(ambiguity_of(host + "Transfer-Encoding: chunked\r\n").empty());
  CHECK(ambiguity_of(host + "Transfer-Encoding: Chunked\r\n").empty());
  CHECK_FALSE(ambiguity_of(host + "Transfer-Encoding: gzip, chunked\r\n").empty());
  CHECK_FALSE(ambiguity_of(host + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n").empty());
  CHECK_FALSE(ambiguity_of("Transfer-Encoding: chunked\r\n", "1.0").empty());
}

TEST_CASE("RequestHead: an incomplete head needs more bytes until its empty line", "[app][unit]") {
  const auto text = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"s;
  RequestHead head;
  for (std::size_t length = 1; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(read(text.substr(0, length), head) == beast_http::error::need_more);
  }
  CHECK_FALSE(read(text, head));
}

TEST_CASE("RequestHead: a header is limited to 16 KiB, with or without its end", "[app][unit]") {
  const auto with_field_of = [](std::size_t bytes) {
    return "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(bytes, 'x') + "\r\n\r\n";
  };
  RequestHead head;
  CHECK_FALSE(read(with_field_of(15'000), head));
  CHECK(read(with_field_of(17'000), head) == beast_http::error::header_limit);
  CHECK(read(with_field_of(40'000).substr(0, 30'000), head) == beast_http::error::header_limit);
}

TEST_CASE("RequestHead: thousands of fields are read, with more room than there was at first", "[app][unit]") {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 3000; ++i) text += "a:\r\n";
  CHECK(head_of(text + "\r\n").bytes == text.size() + 2);
  CHECK(head_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n").ambiguity.empty());
}

TEST_CASE("RequestHead: bytes that are not HTTP/1.1 are refused at the first wrong byte", "[app][unit]") {
  const auto text =
      GENERATE("\x16\x03\x01"s, "GET\r\n\r\n"s, "GET / HTTP/2.0\r\n\r\n"s, "GET / HTTP/1.1\r\n: x\r\n\r\n"s,
               "GET / HTTP/1.1\r\nA b\r\n\r\n"s, "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"s,
               "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"s);
  RequestHead head;
  const auto failure = read(text, head);
  CHECK(failure);
  CHECK(failure != beast_http::error::need_more);
}

}  // namespace
}  // namespace yolod::app::http
