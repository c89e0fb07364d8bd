// These tests send bodies in every allowed way: whole, chunked, announced, as a part of a form, many on one
// connection.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

const Headers kOctets{{"Content-Type", "application/octet-stream"}};

struct EchoServer {
  Server server{identity_config({{.workers = 2}})};
  EchoServer() { REQUIRE(server.wait_until_ready()); }
};

std::string form(const std::string& boundary, const std::string& image) {
  return "--" + boundary +
         "\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nnot the picture\r\n"
         "--" +
         boundary +
         "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" +
         image + "\r\n--" + boundary + "--\r\n";
}

}  // namespace

TEST_CASE_METHOD(EchoServer, "HttpBodies: a raw body is answered with its own size and checksum", "[e2e]") {
  const auto size = GENERATE(1, 15, 4095, 4096, 65'536, 100'000, 1'000'000);
  const auto body = random_body(static_cast<std::size_t>(size), 7);
  HttpClient client(server.endpoint());
  const auto answer = client.post("/predict", body);
  CAPTURE(answer);
  CHECK(is_identity_answer(answer, body));
  CHECK(answer.json().at("model") == "echo");
  CHECK(answer.header("Content-Type").starts_with("application/json"));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: media types of pictures are accepted", "[e2e]") {
  const std::string type = GENERATE("image/jpeg", "image/png", "image/webp");
  const auto body = random_body(1000, 7);
  CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body, {{"Content-Type", type}}), body));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: the chunks of a body are joined", "[e2e]") {
  const auto chunk = GENERATE(1, 100, 65'536);
  const auto body = random_body(chunk == 1 ? 500 : 200'000, 8);
  HttpClient client(server.endpoint());
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.send({.method = "POST",
                                     .target = "/predict",
                                     .headers = kOctets,
                                     .body = body,
                                     .chunk_bytes = static_cast<std::size_t>(chunk)});
    CAPTURE(answer);
    CHECK(is_identity_answer(answer, body));
  }
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: the part named image of a form is the body", "[e2e]") {
  const auto image = random_body(50'000, 9);
  const auto answer = HttpClient(server.endpoint())
                          .post("/predict", form("--a-boundary", image),
                                {{"Content-Type", "multipart/form-data; boundary=--a-boundary"}});
  CAPTURE(answer);
  CHECK(is_identity_answer(answer, image));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: a chunked form is read like a whole form", "[e2e]") {
  const auto image = random_body(50'000, 10);
  const auto answer = HttpClient(server.endpoint())
                          .send({.method = "POST",
                                 .target = "/predict",
                                 .headers = {{"Content-Type", "multipart/form-data; boundary=\"x y\""}},
                                 .body = form("x y", image),
                                 .chunk_bytes = 1000});
  CAPTURE(answer);
  CHECK(is_identity_answer(answer, image));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: a form without an image part is refused", "[e2e]") {
  const auto answer =
      HttpClient(server.endpoint())
          .post("/predict", "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n",
                {{"Content-Type", "multipart/form-data; boundary=b"}});
  CAPTURE(answer);
  CHECK(answer.status == 400);
  CHECK(answer.error_code() == "bad_request");
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: the picture in a JSON body is read, as plain base64 or as a data: URL",
                 "[e2e]") {
  HttpClient client(server.endpoint());
  const std::string type = GENERATE("application/json", "Application/JSON; charset=utf-8");
  for (const auto* const json : {R"({"image": "Zm9vYmFy"})", R"({"image":"data:image/jpeg;base64,Zm9vYmFy"})"}) {
    CHECK(is_identity_answer(client.post("/predict", json, {{"Content-Type", type}}), "foobar"));
  }
  // This body is long: 4 characters for 3 bytes.
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += "AAAA";
  CHECK(is_identity_answer(client.post("/predict", "{\"image\": \"" + text + "\"}", {{"Content-Type", type}}),
                           std::string(1'500'000, '\0')));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: a JSON body without a picture is refused with the reason", "[e2e]") {
  HttpClient client(server.endpoint());
  for (const auto* const json : {"{}", "[", R"({"image": "?"})", R"({"image": "Zm9v", "images": []})"}) {
    const auto answer = client.post("/predict", json, {{"Content-Type", "application/json"}});
    CAPTURE(json, answer);
    CHECK(answer.status == 400);
    CHECK(answer.error_code() == "bad_request");
    CHECK(answer.body.find("JSON: ") != std::string::npos);
  }
}

TEST_CASE_METHOD(EchoServer,
                 "HttpBodies: a client with Expect: 100-continue gets 100 Continue before it sends the body", "[e2e]") {
  const auto chunk = GENERATE(0, 1000);
  CAPTURE(chunk);
  const auto body = random_body(10'000, 11);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  const Request request{.method = "POST",
                        .target = "/predict",
                        .headers = {{"Content-Type", "application/octet-stream"}, {"Expect", "100-continue"}},
                        .body = body,
                        .chunk_bytes = static_cast<std::size_t>(chunk)};
  const auto bytes = serialise(request);
  const auto head_bytes = bytes.find("\r\n\r\n") + 4;
  client.write(std::string_view(bytes).substr(0, head_bytes));
  // Before the body only the interim answer can come.
  REQUIRE(wait_until([&] { return client.has_unread_bytes(); }));
  client.write(std::string_view(bytes).substr(head_bytes));
  const auto answer = client.read_answer();
  CAPTURE(answer);
  CHECK(answer.continued);
  CHECK(is_identity_answer(answer, body));
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: a hundred requests on one connection are answered in turn", "[e2e]") {
  HttpClient client(server.endpoint());
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto body = random_body(i * 100 + 1, i);
    const auto answer = client.post("/predict", body);
    CAPTURE(i, answer);
    REQUIRE(is_identity_answer(answer, body));
    REQUIRE(answer.reused == (i > 0));
  }
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: pipelined requests are answered in their order", "[e2e]") {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  std::vector<std::string> bodies;
  std::string all;
  for (std::uint64_t i = 0; i < 5; ++i) {
    bodies.push_back(random_body(1000 + i, i));
    all += serialise({.method = "POST", .target = "/predict", .headers = kOctets, .body = bodies.back()});
  }
  client.write(all);
  for (const auto& body : bodies) {
    const auto answer = client.read_answer();
    CAPTURE(answer);
    CHECK(is_identity_answer(answer, body));
  }
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: hundreds of small requests at once are answered one by one", "[e2e]") {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  std::string all;
  for (int i = 0; i < 300; ++i) {
    all +=
        serialise({.target = i % 7 == 0 ? "/nowhere" : "/healthz", .headers = {{"X-Request-Id", std::to_string(i)}}});
  }
  REQUIRE(client.write(all));
  for (int i = 0; i < 300; ++i) {
    const auto answer = client.read_answer();
    CAPTURE(i, answer);
    REQUIRE(answer.status == (i % 7 == 0 ? 404 : 200));
    REQUIRE(answer.header("X-Request-Id") == std::to_string(i));
  }
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: the server closes after Connection: close", "[e2e]") {
  HttpClient client(server.endpoint());
  const auto body = random_body(10, 1);
  auto headers = kOctets;
  headers.emplace_back("Connection", "close");
  CHECK(is_identity_answer(client.post("/predict", body, headers), body));
  CHECK(client.wait_for_close());
}

TEST_CASE_METHOD(EchoServer, "HttpBodies: a request that arrives byte by byte is one request", "[e2e]") {
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  const auto body = random_body(20, 12);
  for (const char byte : serialise({.method = "POST", .target = "/predict", .headers = kOctets, .body = body})) {
    REQUIRE(client.write(std::string_view(&byte, 1)));
  }
  CHECK(is_identity_answer(client.read_answer(), body));
}

}  // namespace yolod::tests
