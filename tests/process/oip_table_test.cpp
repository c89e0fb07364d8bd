// These tests compare every answer of the Open Inference Protocol byte by byte: one row for each fact that clients rely
// on. The first picture is "abc" and the second "hello"; their checksums are in the expected answers.
#include <sys/types.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/packed_bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

struct Row {
  std::string method;
  std::string path;
  std::string body;
  int status;
  std::string answer;
  Headers headers{};
  std::string content_type{"application/json"};
};

const std::string kInfer = "/v2/models/echo/infer";
const std::string kIndex = "/v2/repository/index";
const std::string kUnknown = R"({"error":"Request for unknown model: 'no' is not found"})";
const std::string kNotFound = R"({"error":"Not Found"})";
const std::string kMetadata = R"({"name":"echo","versions":["1"],"platform":"identity",)"
                              R"("inputs":[{"name":"image","datatype":"BYTES","shape":[-1,1]}],)"
                              R"("outputs":[{"name":"bytes","datatype":"UINT64","shape":[-1,1]},)"
                              R"({"name":"crc32","datatype":"UINT32","shape":[-1,1]},)"
                              R"({"name":"worker_pid","datatype":"UINT32","shape":[-1,1]}]})";
const std::string kConfig = R"({"name":"echo","platform":"identity","backend":"","max_batch_size":64,)"
                            R"("input":[{"name":"image","data_type":"TYPE_STRING","format":"FORMAT_NONE","dims":[1]}],)"
                            R"("output":[{"name":"bytes","data_type":"TYPE_UINT64","dims":[1]},)"
                            R"({"name":"crc32","data_type":"TYPE_UINT32","dims":[1]},)"
                            R"({"name":"worker_pid","data_type":"TYPE_UINT32","dims":[1]}],"parameters":{}})";
const std::string kLogging = R"({"log_file":"","log_info":true,"log_warning":true,"log_error":true,)"
                             R"("log_verbose_level":0,"log_format":"default"})";
const std::string kTrace = R"({"trace_file":"","trace_level":["OFF"],"trace_rate":"1000","trace_count":"-1",)"
                           R"("log_frequency":"0","trace_mode":"triton"})";

std::string error_text(const std::string& text) { return R"({"error":")" + text + R"("})"; }

std::string length_and(const std::string& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + bytes;
}

// Returns a request with the input `image` of this shape and these further members.
std::string request_of(const std::string& shape, const std::string& members, const std::string& more = "") {
  return R"({"inputs":[{"name":"image","shape":)" + shape + R"(,"datatype":"BYTES")" + members + "}]" + more + "}";
}
std::string sized(std::size_t bytes) { return R"(,"parameters":{"binary_data_size":)" + std::to_string(bytes) + "}"; }
Headers header_length(const std::string& json) {
  return {{"Inference-Header-Content-Length", std::to_string(json.size())}};
}
// Returns the answer with the outputs crc32 and bytes.
std::string answer_of(const std::string& id, const std::string& outputs) {
  return "{" + id + R"("model_name":"echo","model_version":"1","outputs":[)" + outputs + "]}";
}

void check(HttpClient& client, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.method << " " << row.path << " " << row.body.substr(0, 200));
    const auto answer =
        client.send({.method = row.method, .target = row.path, .headers = row.headers, .body = row.body});
    CAPTURE(answer);
    CHECK(answer.status == row.status);
    CHECK(answer.body == row.answer);
    CHECK(answer.header("Content-Type") == row.content_type);
  }
}

struct OipServer {
  [[nodiscard]] Endpoint ready_endpoint() {
    REQUIRE(server.wait_until_ready());
    return server.endpoint();
  }

  Server server{identity_config({{.name = "echo", .workers = 1}, {.name = "other", .workers = 1}})};
  HttpClient client{ready_endpoint()};
};

}  // namespace

