// Fault cases 12 and 13: workers that are stuck, stopped or looping, at work and at the server's stop.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>

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
  CHECK(server.wait_for_exit() == exited(0));
  // The deadline, what workers are given to go by themselves and by SIGTERM, and no more.
  CHECK(Clock::now() - asked_at < scaled(8s));
  check_after_exit(server, before);
}

TEST_CASE("Hang: a busy worker that is stopped is killed after hang_timeout, and its requests are replayed",
          "[process][case13]") {
  Server server(identity_config({{.workers = 2, .delay = 200ms, .keys = {"hang_timeout: 1s"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  InFlight requests(server.endpoint(), 6);
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, SIGSTOP);
  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  CHECK_FALSE(server.log_lines_with("no progress within hang_timeout").empty());
  check_after_case(server, before, {victim});
}

TEST_CASE("Hang: the place of a request that was given up is nobody else's before its worker is gone",
          "[process][case13]") {
  // One arena that two bodies fill: the third must wait until the stopped worker is reaped, though its client has long
  // been answered.
  auto config =
      identity_config({{.workers = 1, .delay = 100ms, .keys = {"request_timeout: 500ms", "hang_timeout: 3s"}}},
                      {"max_body_bytes: 8MiB"});
  Server server(config);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto used = [&server] { return server.metric("yolod_arena_bytes", {{"kind", "used"}}); };
  const auto used_before = used();  // what the allocator keeps of itself
  const auto body = random_body(6'000'000, 1);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  REQUIRE(client.write(serialise({"POST", "/predict", {}, body})));
  const auto victim = server.wait_for_worker_in("busy");
  REQUIRE(victim != 0);
  ::kill(victim, SIGSTOP);
  CHECK(client.read_answer().status == 504);
  client.close();
  CHECK(used() >= 6e6);
  CHECK(is_alive(victim));
  CHECK(wait_until([&] { return !is_alive(victim); }));
  CHECK(wait_until([&] { return used() == used_before; }));
  check_after_case(server, before, {victim});
}

}  // namespace yolod::tests
