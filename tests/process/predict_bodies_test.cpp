// These tests send several pictures, options in the body, and requests of pages of other sites to a real server.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/access_server.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/route_cases.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests::predict_bodies {
namespace {

const Headers kFormType{{"Content-Type", "multipart/form-data; boundary=b0"}};
const Headers kJsonType{{"Content-Type", "application/json"}};

std::string field(const std::string& name, const std::string& value) {
  return "--b0\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

std::string form(const std::vector<std::string>& pictures, const std::string& fields = "") {
  std::string body;
  for (const auto& picture : pictures) body += field("image", picture);
  return body + fields + "--b0--\r\n";
}

// The answer of the identity model for one picture.
bool is_of(const boost::json::value& answer, const std::string& body) {
  return answer.at("success").as_bool() && answer.at("bytes").to_number<std::size_t>() == body.size() &&
         answer.at("crc32").as_string().c_str() == crc32_hex(body);
}

}  // namespace

TEST_CASE("PredictBodies: many pictures of a form and of JSON are answered in order", "[process]") {
  Server server(identity_config({{.workers = 2, .keys = {"queue: {max_size: 8}"}}}));
  REQUIRE(server.wait_until_ready());
  std::vector<std::string> pictures;
  for (std::uint32_t i = 0; i < 60; ++i) pictures.push_back(random_body(i * 97, i));
  HttpClient client(server.endpoint());
  const auto answer = client.post("/predict", form(pictures), kFormType);
  REQUIRE(answer.status == 200);
  const auto json = answer.json();
  const auto& list = json.at("answers").as_array();
  REQUIRE(list.size() == pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) CHECK(is_of(list[i], pictures[i]));
  CHECK(answer.has_header("Server-Timing"));

  const auto texts = client.post("/predict", R"({"images": ["Zm9v", "Zm9vYmFy", "not base64!"]})", kJsonType);
  REQUIRE(texts.status == 200);
  const auto found = texts.json();
  CHECK(is_of(found.at("answers").as_array().at(0), "foo"));
  CHECK(is_of(found.at("answers").as_array().at(1), "foobar"));
  CHECK(found.at("answers").as_array().at(2).at("error").at("code") == "bad_request");
  CHECK(server.metric("yolod_requests_total", {{"model", "echo"}, {"code", "200"}}) == 2);
}

TEST_CASE("PredictBodies: a picture that kills workers fails alone, and the others of its request are answered",
          "[process]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  HttpClient client(server.endpoint());
  const auto answer = client.post("/predict", form({"one", "FAULT:segv", "three"}), kFormType);
  REQUIRE(answer.status == 200);
  const auto json = answer.json();
  const auto& list = json.at("answers").as_array();
  REQUIRE(list.size() == 3);
  CHECK(is_of(list[0], "one"));
  CHECK(list[1].at("error").at("code") == "worker_crashed");
  CHECK(is_of(list[2], "three"));

  const auto failed = client.post("/predict", form({"FAULT:segv", "FAULT:segv"}), kFormType);
  CHECK(failed.status == 422);
  CHECK(failed.json().at("success") == false);
  CHECK(failed.json().at("answers").as_array().size() == 2);
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

TEST_CASE("PredictBodies: a form and JSON may choose the model and the priority behind the picture", "[process]") {
  Server server(identity_config({{.name = "echo"}, {.name = "other"}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/predict", form({"abc"}, field("model", "other")), kFormType).json().at("model") == "other");
  CHECK(
      client.post("/predict?model=other", form({"abc"}, field("model", "echo") + field("priority", "high")), kFormType)
          .json()
          .at("model") == "echo");
  CHECK(client.post("/predict", R"({"image": "Zm9v", "model": "other"})", kJsonType).json().at("model") == "other");
  CHECK(client.post("/predict", form({"abc"}, field("model", "third")), kFormType).error_code() == "unknown_model");
  CHECK(server.metric("yolod_requests_total", {{"model", "other"}, {"code", "200"}}) == 2);
}

TEST_CASE("PredictBodies: after its client has left, the pictures of a request that wait are not computed",
          "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 100ms, .keys = {"batch: {max_size: 1}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    HttpClient client(server.endpoint());
    REQUIRE(client.connect());
    REQUIRE(client.write(serialise({"POST", "/predict", kFormType, form(std::vector<std::string>(50, "abc"))})));
    REQUIRE(wait_until([&server] { return server.metric("yolod_queue_depth", {{"model", "echo"}}) > 0; }));
  }
  check_after_case(server, before);
}

TEST_CASE("Cors: every path tells its methods to the browser of an allowed site, without a key", "[process]") {
  const KeyFile keys{{"key", "token"}};
  Server server(
      identity_config({{.workers = 1}}, {keys.server_key(), "cors: {origins: [\"https://a.example\"], max_age: 5m}"}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const Headers preflight{{"Origin", "https://a.example"},
                          {"Access-Control-Request-Method", "POST"},
                          {"Access-Control-Request-Headers", "authorization,content-type"}};
  for (const auto& route : route_cases()) {
    CAPTURE(route.target);
    const auto answer = client.send({.method = "OPTIONS", .target = std::string(route.target), .headers = preflight});
    if (route.audience == app::http::Audience::kAdmins) {
      CHECK(answer.status == 403);
      continue;
    }
    CHECK(answer.status == 204);
    CHECK(answer.header("Allow") == std::string(route.methods) + ", OPTIONS");
    CHECK(answer.header("Vary") == "Origin");
    using app::access::Need;
    const bool may_be_used = route.need == Need::kNothing || route.need == Need::kModels ||
                             route.need == Need::kPredict || route.need == Need::kObserve;
    CHECK(answer.header("Access-Control-Allow-Origin") == (may_be_used ? "https://a.example" : ""));
    CHECK(answer.header("Access-Control-Allow-Methods") == (may_be_used ? route.methods : ""));
    CHECK(answer.header("Access-Control-Max-Age") == (may_be_used ? "300" : ""));
  }
  // The request itself needs a key, and the page can read why it is refused.
  const auto refused = client.post("/predict?model=echo", "abc", {{"Origin", "https://a.example"}});
  CHECK(refused.status == 401);
  CHECK(refused.header("Access-Control-Allow-Origin") == "https://a.example");
  const auto foreign = client.post("/predict?model=echo", "abc", {{"Origin", "https://b.example"}});
  CHECK_FALSE(foreign.has_header("Access-Control-Allow-Origin"));
  CHECK(foreign.header("Vary") == "Origin");
  const auto oip = client.get("/v2/models/unknown", {{"Origin", "https://a.example"}});
  CHECK(oip.header("Access-Control-Allow-Origin") == "https://a.example");
}

}  // namespace yolod::tests::predict_bodies
