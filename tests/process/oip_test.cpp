// These tests send requests of the Open Inference Protocol to a real server with identity models.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <future>
#include <string>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/packed_bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/shared_object.hpp"

namespace yolod::tests {
namespace {

std::string element_of(const std::string& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + bytes;
}

Answer post_binary(HttpClient& client, const std::string& target, const std::string& json, const std::string& bytes) {
  return client.post(target, json + bytes, {{"Inference-Header-Content-Length", std::to_string(json.size())}});
}

std::string error_of(const Answer& answer) {
  const auto value = answer.json();
  return value.is_object() && value.get_object().contains("error") ? std::string(value.at("error").as_string()) : "";
}

}  // namespace

TEST_CASE("Oip: health, metadata, statistics and the index describe a server", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 1}, {.name = "other", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.get("/v2/health/live").body == R"({"live":true})");
  CHECK(client.get("/v2/health/ready").body == R"({"ready":true,"live":true})");
  CHECK(client.get("/v2?test_1=1").json().at("name") == "yolod");
  CHECK(client.get("/v2/models").body == R"({"models":["echo","other"]})");
  CHECK(client.get("/v2/models/echo/ready").body == R"({"name":"echo","ready":true})");
  CHECK(client.get("/v2/models/%65cho/versions/1").json().at("inputs").at(0).at("name") == "image");
  CHECK(client.get("/v2/models/echo/versions/2").status == 404);
  CHECK(error_of(client.get("/v2/models/unknown")) == "Request for unknown model: 'unknown' is not found");
  CHECK(client.get("/v2/models/echo/config").json().at("max_batch_size") == 64);
  CHECK(client.get("/v2/models/stats").json().at("model_stats").as_array().size() == 2);
  CHECK(client.post("/v2/repository/index", "").json().as_array().size() == 2);
  CHECK(client.post("/v2/repository/index", R"({"ready":true})").json().at(0).at("state") == "READY");
  CHECK(error_of(client.get("/v2/nothing")) == "Not Found");
  const auto wrong_method = client.post("/v2/health/live", "");
  CHECK(wrong_method.status == 405);
  CHECK(error_of(wrong_method) == "Method Not Allowed");
}

TEST_CASE("Oip: pictures in all forms of a request reach the workers unchanged", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 2}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const std::string target = "/v2/models/echo/infer";
  const auto crc_of = [](const std::string& body) {
    return static_cast<std::uint64_t>(std::stoul(crc32_hex(body), nullptr, 16));
  };
  std::vector<std::string> pictures;
  std::string bytes;
  for (std::uint64_t i = 0; i < 16; ++i) bytes += element_of(pictures.emplace_back(random_body(1000 + i, i)));
  const std::string json = R"({"id":"7","inputs":[{"name":"image","shape":[16,1],"datatype":"BYTES",)"
                           R"("parameters":{"binary_data_size":)" +
                           std::to_string(bytes.size()) + R"(}}],"outputs":[{"name":"crc32"}]})";
  const auto many = post_binary(client, target, json, bytes);
  CAPTURE(many);
  REQUIRE(many.status == 200);
  CHECK(many.json().at("id") == "7");
  const auto answered = many.json();
  const auto& data = answered.at("outputs").at(0).at("data").as_array();
  REQUIRE(data.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) CHECK(data[i].to_number<std::uint64_t>() == crc_of(pictures[i]));

  const std::string picture = random_body(300'000, 99);
  const auto raw = client.send({.method = "POST",
                                .target = target,
                                .headers = {{"Inference-Header-Content-Length", "0"}},
                                .body = picture,
                                .chunk_bytes = 5000});
  CAPTURE(raw.status);
  REQUIRE(raw.status == 200);
  CHECK(raw.header("Content-Type") == "application/octet-stream");
  const auto header_bytes = std::stoul(raw.header("Inference-Header-Content-Length"));
  std::uint64_t sent_bytes = 0;
  REQUIRE(raw.body.size() == header_bytes + 16);
  std::memcpy(&sent_bytes, raw.body.data() + header_bytes, sizeof sent_bytes);
  CHECK(sent_bytes == picture.size());

  const auto text =
      client.post(target, R"({"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["YWJj","aGVsbG8="]}]})");
  REQUIRE(text.status == 200);
  CHECK(text.json().at("outputs").at(0).at("data") == boost::json::value({3, 5}));
  CHECK(text.json().at("outputs").at(1).at("data").at(1).to_number<std::uint64_t>() == crc_of("hello"));
  const auto stats = client.get("/v2/models/echo/stats").json();
  CHECK(stats.at("model_stats").at(0).at("inference_count") == 19);
  CHECK(stats.at("model_stats").at(0).at("inference_stats").at("success").at("count") == 3);
}

