// Fault case 28: a corrupted worker fills its lane with random bytes.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("ScribbledLane: the front-end drops the lane, replaces the worker and answers its clients",
          "[process][case28]") {
  Server server(identity_config({{.workers = 3, .delay = 5ms, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto deaths_told = [&server] {
    return server.log_lines_with(") died").size() + server.log_lines_with(") exited").size();
  };
  Load neighbours(server.endpoint(), {.connection_count = 6, .body_bytes_max = 20'000});
  REQUIRE(neighbours.wait_for_answers(50));

  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    // Each round has another body, because the server would refuse the same body as quarantined.
    HttpClient client(server.endpoint());
    const auto answer = client.post("/predict", "FAULT:scribble " + std::to_string(round));
    CAPTURE(round, answer);
    CHECK(answer.status == 500);
    CHECK(answer.error_code() == "worker_crashed");
    CHECK(neighbours.wait_for_answers(50));
  }
  REQUIRE(server.running());
  CHECK(deaths_told() >= kRounds);
  CHECK(deaths_told() <= 2 * kRounds);

  const auto counts = neighbours.stop();
  CHECK(counts.wrong == 0);
  CHECK(counts.lost == 0);
  CHECK(counts.hung == 0);
  CHECK(counts.resent == 0);
  CHECK(counts.right == counts.answered);
  std::vector<std::string> incidents;
  for (const auto& incident : counts.incidents) incidents.push_back(describe(incident));
  CHECK(incidents == std::vector<std::string>{});
  check_after_case(server, before);
}

}  // namespace yolod::tests
