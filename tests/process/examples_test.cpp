// These tests run the programs of examples/ against a server.
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/bodies.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

struct Example {
  Example() {
    REQUIRE(server.wait_until_ready());
    std::ofstream(picture, std::ios::binary) << body;
  }

  const TemporaryDirectory folder;
  const std::string picture{(folder.path() / "photo.jpg").string()};
  const std::string body{random_body(5000, 7)};
  const std::string crc{std::to_string(std::stoul(crc32_hex(body), nullptr, 16))};
  Server server{identity_config({{.name = "echo", .workers = 1}})};
  const std::string examples{(source_directory() / "examples").string()};
};

}  // namespace

TEST_CASE_METHOD(Example, "Examples: curl sends a picture in three ways", "[process]") {
  const auto result = run_program({"/bin/bash", examples + "/infer.sh", server.url(), "echo", picture});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.output.find(R"("name":"crc32","datatype":"UINT32","shape":[1,1],"data":[)" + crc + "]") !=
        std::string::npos);
  CHECK(result.output.find("16 bytes follow the JSON") != std::string::npos);
  CHECK(result.output.find(R"("success":true)") != std::string::npos);
}

TEST_CASE_METHOD(Example, "Examples: curl sends a picture as clients of other programs do", "[process]") {
  const auto result = run_program({"/bin/bash", examples + "/clients.sh", server.url(), "echo", picture});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  for (const char* answer : {R"("predictions":[],"code":200)", R"({"detections":[]})", R"("predictions":[]})"}) {
    CAPTURE(answer);
    CHECK(result.output.find(answer) != std::string::npos);
  }
}

TEST_CASE_METHOD(Example, "Examples: Python sends several pictures in one request", "[process]") {
  if (run_program({"/usr/bin/env", "python3", "-c", "import requests"}).exit != exited(0)) {
    WARN("SKIPPED: python3-requests is not installed");
    return;
  }
  const auto result =
      run_program({"/usr/bin/env", "python3", examples + "/infer.py", server.url(), "echo", picture, picture});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.output.find("bytes [2, 1] [5000, 5000]\ncrc32 [2, 1] [" + crc + ", " + crc + "]\n") !=
        std::string::npos);
}

TEST_CASE_METHOD(Example, "Examples: C++ sends a picture after its JSON", "[process]") {
  const std::string port = std::to_string(server.endpoint().port);
  const auto result = run_program({"example-infer", "127.0.0.1", port, "echo", picture});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(result.output.find("[" + crc + "]") != std::string::npos);
}

}  // namespace yolod::tests
