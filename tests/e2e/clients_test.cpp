// The programs of tests/support/camera_clients ask a server with a real network, with and without API keys, and while
// workers are killed.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/access_server.hpp"
#include "tests/support/camera_clients.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::string network_config(const std::vector<std::string>& server_keys, int workers) {
  const auto folder = *test_data() / "darknet" / "yolo-fastest-1.1";
  const auto model = read_json(folder / "model.json");
  const auto file = [&](const char* key) { return (folder / model.at(key).as_string().c_str()).string(); };
  return server_config("  - name: network\n    workers: " + std::to_string(workers) +
                           "\n    precision: fp32\n    darknet: {cfg: " + file("cfg") +
                           ", weights: " + file("weights") + ", names: " + file("names") + "}\n",
                       server_keys);
}

// Starts a server with a real network, and has a photo and the programs.
struct Cameras {
  explicit Cameras(const std::vector<std::string>& server_keys = {}, int workers = 2)
      : server(network_config(server_keys, workers)) {
    REQUIRE(server.wait_until_ready());
  }

  Server server;
  const std::string photo = read_file(*test_data() / "photos" / "person.jpg");
  const std::vector<CameraClient> programs = camera_clients("network");
};

// Returns the labels that /predict finds with that confidence. Programs of DeepStack show 20 of them at most.
std::vector<std::string> expected_labels(HttpClient& client, const std::string& photo, double confidence,
                                         const std::string& key) {
  auto headers = with_key(key);
  headers.emplace_back("Content-Type", "image/jpeg");
  const auto answer = client.post("/predict?confidence=" + std::to_string(confidence), photo, headers);
  std::vector<std::string> labels;
  const auto value = answer.json();  // the loop needs it to live
  for (const auto& one : value.at("predictions").as_array()) {
    labels.emplace_back(one.at("label").as_string().c_str());
  }
  return labels;
}

}  // namespace

TEST_CASE("Clients: each known program shows the objects of POST predict, with and without an API key",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const bool has_keys = GENERATE(false, true);
  const KeyFile keys{{"cameras", "key-of-the-cameras"}};
  const std::string key = has_keys ? "key-of-the-cameras" : "";
  Cameras cameras(has_keys ? std::vector{keys.server_key()} : std::vector<std::string>(), 1);
  Server& server = cameras.server;
  const auto& photo = cameras.photo;
  for (const auto& program : cameras.programs) {
    CAPTURE(program.name, has_keys);
    HttpClient client(server.endpoint());
    const auto expected = expected_labels(client, photo, program.confidence, key);
    REQUIRE_FALSE(expected.empty());
    REQUIRE(expected.size() <= 20);
    for (int round = 0; round < 3; ++round) CHECK(program.ask(client, photo, key) == expected);
    if (!has_keys) continue;
    for (const std::string wrong : {"", "wrong-key"}) {
      HttpClient stranger(server.endpoint());
      CHECK_FALSE(failure_of(program.ask(stranger, photo, wrong)).empty());
    }
  }
}

TEST_CASE("Clients: no known program fails while workers are killed", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Cameras cameras;
  Server& server = cameras.server;
  const auto& photo = cameras.photo;
  const auto& programs = cameras.programs;
  std::atomic<bool> is_over{false};
  std::vector<std::string> failures(programs.size());
  std::vector<std::atomic<int>> counts(programs.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server.endpoint());
      while (!is_over && failures[i].empty()) {
        const auto begin = Clock::now();
        failures[i] = failure_of(programs[i].ask(client, photo, ""));
        // Ten programs share the processors with the workers here, so Frigate's 0.1 s is a bound of the test below.
        if (Clock::now() - begin > scaled(10s)) failures[i] = "too late";
        ++counts[i];
      }
    });
  }
  std::vector<pid_t> killed;
  const auto all_have = [&](int least) {
    return wait_until(
        [&] { return std::all_of(counts.begin(), counts.end(), [&](const auto& n) { return n >= least; }); });
  };
  for (int round = 0; round < 6 && all_have(2 * round); ++round) {
    const auto pids = server.worker_pids();
    if (pids.empty()) continue;
    killed.push_back(pids[static_cast<std::size_t>(round) % pids.size()]);
    ::kill(killed.back(), SIGKILL);
  }
  CHECK(all_have(12));
  is_over = true;
  for (auto& thread : threads) thread.join();
  CHECK(killed.size() == 6);
  for (std::size_t i = 0; i < programs.size(); ++i) {
    CAPTURE(programs[i].name, counts[i].load());
    CHECK(failures[i].empty());
  }
}

TEST_CASE("Clients: Frigate has its answer within 0.1 s, also while workers are killed", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Cameras cameras;
  Server& server = cameras.server;
  const auto& photo = cameras.photo;
  const auto& programs = cameras.programs;
  const auto frigate =
      std::find_if(programs.begin(), programs.end(), [](const auto& one) { return one.name == "Frigate"; });
  REQUIRE(frigate != programs.end());
  HttpClient client(server.endpoint());
  REQUIRE(failure_of(frigate->ask(client, photo, "")).empty());
  milliseconds longest{0};
  for (int i = 0; i < 40; ++i) {
    const auto pids = server.worker_pids();
    if (i % 10 == 9 && pids.size() == 2) ::kill(pids[static_cast<std::size_t>(i / 10) % 2], SIGKILL);
    const auto begin = Clock::now();
    CHECK(failure_of(frigate->ask(client, photo, "")).empty());
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(Clock::now() - begin));
  }
  CHECK(longest <= promised(frigate->patience));
}

}  // namespace yolod::tests
