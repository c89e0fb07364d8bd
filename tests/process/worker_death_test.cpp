// Fault cases 1, 2, 3, 4 and 15: idle and busy workers die, one or all, and no client notices.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
TEST_CASE("WorkerDeath: an idle worker that is killed is replaced and no client notices", "[process][case1]") {
  Server server(identity_config({{.workers = 3, .delay = 1ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto victim = server.worker_pids().at(0);
  {
    HttpClient client(server.endpoint());
    const auto body = random_body(1000, 1);
    CHECK(is_identity_answer(client.post("/predict", body), body));
    // Other clients send requests before the death, while the worker is gone, and when its successor serves.
    Load load(server.endpoint(), {.connection_count = 2, .body_bytes_max = 5'000});
    REQUIRE(load.wait_for_answers(20));

    ::kill(victim, SIGKILL);
    REQUIRE(load.wait_for_answers(20));
    REQUIRE(server.wait_until_replaced({victim}));
    REQUIRE(load.wait_for_answers(20));
    const auto counts = load.stop();
    CHECK(counts.right == counts.answered);
    for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));

    // The front-end owns the client's connection, which has survived.
    for (int i = 0; i < 10; ++i) {
      const auto answer = client.post("/predict", body);
      CHECK(is_identity_answer(answer, body));
      CHECK(answer.reused);
      CHECK(answering_worker(answer) != victim);
    }
  }
  check_after_case(server, before, {victim});
}

TEST_CASE("WorkerDeath: the requests of a busy worker that is killed are replayed and answered once",
          "[process][case2]") {
  Server server(identity_config({{.workers = 2, .delay = 500ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto replays_before = server.metric("yolod_replays_total");

  InFlight requests(server.endpoint(), 8);
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, SIGKILL);

  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  CHECK(server.metric("yolod_replays_total") > replays_before);
  check_after_case(server, before, {victim});
}

TEST_CASE("WorkerDeath: when all workers are killed at once under load, requests wait or get a Retry-After",
          "[process][case3]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  Server server(identity_config({{.workers = 4, .delay = 10ms, .load_delay = 100ms, .keys = {preload}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 16, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(50));
  std::vector<pid_t> dead;
  for (int round = 0; round < 3; ++round) {
    const auto victims = server.worker_pids();
    for (const pid_t victim : victims) ::kill(victim, SIGKILL);
    dead.insert(dead.end(), victims.begin(), victims.end());
    REQUIRE(server.wait_until_replaced(victims));
    REQUIRE(load.wait_for_answers(20));
  }
  const auto counts = load.stop();
  for (const auto& incident : counts.incidents) {
    INFO(describe(incident));
    CHECK(incident.answer.status == 503);
    CHECK(incident.answer.has_header("Retry-After"));
  }
  CHECK(counts.wrong + counts.lost + counts.hung == 0);
  check_after_case(server, before, dead);
}

TEST_CASE("WorkerDeath: the log names the signal of a worker that crashes, and its requests are answered",
          "[process][case4]") {
  const auto [signal, name] = GENERATE(
      table<int, std::string>({{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}}));
  CAPTURE(name);
  Server server(identity_config({{.workers = 2, .delay = 500ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);

  InFlight requests(server.endpoint(), 8);
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, signal);

  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  check_after_case(server, before, {victim});
  REQUIRE(server.death_lines(victim).size() == 1);
  CHECK_THAT(server.death_lines(victim).front(), Catch::Contains(name));
}

TEST_CASE("WorkerDeath: sixteen workers killed at once are all reaped, and sixteen come back", "[process][case15]") {
  Server server(identity_config({{.workers = 16}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto victims = server.worker_pids();
  REQUIRE(victims.size() == 16);

  for (const pid_t victim : victims) ::kill(victim, SIGKILL);

  CHECK(server.wait_until_replaced(victims));
  CHECK(server.worker_pids().size() == 16);
  check_after_case(server, before, victims);
}

}  // namespace yolod::tests
