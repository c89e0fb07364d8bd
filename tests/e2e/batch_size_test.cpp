// With batch.max_size: auto, the default, the server serves the batch size that was fastest in the warm-up.
#include <catch2/catch.hpp>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::string demo_model(const std::string& keys) {
  return "  - name: lights\n    workers: 2\n    " + keys + "\n    darknet: {cfg: " + demo_file("demo.cfg") +
         ", weights: " + demo_file("demo.weights") + ", names: " + demo_file("demo.names") + "}\n";
}

std::int64_t shown_size(const Server& server) {
  return server.status().at("models").at(0).at("batch").at("max_size").to_number<std::int64_t>();
}

// Returns N of the last log line with "batches of up to N", or 0 without such a line.
std::int64_t told_size(const Server& server) {
  constexpr std::string_view kWords = "batches of up to ";
  const auto lines = server.log_lines_with(kWords);
  if (lines.empty()) return 0;
  const std::string_view number = std::string_view(lines.back()).substr(lines.back().find(kWords) + kWords.size());
  std::int64_t size = 0;
  std::from_chars(number.data(), number.data() + number.size(), size);
  return size;
}

// The project ships the demo network, so these tests need no data, only a build that runs networks.
bool runs_networks() {
  const auto reason = reason_to_skip_networks();
  if (!reason.empty()) WARN("SKIPPED: " << reason);
  return reason.empty();
}

}  // namespace

TEST_CASE("BatchSize: by default the size comes from the warm-up, with and without a loader", "[e2e][torch]") {
  if (!runs_networks()) return;
  const std::string keys = GENERATE("threads: 1", "threads: 2", "preload: false");
  CAPTURE(keys);
  Server server(server_config(demo_model(keys)));
  REQUIRE(server.wait_until_ready());
  const auto size = shown_size(server);
  CHECK(size >= 1);
  CHECK(size <= 8);
  // Without a loader each worker measures for itself, and the second may find another size.
  CHECK(!server.log_lines_with("batches of up to " + std::to_string(size) + " input").empty());
  HttpClient client(server.endpoint());
  CHECK(client.post("/predict", read_file(demo_file("demo.jpg"))).status == 200);
}

TEST_CASE("BatchSize: a configured size is served without a measurement", "[e2e][torch]") {
  if (!runs_networks()) return;
  Server server(server_config(demo_model("batch: {max_size: 3}")));
  REQUIRE(server.wait_until_ready());
  CHECK(shown_size(server) == 3);
  CHECK(told_size(server) == 0);
}

TEST_CASE("BatchSize: a reload changes from a size to auto, and back", "[e2e][torch]") {
  if (!runs_networks()) return;
  Server server(server_config(demo_model("batch: {max_size: 3}")));
  REQUIRE(server.wait_until_ready());
  server.rewrite_config(server_config(demo_model("batch: {max_size: auto}")));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return told_size(server) != 0 && shown_size(server) == told_size(server); }));
  server.rewrite_config(server_config(demo_model("batch: {max_size: 5}")));
  server.send_signal(SIGHUP);
  CHECK(wait_until([&] { return shown_size(server) == 5; }));
}

TEST_CASE("BatchSize: a model that computes each input separately has the limit of auto", "[e2e]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  CHECK(shown_size(server) == 8);
}

}  // namespace yolod::tests
