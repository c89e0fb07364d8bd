// Fault cases 12 and 13: workers are stuck, stopped or looping, both at work and when the server stops.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("Hang: a stop does not wait for a worker that is stuck longer than shutdown_timeout", "[process][case12]") {
  const bool stopped = GENERATE(true, false);
  CAPTURE(stopped);
  Server server(identity_config({{.workers = 1, .delay = 50ms, .faults = true, .keys = {"hang_timeout: 10m"}}},
                                {"shutdown_timeout: 1s"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  REQUIRE(client.write(serialise({"POST", "/predict", {}, "FAULT:hang"})));
  const auto worker = server.wait_for_worker_in("busy");
  REQUIRE(worker != 0);
  if (stopped) ::kill(worker, SIGSTOP);

  const auto asked_at = Clock::now();
  server.send_signal(SIGTERM);
  const auto answer = client.read_answer();
  CAPTURE(answer);
  CHECK((answer.status == 503 || answer.status == 504));
  CHECK(Clock::now() - asked_at >= 1s);  // the worker had all of shutdown_timeout
  CHECK(server.wait_for_exit() == exited(0));
  // The stop may take the deadline, the time that workers get to exit and to obey SIGTERM, and no more.
  CHECK(Clock::now() - asked_at < scaled(8s));
  check_after_exit(server, before);
}

TEST_CASE("Hang: a busy worker that is stopped is killed after hang_timeout, and its requests are replayed",
          "[process][case13][waits]") {
  // The worker is stopped while it works, and held for longer than any work takes.
  const auto hang_timeout = scaled(4'000ms);
  Server server(identity_config({{.workers = 2,
                                  .delay = scaled(1'000ms),
                                  .keys = {"hang_timeout: " + std::to_string(hang_timeout.count()) + "ms"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto asked_at = Clock::now();
  InFlight requests(server.endpoint(), 6);
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, SIGSTOP);
  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  CHECK(Clock::now() - asked_at >= hang_timeout);
  const auto told = server.log_lines_with("no progress within hang_timeout");
  REQUIRE(told.size() == 1);
  CHECK_THAT(told.front(), Catch::Contains("worker " + std::to_string(victim) + " "));
  check_after_case(server, before, {victim});
}

TEST_CASE("Hang: the place of an abandoned request stays reserved until its worker is gone", "[process][case13]") {
  // Two bodies fill the arena. A third must wait until the stopped worker is reaped, although the clients of the
  // first two got their answers long before and another worker is idle.
  ServerOptions options;
  options.config = identity_config(
      {{.workers = 3, .faults = true, .keys = {"request_timeout: 2s", "hang_timeout: 6s", "batch: {max_size: 1}"}}},
      {"max_body_bytes: 7MiB"});
  options.arguments = {"--set", "memory.input_arena=16MiB"};
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto used = [&server] { return server.metric("yolod_arena_bytes", {{"kind", "used"}}); };
  const auto used_before = used();  // the allocator's own bytes
  constexpr std::size_t kBytes = 7'000'000;
  std::vector<pid_t> victims;
  {
    std::vector<HttpClient> given_up;
    for (const std::uint64_t seed : {1, 2}) {
      given_up.emplace_back(server.endpoint());
      REQUIRE(given_up.back().connect());
      REQUIRE(
          given_up.back().write(serialise({"POST", "/predict", {}, "FAULT:hang" + random_body(kBytes - 10, seed)})));
    }
    REQUIRE(wait_until([&] {
      victims.clear();
      for (const auto& worker : server.workers()) {
        if (worker.state == "busy") victims.push_back(worker.pid);
      }
      return victims.size() == 2;
    }));
    for (const pid_t victim : victims) ::kill(victim, SIGSTOP);
    for (auto& client : given_up) CHECK(client.read_answer().status == 504);
  }
  const auto both_live = [&] { return is_alive(victims[0]) && is_alive(victims[1]); };
  CHECK(used() >= 2 * kBytes);
  const auto body = random_body(kBytes, 3);
  bool answered_while_both_lived = true;
  Answer answer;
  std::jthread third([&] {
    answer = HttpClient(server.endpoint()).post("/predict", body);
    answered_while_both_lived = both_live();
  });
  // A small body is served, so the third request waits only for room.
  const auto small = random_body(1'000, 4);
  CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", small), small));
  CHECK(both_live());
  third.join();
  CAPTURE(answer);
  CHECK(is_identity_answer(answer, body));
  CHECK_FALSE(answered_while_both_lived);
  CHECK(wait_until([&] { return used() == used_before; }));
  check_after_case(server, before, victims);
}

}  // namespace yolod::tests
