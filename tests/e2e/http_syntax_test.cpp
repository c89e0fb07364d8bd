// The server refuses at once what RFC 9110 and 9112 do not allow. No refusal relies only on a timeout.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

using namespace std::string_literals;

// The deadlines are minutes long, so a test that waits for a deadline fails.
struct PatientServer {
  Server server{identity_config({{.workers = 1}}, {"header_timeout: 10m", "body_timeout: 10m", "idle_timeout: 10m"})};
  PatientServer() { REQUIRE(server.wait_until_ready()); }
  ~PatientServer() {
    const auto body = random_body(100, 1);
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
  }
};

const std::string kSecond = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";

// Checks that `raw` gets exactly one answer, at once, and that nothing follows it.
void check_refused(const Server& server, const std::string& raw, int status = 400) {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  const auto began = Clock::now();
  client.write(raw + kSecond);
  const auto answer = client.read_answer();
  CAPTURE(answer);
  CHECK(answer.status == status);
  CHECK(answer.error_code() == (status == 431 ? "header_too_large" : status == 413 ? "body_too_large" : "bad_request"));
  CHECK(client.wait_for_close(5s));
  CHECK_FALSE(client.has_unread_bytes());
  CHECK(Clock::now() - began < scaled(5s));
}

std::string get(const std::string& target, const std::string& fields) {
  return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}
std::string post_chunks(const std::string& chunks) {
  return "POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
}

}  // namespace