TEST_CASE_METHOD(OipServer, "OipTable: routes, metadata and configuration", "[process]") {
  check(client,
        {
            {"GET", "/v2", "", 200,
             R"j({"name":"yolod","version":")j" + std::string(server.status().at("version").as_string()) +
                 R"j(","extensions":["classification","binary_tensor_data","model_configuration",)j"
                 R"j("model_repository","model_repository(unload_dependents)","parameters","statistics"]})j"},
            {"GET", "/v2/health/live", "", 200, R"({"live":true})"},
            {"GET", "/v2/health/ready", "", 200, R"({"ready":true,"live":true})"},
            {"GET", "/v2/health/ready?test_1=1&test_2=2", "", 200, R"({"ready":true,"live":true})"},
            {"GET", "/v2/models", "", 200, R"({"models":["echo","other"]})"},
            {"GET", "/v2/models/echo/ready", "", 200, R"({"name":"echo","ready":true})"},
            {"GET", "/v2/models/echo/versions/1/ready", "", 200, R"({"name":"echo","ready":true})"},
            {"GET", "/v2/models/echo", "", 200, kMetadata},
            {"GET", "/v2/models/%65cho", "", 200, kMetadata},
            {"GET", "/v2/models/echo/versions/1", "", 200, kMetadata},
            {"GET", "/v2/models/echo/config", "", 200, kConfig},
            {"GET", "/v2/models/echo/versions/1/config", "", 200, kConfig},
            {"GET", "/v2/logging", "", 200, kLogging},
            {"POST", "/v2/logging", R"({"log_verbose_level": 0, "log_info": true})", 200, kLogging},
            {"POST", "/v2/logging", R"({"log_verbose_level": 1})", 400,
             error_text("the log setting 'log_verbose_level' cannot be changed: system.yaml has it")},
            {"POST", "/v2/logging", R"({"log_file_2": ""})", 400, error_text("unknown log setting 'log_file_2'")},
            {"POST", "/v2/logging", "1", 400, error_text("failed to parse the request JSON buffer")},
            {"GET", "/v2/trace/setting", "", 200, kTrace},
            {"POST", "/v2/trace/setting", R"({"trace_rate": null, "trace_level": ["OFF"]})", 200, kTrace},
            {"POST", "/v2/trace/setting", R"({"trace_level": ["TIMESTAMPS"]})", 400,
             error_text("the trace setting 'trace_level' cannot be changed: this server does not trace")},
            {"POST", "/v2/trace/setting", R"({"level": 1})", 400, error_text("unknown trace setting 'level'")},
            {"GET", "/v2/models/no", "", 404, kUnknown},
            {"GET", "/v2/models/no/config", "", 404, kUnknown},
            {"GET", "/v2/models/no/ready", "", 404, kUnknown},
            {"POST", "/v2/models/no/infer", "{}", 404, kUnknown},
            {"GET", "/v2/models/echo:raw", "", 404, error_text("Request for unknown model: 'echo:raw' is not found")},
            {"GET", "/v2/models/echo/versions/2", "", 404,
             error_text("Request for unknown model: 'echo' version 2 is not found")},
            {"GET", "/v2/models/echo/versions/latest", "", 404, kNotFound},
            {"GET", "/v2/models/echo/", "", 404, kNotFound},
            {"GET", "/v2/", "", 404, kNotFound},
            {"GET", "/v2/systemsharedmemory/status", "", 404, kNotFound},
            {"POST", "/v2/health/live", "", 405, R"({"error":"Method Not Allowed"})"},
            {"GET", kInfer, "", 405, R"({"error":"Method Not Allowed"})"},
            {"GET", "/v2/models/no/stats", "", 400, error_text("requested model 'no' is not available")},
            {"GET", "/v2/models/echo/versions/7/stats", "", 400,
             error_text("requested model 'echo' version 7 is not available")},
        });
}

