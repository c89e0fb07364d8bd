// Every request gets its own correct answer while workers are killed at random. YOLOD_TEST_KILL_SECONDS sets the
// duration, 10 by default.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::chrono::seconds kill_duration() {
  const char* text = std::getenv("YOLOD_TEST_KILL_SECONDS");
  constexpr int kDefault = 10;
  return std::chrono::seconds{text != nullptr ? std::atoi(text) : kDefault};
}

// Kills a random worker every second and returns the pids.
std::vector<pid_t> kill_workers_for(const Server& server, std::chrono::seconds duration) {
  std::vector<pid_t> killed;
  std::mt19937 random(20240229);
  const auto begin = Clock::now();
  for (auto next = begin + 1s; next <= begin + duration; next += 1s) {
    std::this_thread::sleep_until(next);
    auto workers = server.workers();
    std::erase_if(workers, [](const WorkerStatus& worker) { return !worker.serves(); });
    if (workers.empty()) continue;
    const pid_t victim = workers[random() % workers.size()].pid;
    ::kill(victim, SIGKILL);
    killed.push_back(victim);
  }
  return killed;
}

// Kills random workers, each once, as fast as they come back (the front-end starts twenty a second), but never the
// last worker that serves. Returns the pids.
std::vector<pid_t> kill_workers(Server& server, std::size_t rounds) {
  std::vector<pid_t> killed;
  std::mt19937 random(7);
  while (killed.size() < rounds) {
    std::vector<pid_t> alive;
    const bool any = wait_until([&] {
      alive = server.worker_pids();
      std::erase_if(alive, [&](pid_t pid) { return std::find(killed.begin(), killed.end(), pid) != killed.end(); });
      return alive.size() > 1 || !server.running();
    });
    if (!any || alive.empty()) break;
    killed.push_back(alive[random() % alive.size()]);
    ::kill(killed.back(), SIGKILL);
  }
  return killed;
}

// docs/api.md allows these two errors while workers die faster than they are replaced.
bool is_documented(const Answer& answer) {
  if (answer.status == 503) return answer.has_header("Retry-After");
  return answer.status == 500 && answer.error_code() == "worker_crashed";  // the request was replayed too often
}

void check_counts(const LoadCounts& counts, std::size_t killed_count) {
  std::vector<std::string> incidents;
  for (const auto& incident : counts.incidents) incidents.push_back(describe(incident));
  CHECK(incidents == std::vector<std::string>{});
  CHECK(counts.right == counts.answered);
  CHECK(counts.wrong == 0);
  CHECK(counts.lost == 0);
  CHECK(counts.hung == 0);
  CHECK(counts.resent == 0);
  CHECK(killed_count > 0);
  std::cout << counts.right << " requests answered rightly while " << killed_count << " workers were killed\n";
}

}  // namespace

TEST_CASE("KillsUnderLoad: every answer is 200 and belongs to its request", "[process][soak]") {
  Server server(identity_config({{.workers = 4, .delay = 20ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 16});
  REQUIRE(load.wait_for_answers(50));

  const auto killed = kill_workers_for(server, kill_duration());

  check_counts(load.stop(), killed.size());
  check_after_case(server, before, killed);
}

// YOLOD_TEST_KILL_ROUNDS sets the number of kills. The fault case asks for a thousand.
TEST_CASE("KillsUnderLoad: after hundreds of kills, as fast as workers come back, no request hangs",
          "[process][soak][case25]") {
  const char* const asked = std::getenv("YOLOD_TEST_KILL_ROUNDS");
  const std::size_t rounds = asked != nullptr ? std::strtoul(asked, nullptr, 10) : 150;
  Server server(identity_config({{.workers = 4, .delay = 5ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 12, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(20));

  const auto killed = kill_workers(server, rounds);

  CHECK(killed.size() == rounds);
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.wrong + counts.lost + counts.hung + counts.resent == 0);
  CHECK(counts.right > rounds);
  for (const auto& incident : counts.incidents) {
    INFO(describe(incident));
    CHECK(is_documented(incident.answer));
  }
  check_after_case(server, before, killed);
  std::cout << counts.right << " requests answered rightly while " << killed.size() << " workers were killed\n";
}

TEST_CASE("KillsUnderLoad: every answer of a real network is the same", "[process][soak][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto network = *test_data() / "synthetic" / "yolov4-tiny";
  const auto gain = read_json(network / "model.json").at("gain").to_number<double>();
  const TemporaryDirectory folder;
  const auto weights = folder.path() / "net.weights";
  const auto made = run_program({"/usr/bin/env", "OBJ_BIAS=-7", "GAIN=" + std::to_string(gain), "/usr/bin/python3",
                                 (network.parent_path() / "gen_weights.py").string(), (network / "net.cfg").string(),
                                 weights.string()});
  INFO(made.errors);
  REQUIRE(made.exit == exited(0));
  std::string names;
  constexpr int kClasses = 80;
  for (int i = 0; i < kClasses; ++i) names += "class-" + std::to_string(i) + "\n";
  const auto names_file = folder.write("net.names", names);
  // Each worker takes one request at a time: a CPU gains nothing from a batch, and a worker that warms up eight batch
  // sizes takes longer to come back than this test lets it live.
  Server server(server_config(
      "  - name: tiny\n    workers: 2\n    threads: 1\n    precision: fp32\n    batch: {max_size: 1}\n    darknet: "
      "{cfg: " +
      (network / "net.cfg").string() + ", weights: " + weights.string() + ", names: " + names_file.string() + "}\n"));
  REQUIRE(server.wait_until_ready());

  const auto photo = read_file(*test_data() / "photos" / "dog.jpg");
  HttpClient client(server.endpoint());
  const auto first = client.post("/predict", photo);
  client.close();
  REQUIRE(first.status == 200);
  const auto expected = first.json().at("predictions");
  CHECK(!expected.as_array().empty());
  const auto before = baseline(server);
  Load load(server.endpoint(),
            {.connection_count = 4, .body = photo, .is_right = [&expected](const Answer& answer, const std::string&) {
               return answer.json().at("predictions") == expected;
             }});
  REQUIRE(load.wait_for_answers(4));

  const auto killed = kill_workers_for(server, kill_duration());

  check_counts(load.stop(), killed.size());
  CHECK(server.wait_until_replaced(killed));
  CHECK(HttpClient(server.endpoint()).post("/predict", photo).json().at("predictions") == expected);
  CHECK(baseline(server).descriptors <= before.descriptors);
  for (const pid_t pid : killed) CHECK(server.death_lines(pid).size() == 1);
}

}  // namespace yolod::tests