TEST_CASE("Oip: compressed requests in all forms reach the workers, and answers are compressed", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 2}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const std::string target = "/v2/models/echo/infer";
  std::vector<std::string> pictures;
  std::string bytes;
  for (std::uint64_t i = 0; i < 60; ++i)
    bytes += element_of(pictures.emplace_back(500 + i, static_cast<char>('a' + i)));
  const std::string json =
      R"({"inputs":[{"name":"image","shape":[60],"datatype":"BYTES","parameters":{"binary_data_size":)" +
      std::to_string(bytes.size()) + R"(}}]})";
  const bool is_gzip = GENERATE(true, false);
  const std::string coding = is_gzip ? "gzip" : "deflate";
  const auto packed = is_gzip ? gzipped(json + bytes) : deflated(json + bytes);
  const auto answer = client.send({.method = "POST",
                                   .target = target,
                                   .headers = {{"Content-Encoding", coding},
                                               {"Accept-Encoding", coding},
                                               {"Inference-Header-Content-Length", std::to_string(json.size())}},
                                   .body = packed,
                                   .chunk_bytes = 700});
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  CHECK(answer.header("Content-Encoding") == coding);
  const auto text = unpacked(answer.body);
  REQUIRE(text.has_value());
  const auto crcs = boost::json::parse(*text).at("outputs").at(1).at("data").as_array();
  REQUIRE(crcs.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) {
    CHECK(crcs[i].to_number<std::uint64_t>() == std::stoul(crc32_hex(pictures[i]), nullptr, 16));
  }
  const auto raw = client.post(target, is_gzip ? gzipped("picture") : deflated("picture"),
                               {{"Content-Encoding", coding}, {"Inference-Header-Content-Length", "0"}});
  CHECK(raw.status == 200);
  CHECK_FALSE(raw.has_header("Content-Encoding"));
  CHECK(raw.body.find(std::string("\7\0\0\0\0\0\0\0", 8)) != std::string::npos);
  // A bomb costs the client an error, and the server no more than a body of the largest size.
  const auto bomb = client.post(target, gzipped(std::string(32U << 20U, '\0')),
                                {{"Content-Encoding", "gzip"}, {"Inference-Header-Content-Length", "0"}});
  CHECK(bomb.status == 400);
  CHECK(error_of(bomb) == "unable to decompress the request: it has more than the 16777216 bytes that are allowed");
  CHECK(client.get("/v2/health/ready").status == 200);
}

TEST_CASE("Oip: a wrong request gets the protocol's error, and the connection goes on", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  const std::string target = "/v2/models/echo/infer";
  CHECK(client.post(target, "{").status == 400);
  CHECK(error_of(client.post(target, R"({"inputs":[]})")) == "expected 1 inputs but got 0 inputs for model 'echo'");
  CHECK(error_of(client.post(target, R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["%"]}]})")) ==
        "JSON: a picture is not base64");
  CHECK(client.post("/v2/models/unknown/infer", "{}").status == 404);
  CHECK(client.post("/v2/models/echo/versions/1/infer", "ab", {{"Inference-Header-Content-Length", "0"}}).status ==
        200);
  CHECK(client.post(target, "x", {{"Content-Encoding", "br"}}).status == 501);
}

TEST_CASE("Oip: an admin loads a model, and a client without a key may not", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  HttpClient admin(server.admin_endpoint());
  CHECK(client.post("/v2/repository/models/echo/load", "").status == 401);
  CHECK(client.post("/v2/repository/models/echo/unload", "").status == 401);
  const auto loaded = admin.post("/v2/repository/models/echo/load", "{}");
  CHECK(loaded.status == 200);
  CHECK(loaded.body.empty());
  CHECK(client.get("/v2/models/echo").json().at("versions").at(0) == "2");
  CHECK(error_of(admin.post("/v2/repository/models/unknown/load", "{}")) ==
        "failed to load 'unknown', failed to poll from model repository");
  const auto more = admin.post("/v2/repository/models/echo/load",
                               R"({"parameters":{"config":"{\"instance_group\":[{\"count\":2}]}"}})");
  CHECK(more.status == 200);
  CHECK(wait_until([&] { return server.workers().size() == 2; }));  // when the old generation has gone
}