TEST_CASE_METHOD(OipServer, "OipTable: the repository", "[process]") {
  const std::string both = R"([{"name":"echo","version":"1","state":"READY","reason":""},)"
                           R"({"name":"other","version":"1","state":"READY","reason":""}])";
  check(client, {
                    {"POST", kIndex, "", 200, both},
                    {"POST", kIndex, R"({"ready":true})", 200, both},
                    {"POST", kIndex, "[]", 400, error_text("failed to parse the request JSON buffer")},
                });
  HttpClient admin(server.admin_endpoint());
  const std::string model = "/v2/repository/models/other/";
  check(admin,
        {
            {"POST", model + "unload", R"({"parameters":{"unload_dependents":false}})", 200, ""},
            {"POST", model + "unload", "", 200, ""},
            {"POST", "/v2/repository/models/no/unload", "", 500,
             error_text("failed to unload 'no', failed to poll from model repository")},
            {"POST", "/v2/repository/models/no/load", "{}", 500,
             error_text("failed to load 'no', failed to poll from model repository")},
            {"POST", model + "load", R"({"parameters":{"config":"{\"max_batch_size\":8}"}})", 400,
             error_text("'config': the key 'max_batch_size' cannot be replaced: allowed are name, instance_group with "
                        "count, and dynamic_batching with max_queue_delay_microseconds and preferred_batch_size")},
        });
  check(client, {
                    {"POST", kIndex, R"({"ready":true})", 200,
                     R"([{"name":"echo","version":"1","state":"READY","reason":""}])"},
                    {"POST", kIndex, "", 200,
                     R"([{"name":"echo","version":"1","state":"READY","reason":""},)"
                     R"({"name":"other","version":"1","state":"UNAVAILABLE","reason":"unloaded"}])"},
                    {"GET", "/v2/models/other", "", 404,
                     error_text("Request for unknown model: 'other' has no available versions")},
                    {"POST", "/v2/models/other/versions/1/infer", "{}", 503,
                     error_text("Request for unknown model: 'other' version 1 is not at ready state")},
                });
  check(admin, {{"POST", model + "load", "{}", 200, ""}});
  check(client, {{"GET", "/v2/models/other/versions/2/ready", "", 200, R"({"name":"other","ready":true})"}});
}

