// These tests run yolodctl watch against a running server.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {
namespace watch_cases {

using Catch::Matchers::Contains;

struct ServerAndFolder {
  Server server{identity_config({{.workers = 2}})};
  TemporaryDirectory folder;
  ServerAndFolder() {
    folder.write("b.jpg", "second");
    folder.write("a.png", "first");
    folder.write("notes.txt", "no picture");
    REQUIRE(server.wait_until_ready());
  }
};

TEST_CASE_METHOD(ServerAndFolder, "Watch: each picture of a folder has a line, in the order of the names", "[e2e]") {
  const auto result = run_program({"yolodctl", "watch", folder.path().string(), "--url", server.url()});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK(std::count(result.output.begin(), result.output.end(), '\n') == 2);
  CHECK_THAT(result.output, Catch::StartsWith("a.png: answered (") && Contains("\nb.jpg: answered ("));
}

TEST_CASE_METHOD(ServerAndFolder, "Watch: the answers are written as the server sends them", "[e2e]") {
  const auto out = (folder.path() / "out").string();
  const auto result =
      run_program({"yolodctl", "watch", folder.path().string(), "--url", server.url(), "--json", "--out", out});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  std::ifstream file(std::filesystem::path(out) / "b.jpg.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK_THAT(result.output, Contains(text));
  CHECK(boost::json::parse(text).at("bytes") == 6);
}

TEST_CASE_METHOD(ServerAndFolder, "Watch: an error is one line", "[e2e]") {
  const auto told = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"yolodctl", "watch"});
    arguments.insert(arguments.end(), {"--url", server.url()});
    const auto result = run_program(arguments);
    CHECK(result.exit == exited(1));
    CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
    return result.errors;
  };
  CHECK_THAT(told({folder.path().string(), "--model", "other"}), Contains("unknown_model"));
  const auto empty = folder.path() / "empty";
  std::filesystem::create_directory(empty);
  CHECK_THAT(told({empty.string()}), Contains("has no picture"));
}

TEST_CASE("Watch: the pictures of a video are sent, with their numbers as names", "[e2e]") {
  if (!std::filesystem::exists(binary_directory() / "yolodctl-frames")) {
    WARN("SKIPPED: yolodctl-frames is not built");
    return;
  }
  const auto data = test_data();
  if (!data) {
    WARN("SKIPPED: there is no test data");
    return;
  }
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  // OpenCV reads numbered pictures as a video.
  TemporaryDirectory folder;
  for (const char* const name : {"0.jpg", "1.jpg", "2.jpg"}) {
    std::filesystem::copy_file(*data / "photos" / "dog.jpg", folder.path() / name);
  }
  const auto result =
      run_program({"yolodctl", "watch", (folder.path() / "%d.jpg").string(), "--url", server.url(), "--rate", "50"});
  CAPTURE(result.output, result.errors);
  CHECK(result.exit == exited(0));
  CHECK_THAT(result.output, Catch::StartsWith("1: answered (") && Contains("\n2: answered (") && Contains("\n3: "));
}

}  // namespace watch_cases
}  // namespace
}  // namespace yolod::tests