TEST_CASE_METHOD(PatientServer, "HttpSyntax: an invalid Host is refused", "[e2e][case27]") {
  const std::string host = GENERATE("a b", "a@b/c", "user:password@a", "a/b", "a:b", "[::1", "a\\b", "a,b", ":80");
  const bool valid = host == "a,b";  // a comma is allowed in a name
  CAPTURE(host);
  const auto raw = get("/healthz", "Host: " + host + "\r\n");
  if (!valid) return check_refused(server, raw);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(raw);
  CHECK(client.read_answer().status == 200);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: hosts of every allowed form are accepted", "[e2e]") {
  const std::string fields = GENERATE("Host: a\r\n", "Host: a:80\r\n", "Host:\r\n", "Host: [::1]:80\r\n",
                                      "Host: 127.0.0.1\r\n", "host:\ta \r\n");
  const std::string target = GENERATE("/healthz", "http://a/healthz", "HTTP://other:81/healthz");
  CAPTURE(fields, target);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(get(target, fields));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: headers that two parsers could read differently are refused",
                 "[e2e][case27]") {
  const std::string raw = GENERATE(
      // the target
      get("http://a@b/healthz", "Host: b\r\n"), get("http:///healthz", "Host: b\r\n"),
      get("http://a b/healthz", "Host: b\r\n"), get("/health z", "Host: b\r\n"), get("/\x7F", "Host: b\r\n"),
      get("/\t", "Host: b\r\n"), get("/\0"s, "Host: b\r\n"), get("*", "Host: b\r\n"), get("healthz", "Host: b\r\n"),
      "GET  /healthz HTTP/1.1\r\nHost: b\r\n\r\n"s, "GET /healthz  HTTP/1.1\r\nHost: b\r\n\r\n"s,
      "GET /healthz HTTP/1.1 \r\nHost: b\r\n\r\n"s, "GET /healthz http/1.1\r\nHost: b\r\n\r\n"s,
      "GET /healthz HTTP/1.2\r\nHost: b\r\n\r\n"s, "GET /healthz\r\nHost: b\r\n\r\n"s,
      " GET / HTTP/1.1\r\nHost: b\r\n\r\n"s, "G(T / HTTP/1.1\r\nHost: b\r\n\r\n"s,
      // fields
      get("/healthz", "Host: b\r\nX: a\r\n folded\r\n"), get("/healthz", "Host: b\r\nX: a\r\n\tfolded\r\n"),
      get("/healthz", " X: a\r\nHost: b\r\n"), get("/healthz", "Host: b\r\nX : a\r\n"),
      get("/healthz", "Host: b\r\nX\t: a\r\n"), get("/healthz", "Host: b\r\nX y: a\r\n"),
      get("/healthz", "Host: b\r\n(X): a\r\n"), get("/healthz", "Host: b\r\nX\x80: a\r\n"),
      get("/healthz", "Host: b\r\nX\r\n"), get("/healthz", "Host: b\r\n: a\r\n"),
      get("/healthz", "Host: b\r\nX: a\rb\r\n"), get("/healthz", "Host: b\r\nX: a\nY: b\r\n"),
      get("/healthz", "Host: b\r\nX: \x01\r\n"), get("/healthz", "Host: b\r\nX: \x7F\r\n"),
      get("/healthz", "Host: b\r\nX: \0\r\n"s), get("/healthz", "Host: b\r\nHost: b\r\n"), get("/healthz", ""),
      // lengths
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: +1\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: 0x1\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: 1 1\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: 1, 2\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: 1,\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length:\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Length: 18446744073709551617\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: identity\r\n\r\nx"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"s,
      "POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n"s,
      "POST /predict HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
      // type of the body
      "POST /predict HTTP/1.1\r\nHost: b\r\nContent-Type: image/png\r\nContent-Type: application/json\r\n"
      "Content-Length: 1\r\n\r\nx"s);
  CAPTURE(raw);
  check_refused(server, raw);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: invalid chunks are refused at once", "[e2e][case27]") {
  const std::string chunks =
      GENERATE("\r\n"s, "g\r\n"s, "-1\r\nx\r\n0\r\n\r\n"s, "+1\r\nx\r\n0\r\n\r\n"s, " 1\r\nx\r\n0\r\n\r\n"s,
               "1 \r\nx\r\n0\r\n\r\n"s, "0x1\r\nx\r\n0\r\n\r\n"s, "1\nx\n0\n\n"s, "1\rx\r0\r\r"s,
               "1\0\r\nx\r\n0\r\n\r\n"s, "1\r\nxx\r\n0\r\n\r\n"s, "1\r\nx\n0\r\n\r\n"s, "10000000000000001\r\nx"s,
               "00000000000000000000000000000001\r\nx\r\n0\r\n\r\n"s, "1;a=\"x\r\ny\r\n0\r\n\r\n"s, "1;a=\"x\n"s,
               "1;=\r\nx\r\n0\r\n\r\n"s, "1;\r\nx\r\n0\r\n\r\n"s, "1;a\rb\r\nx\r\n"s, "1;" + std::string(100'000, 'a'),
               "1;a=\"" + std::string(100'000, 'a'), "1" + std::string(100'000, ' '), "1\r\nx\r\n0\r\nA : b\r\n\r\n"s,
               "1\r\nx\r\n0\r\n A: b\r\n\r\n"s, "1\r\nx\r\n0\r\nA: b\r\n c\r\n\r\n"s, "1\r\nx\r\n0\r\nA: \0\r\n\r\n"s,
               "1\r\nx\r\n0\r\nA: b\n\r\n"s, "1\r\nx\r\n0\r\nA\r\n\r\n"s);
  CAPTURE(chunks.substr(0, 100));
  check_refused(server, post_chunks(chunks));
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: the total of chunk extensions is limited", "[e2e][case27]") {
  std::string chunks;
  for (int i = 0; i < 1000; ++i) chunks += "1;" + std::string(100, 'a') + "\r\nx\r\n";
  check_refused(server, post_chunks(chunks));
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: trailer fields beyond the header limit are header_too_large",
                 "[e2e][case27]") {
  std::string trailer = GENERATE(as<std::string>{}, "A: ", "");
  if (trailer.empty()) {
    while (trailer.size() < 100'000) trailer += "a: b\r\n";
  } else {
    trailer += std::string(100'000, 'x');
  }
  check_refused(server, post_chunks("1\r\nx\r\n0\r\n" + trailer), 431);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: a chunk above the body limit is refused before it arrives", "[e2e]") {
  const std::string size = GENERATE("1000001", "FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF");
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(post_chunks(size + "\r\n"));
  CHECK(client.read_answer().status == 413);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: a body with chunk extensions and a trailer is served", "[e2e]") {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  client.write(post_chunks("5;a=b;c=\"d \\\" e\"\r\nhello\r\n06 ; f\r\n world\r\n0;g\r\nX-Sum: 1\r\nEmpty:\r\n\r\n") +
               kSecond);
  CHECK(is_identity_answer(client.read_answer(), "hello world"));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: a chunked body of any size gets room", "[e2e]") {
  const auto bytes = GENERATE(1, 16'383, 1'048'575, 1'048'576, 1'048'577, 5'000'000, 16 * 1024 * 1024);
  const auto chunk = GENERATE(5'000, 70'000, 16 * 1024 * 1024);
  const auto body = random_body(static_cast<std::size_t>(bytes), 3);
  CHECK(is_identity_answer(HttpClient(server.endpoint())
                               .send({.method = "POST",
                                      .target = "/predict",
                                      .headers = {{"Content-Type", "image/jpeg"}},
                                      .body = body,
                                      .chunk_bytes = static_cast<std::size_t>(chunk)}),
                           body));
}

TEST_CASE_METHOD(PatientServer, "HttpSyntax: an empty line before a request is skipped, and many are refused",
                 "[e2e]") {
  const auto lines = GENERATE(1, 2, 4, 5, 1000);
  CAPTURE(lines);
  std::string empty;
  for (int i = 0; i < lines; ++i) empty += "\r\n";
  if (lines > 4) {
    check_refused(server, empty);
    return;
  }
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  // The server also skips the empty line that old clients send after a body, and an empty line that arrives byte by
  // byte.
  const auto body = random_body(100, 2);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.write(serialise({"POST", "/predict", {}, body}) + empty));
    CHECK(is_identity_answer(client.read_answer(), body));
  }
  REQUIRE(client.write(kSecond));
  CHECK(client.read_answer().status == 200);
  REQUIRE(client.write(empty.substr(0, 1)));
  REQUIRE(wait_until([&] { return server.metric("yolod_open_connections") == 2; }));
  REQUIRE(client.write(empty.substr(1) + kSecond));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("HttpSyntax: a connection that sent an empty line is idle, and gets no 408", "[e2e]") {
  Server server(identity_config({{.workers = 1}}, {"header_timeout: 200ms", "idle_timeout: 1s"}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const auto body = random_body(100, 3);
  REQUIRE(client.connect());
  REQUIRE(client.write(serialise({"POST", "/predict", {}, body}) + "\r\n"));
  CHECK(is_identity_answer(client.read_answer(), body));
  CHECK(client.wait_for_close());
  CHECK_FALSE(client.has_unread_bytes());
}

}  // namespace yolod::tests