TEST_CASE_METHOD(OipServer, "OipTable: inference in JSON and in binary form", "[process]") {
  const std::string crcs = R"({"name":"crc32","datatype":"UINT32","shape":[2,1],"data":[891568578,907060870]})";
  const std::string one_crc = R"({"name":"crc32","datatype":"UINT32","shape":[1,1],"data":[891568578]})";
  const std::string want = R"(,"outputs":[{"name":"crc32"}])";
  const std::string two = length_and("abc") + length_and("hello");
  const std::string binary_two = request_of("[2,1]", sized(two.size()), want);
  const std::string implied = request_of("[1]", "", want);
  const std::string binary_out = R"(,"outputs":[{"name":"bytes","parameters":{"binary_data":true}}])";
  const std::string as_bytes =
      answer_of("", R"({"name":"bytes","datatype":"UINT64","shape":[1,1],"parameters":{"binary_data_size":8}})") +
      std::string("\3\0\0\0\0\0\0\0", 8);
  const std::string octets = "application/octet-stream";
  Headers packed = header_length(binary_two);
  packed.emplace_back("Content-Encoding", "gzip");
  check(
      client,
      {
          {"POST", kInfer, request_of("[2,1]", R"(,"data":["YWJj","aGVsbG8="])", want), 200, answer_of("", crcs)},
          {"POST", kInfer, request_of("[2]", R"(,"data":[["YWJj"],["aGVsbG8="]])", want), 200, answer_of("", crcs)},
          {"POST", kInfer, request_of("[1]", R"(,"data":["YWJj"])", want + R"(,"id":"42")"), 200,
           answer_of(R"("id":"42",)", one_crc)},
          {"POST", kInfer, request_of("[1]", R"(,"data":["YWJj"])", want + R"(,"id":"")"), 200, answer_of("", one_crc)},
          {"POST", kInfer, binary_two + two, 200, answer_of("", crcs), header_length(binary_two)},
          {"POST", kInfer, gzipped(binary_two + two), 200, answer_of("", crcs), packed},
          {"POST", kInfer, implied + "abc", 200, answer_of("", one_crc), header_length(implied)},
          {"POST", kInfer, request_of("[1]", R"(,"data":["YWJj"])", binary_out), 200, as_bytes, {}, octets},
          {"POST", kInfer,
           request_of("[1]", R"(,"data":["YWJj"])",
                      R"(,"parameters":{"binary_data_output":true,"custom":1.5},"outputs":[{"name":"crc32"}])"),
           200, answer_of("", one_crc)},
          {"POST", "/v2/models/echo/versions/1/infer", request_of("[1]", R"(,"data":["YWJj"])", want), 200,
           answer_of("", one_crc)},
          // NaN and infinity are in the unit tests: no model of this server takes or gives numbers.
          {"POST", kInfer, "{", 400,
           error_text("failed to parse the request JSON buffer: the text ends within its object")},
          {"POST", kInfer, R"({"inputs":[]})", 400, error_text("expected 1 inputs but got 0 inputs for model 'echo'")},
          {"POST", kInfer, request_of("[1]", ""), 400,
           error_text("input 'image' must have 'data' or the parameter 'binary_data_size'")},
          {"POST", kInfer, request_of("[-1]", R"(,"data":["YWJj"])"), 400,
           error_text("the shape of input 'image' is not valid")},
          {"POST", kInfer, request_of("[2]", R"(,"data":["YWJj"])"), 400,
           error_text("'data' of input 'image' must have 2 texts: pictures in base64")},
          {"POST", kInfer, request_of("[65]", R"(,"data":["YWJj"])"), 400,
           error_text("inference request batch-size must be <= 64 for 'echo'")},
          {"POST", kInfer, request_of("[1,2]", R"(,"data":["YWJj"])"), 400,
           error_text("unexpected shape for input 'image' for model 'echo'. Expected [-1,1] or [-1]")},
          {"POST", kInfer, R"({"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["YWJj"]}]})", 400,
           error_text("unexpected inference input 'x' for model 'echo'")},
          {"POST", kInfer, R"({"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[1]}]})", 400,
           error_text("inference input 'image' data-type is 'FP32', but model 'echo' expects 'BYTES'")},
          {"POST", kInfer, request_of("[1]", R"(,"data":["YWJj"])", R"(,"outputs":[{"name":"x"}])"), 400,
           error_text("unexpected inference output 'x' for model 'echo'")},
          {"POST", kInfer, request_of("[1]", R"(,"data":["YWJj"])", R"(,"parameters":{"triton_x":1})"), 400,
           error_text("parameter keys starting with 'triton_' are reserved: 'triton_x'")},
          {"POST", kInfer, binary_two + two + "x", 400, error_text("unexpected additional input data for model 'echo'"),
           header_length(binary_two)},
          {"POST", kInfer, binary_two + two.substr(1), 400,
           error_text("unexpected end of the input data for model 'echo'"), header_length(binary_two)},
          {"POST",
           kInfer,
           "abc",
           400,
           error_text("Inference-Header-Content-Length is 4, but the body has 3 bytes"),
           {{"Inference-Header-Content-Length", "4"}}},
          {"POST",
           kInfer,
           "abc",
           400,
           error_text("Inference-Header-Content-Length must be a whole number, got: -1"),
           {{"Inference-Header-Content-Length", "-1"}}},
          {"POST",
           kInfer,
           "abc",
           501,
           error_text("unable to decompress the request: its Content-Encoding is not supported"),
           {{"Content-Encoding", "br"}}},
          {"POST",
           kInfer,
           "abc",
           400,
           error_text("unable to decompress the request: the body is not gzip or zlib data"),
           {{"Content-Encoding", "gzip"}}},
      });
  // The raw form has all outputs, and worker_pid is among them.
  const auto raw = client.post(kInfer, "abc", {{"Inference-Header-Content-Length", "0"}});
  const std::string json =
      answer_of("", R"({"name":"bytes","datatype":"UINT64","shape":[1,1],"parameters":{"binary_data_size":8}},)"
                    R"({"name":"crc32","datatype":"UINT32","shape":[1,1],"parameters":{"binary_data_size":4}},)"
                    R"({"name":"worker_pid","datatype":"UINT32","shape":[1,1],"parameters":{"binary_data_size":4}})");
  CHECK(raw.status == 200);
  CHECK(raw.header("Inference-Header-Content-Length") == std::to_string(json.size()));
  CHECK(raw.body.substr(0, raw.body.size() - 4) == json + std::string("\3\0\0\0\0\0\0\0\xC2\x41\x24\x35", 12));
}