TEST_CASE("Oip: an unload answers the requests that the model has, and a load brings it back", "[process]") {
  Server server(
      identity_config({{.name = "echo", .workers = 1, .delay = milliseconds(700), .keys = {"batch: {max_size: 1}"}},
                       {.name = "other", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  HttpClient admin(server.admin_endpoint());
  const std::string infer = "/v2/models/echo/infer";
  // The worker computes the first of these requests, and the others wait.
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 3; ++i) {
    answers.push_back(std::async(std::launch::async, [&server, &infer] {
      return HttpClient(server.endpoint()).post(infer, "picture", {{"Inference-Header-Content-Length", "0"}});
    }));
  }
  REQUIRE(wait_until([&] {
    const auto metrics = client.get("/status").json();
    return metrics.at("models").at(0).at("queue").at("depth").to_number<int>() == 2;
  }));
  CHECK(admin.post("/v2/repository/models/echo/unload", "{}").status == 200);
  for (auto& answer : answers) CHECK(answer.get().status == 200);
  const auto gone = client.post(infer, "picture", {{"Inference-Header-Content-Length", "0"}});
  CHECK(gone.status == 404);
  CHECK(error_of(gone) == "Request for unknown model: 'echo' has no available versions");
  const auto version = client.get("/v2/models/echo/versions/1");
  CHECK(version.status == 503);
  CHECK(error_of(version) == "Request for unknown model: 'echo' version 1 is not at ready state");
  CHECK(client.get("/v2/models").body == R"({"models":["other"]})");
  CHECK(client.get("/v2/health/ready").status == 200);
  CHECK(client.post("/v2/repository/index", "").json() ==
        boost::json::parse(R"([{"name":"other","version":"1","state":"READY","reason":""},)"
                           R"({"name":"echo","version":"1","state":"UNAVAILABLE","reason":"unloaded"}])"));
  CHECK(admin.post("/v2/repository/models/echo/unload", "").status == 200);
  CHECK(admin.post("/v2/repository/models/nothing/unload", "").status == 500);
  CHECK(admin.post("/v2/repository/models/echo/load", "").status == 200);
  CHECK(client.post("/v2/models/echo/versions/2/infer", "picture", {{"Inference-Header-Content-Length", "0"}}).status ==
        200);
  CHECK(client.get("/v2/models/echo/stats").json().at("model_stats").at(0).at("inference_count") == 4);
}

// The requests have the bytes that Triton's Python client sends.
TEST_CASE("Oip: a client sends pictures and gets results in shared memory", "[process]") {
  auto config = identity_config({{.name = "echo", .workers = 1}});
  config += "oip: {shared_memory: [yolod-test-*]}\n";
  Server server(config);
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  SharedObject input(1U << 20U);
  SharedObject output(4096);
  const std::string base = "/v2/systemsharedmemory/";
  CHECK(client.post(base + "unregister", "").status == 200);
  CHECK(client.post("/v2/cudasharedmemory/unregister", "").status == 200);
  const auto body_of = [](const SharedObject& object, std::size_t bytes) {
    return R"({"key": ")" + object.name() + R"(", "offset": 0, "byte_size": )" + std::to_string(bytes) + "}";
  };
  const auto registered = client.post(base + "region/in%20put/register", body_of(input, 1U << 20U));
  CAPTURE(registered);
  CHECK(registered.status == 200);
  CHECK(registered.body.empty());
  CHECK(client.post(base + "region/output/register", body_of(output, 4096)).status == 200);
  CHECK(client.get(base + "status").body == R"([{"name":"in put","key":")" + input.name() +
                                                R"(","offset":0,"byte_size":1048576},{"name":"output","key":")" +
                                                output.name() + R"(","offset":0,"byte_size":4096}])");
  CHECK(client.get(base + "region/output/status").json().as_array().size() == 1);
  CHECK(error_of(client.get(base + "region/x/status")) == "Unable to find system shared memory region: 'x'");
  CHECK(error_of(client.post(base + "region/output/register", body_of(output, 1))) ==
        "shared memory region 'output' already in manager");
  CHECK(error_of(client.post(base + "region/more/register", body_of(output, 4097))) ==
        "failed to register shared memory region 'more': invalid args");
  CHECK(client.post(base + "region/more/register", R"({"key": "/yolod-test-x"})").status == 400);
  CHECK(error_of(client.post("/v2/cudasharedmemory/region/g/register", "{}")) ==
        "failed to register CUDA shared memory region: 'g', GPUs not supported");
  CHECK(client.get("/v2/cudasharedmemory/status").body == "[]");
  CHECK(client.get("/v2").body.find(R"("system_shared_memory")") != std::string::npos);

  const std::string picture = random_body(900'000, 5);
  input.write(element_of(picture), 100);
  const auto request = [&](std::size_t bytes) {
    return R"({"inputs": [{"name": "image", "shape": [1, 1], "datatype": "BYTES", "parameters": {)"
           R"("shared_memory_region": "in put", "shared_memory_byte_size": )" +
           std::to_string(bytes) +
           R"(, "shared_memory_offset": 100}}], "outputs": [{"name": "crc32", "parameters": {)"
           R"("shared_memory_region": "output", "shared_memory_byte_size": 4}}]})";
  };
  const auto answer = client.post("/v2/models/echo/infer", request(picture.size() + 4));
  CAPTURE(answer);
  REQUIRE(answer.status == 200);
  CHECK(answer.json().at("outputs") ==
        boost::json::parse(R"([{"name":"crc32","datatype":"UINT32","shape":[1,1],"parameters":{)"
                           R"("shared_memory_region":"output","shared_memory_byte_size":4}}])"));
  const auto bytes = output.read(4);
  std::uint32_t crc = 0;
  std::memcpy(&crc, bytes.data(), sizeof crc);
  CHECK(crc == std::stoul(crc32_hex(picture), nullptr, 16));

  input.resize(5000);  // a mapping would end the server with SIGBUS
  const auto shortened = client.post("/v2/models/echo/infer", request(picture.size() + 4));
  CHECK(shortened.status == 400);
  CHECK(error_of(shortened) == "the shared memory object '" + input.name() + "' has become too short");
  CHECK(client.post(base + "region/in%20put/unregister", "").status == 200);
  CHECK(error_of(client.post("/v2/models/echo/infer", request(10))) == "Unable to find shared memory region: 'in put'");
  CHECK(client.get("/v2/health/ready").status == 200);
}

TEST_CASE("Oip: a client neither sees nor uses the shared memory of another client or of a foreign page", "[process]") {
  const TemporaryDirectory folder;
  const std::string socket = (folder.path() / "http.sock").string();
  auto config =
      identity_config({{.name = "echo", .workers = 1}}, {"listen: [\"127.0.0.1:0\", \"unix:" + socket + "\"]"});
  config += "oip: {shared_memory: [yolod-test-*]}\n";
  Server server(config);
  REQUIRE(server.wait_until_ready());
  HttpClient owner(server.endpoint());
  HttpClient other(Endpoint{0, socket});
  const SharedObject object(4096);
  const std::string base = "/v2/systemsharedmemory/";
  const std::string place = R"({"key": ")" + object.name() + R"(", "byte_size": 4096})";
  CHECK(owner.post(base + "region/r/register", place, {{"Origin", "http://evil.example"}}).status == 403);
  CHECK(owner.post(base + "region/r/register", place, {{"Sec-Fetch-Site", "cross-site"}}).status == 403);
  REQUIRE(owner.post(base + "region/r/register", place).status == 200);
  CHECK(owner.post(base + "unregister", "", {{"Origin", "null"}}).status == 403);
  CHECK(other.get(base + "status").body == "[]");
  CHECK(other.get(base + "region/r/status").status == 404);
  CHECK(other.post(base + "region/r/unregister", "").status == 200);
  CHECK(other.post(base + "unregister", "").status == 200);
  const auto refused = other.post("/v2/models/echo/infer",
                                  R"({"inputs":[{"name":"image","shape":[1,1],"datatype":"BYTES","parameters":{)"
                                  R"("shared_memory_region":"r","shared_memory_byte_size":10}}]})");
  CHECK(error_of(refused) == "Unable to find shared memory region: 'r'");
  CHECK(owner.get(base + "status").json().as_array().size() == 1);
  CHECK(other.post(base + "region/r/register", place).status == 200);
  // A reload that allows other names alone revokes both regions.
  auto narrower = config;
  narrower.replace(narrower.find("yolod-test-*"), 12, "yolod-else-*");
  server.rewrite_config(narrower);
  server.send_signal(SIGHUP);
  CHECK(wait_until([&] { return owner.get(base + "status").body == "[]"; }));
  CHECK(other.get(base + "status").body == "[]");
}

TEST_CASE("Oip: without oip.shared_memory no region exists", "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/v2/systemsharedmemory/region/r/register", R"({"key":"/a","byte_size":1})").status == 404);
  CHECK(client.post("/v2/systemsharedmemory/unregister", "").status == 404);
  const auto refused = client.post("/v2/models/echo/infer",
                                   R"({"inputs":[{"name":"image","shape":[1,1],"datatype":"BYTES","parameters":{)"
                                   R"("shared_memory_region":"r","shared_memory_byte_size":10}}]})");
  CHECK(refused.status == 400);
}

}  // namespace yolod::tests