TEST_CASE_METHOD(OipServer, "OipTable: statistics", "[process]") {
  const std::string none = R"({"count":0,"ns":0})";
  const auto untouched = [&](const std::string& name) {
    return R"({"name":")" + name + R"(","version":"1","last_inference":0,"inference_count":0,"execution_count":0,)" +
           R"("inference_stats":{"success":)" + none + R"(,"fail":)" + none + R"(,"queue":)" + none +
           R"(,"compute_input":)" + none + R"(,"compute_infer":)" + none + R"(,"compute_output":)" + none +
           R"(,"cache_hit":)" + none + R"(,"cache_miss":)" + none +
           R"(},"response_stats":{},"batch_stats":[],"memory_usage":[]})";
  };
  check(client,
        {
            {"GET", "/v2/models/stats", "", 200,
             R"({"model_stats":[)" + untouched("echo") + "," + untouched("other") + "]}"},
            {"GET", "/v2/models/echo/stats", "", 200, R"({"model_stats":[)" + untouched("echo") + "]}"},
            {"GET", "/v2/models/echo/versions/1/stats", "", 200, R"({"model_stats":[)" + untouched("echo") + "]}"},
        });
}

// The server schedules each picture separately. Therefore the death of a worker repeats only the pictures that it had.
TEST_CASE("OipTable: kills during a request with 16 pictures leave each element answered, once and right",
          "[process]") {
  Server server(identity_config({{.name = "echo", .workers = 3, .delay = milliseconds(20)}}));
  REQUIRE(server.wait_until_ready());
  std::vector<std::string> pictures;
  std::string bytes;
  std::string expected;
  for (std::uint64_t i = 0; i < 16; ++i) {
    bytes += length_and(pictures.emplace_back(random_body(1000 + i, 50 + i)));
    expected += (i == 0 ? "" : ",") + std::to_string(std::stoul(crc32_hex(pictures.back()), nullptr, 16));
  }
  const std::string json = request_of("[16]", sized(bytes.size()), R"(,"outputs":[{"name":"crc32"}])");
  const std::string wanted =
      answer_of("", R"({"name":"crc32","datatype":"UINT32","shape":[16,1],"data":[)" + expected + "]}");
  for (int round = 0; round < 4; ++round) {
    Answer answer;
    std::thread asks([&] {
      HttpClient client(server.endpoint());
      answer = client.post(kInfer, json + bytes, header_length(json));
    });
    const pid_t victim = server.wait_for_worker_in("busy");
    if (victim != 0) ::kill(victim, SIGKILL);
    asks.join();
    CAPTURE(round, answer);
    CHECK(victim != 0);
    CHECK(answer.status == 200);
    CHECK(answer.body == wanted);
    REQUIRE(server.wait_until_ready());
  }
}

}  // namespace yolod::tests
