// Fault cases 8, 9, 10 and 11: the server stops by Ctrl-C and by SIGTERM, under load, early, and twice.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
TEST_CASE("Stop: Ctrl-C under load answers every request in flight and exits 0", "[process][case8]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 2, .delay = 20ms}});
  options.own_process_group = true;
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 16});
  REQUIRE(load.wait_for_answers(50));

  const auto interrupted_at = Clock::now();
  ::kill(-server.pid(), SIGINT);

  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
  const auto counts = load.wait_until_refused();
  CHECK(counts.wrong == 0);
  CHECK(counts.hung == 0);
  CHECK(counts.incidents_before(interrupted_at) == kNoneWrong);
  // Each worker has its own process group, so the terminal's Ctrl-C does not reach it.
  CHECK(server.log_lines_with("died").empty());
  CHECK(server.log_lines_with("interrupted").empty());
}

TEST_CASE("Stop: SIGTERM answers the requests in flight, refuses new connections and exits 0", "[process][case9]") {
  Server server(identity_config({{.workers = 2, .delay = 500ms, .keys = {"batch: {max_size: 1}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  InFlight requests(server.endpoint(), 8);
  REQUIRE(server.wait_for_worker_in("busy") != 0);

  server.send_signal(SIGTERM);

  // The server refuses connections while it still works: eight requests of half a second on two workers take two
  // seconds.
  CHECK(wait_until([&] { return !HttpClient(server.endpoint()).connect(); }));
  CHECK(server.running());
  for (const auto& exchange : requests.finish()) {
    CAPTURE(exchange.answer);
    CHECK(is_identity_answer(exchange.answer, exchange.body));
    CHECK(exchange.answered_once);
    CHECK(exchange.answer.header("Connection") == "close");
  }
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("Stop: a request whose connection was made before SIGTERM is served", "[process][case9]") {
  // The front-end may not have seen the connection when the signal comes.
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);

  InFlight requests(server.endpoint(), 32);
  server.send_signal(SIGTERM);

  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

// YOLOD_TEST_STOP_ROUNDS sets the number of rounds.
TEST_CASE("Stop: SIGTERM under load at any moment answers every connection made before it", "[process][case9][waits]") {
  const char* const asked = std::getenv("YOLOD_TEST_STOP_ROUNDS");
  const int rounds = asked != nullptr ? std::atoi(asked) : 10;
  std::mt19937 random(9);
  std::uint64_t answered = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Server server(identity_config({{.workers = 2, .delay = 5ms}}));
    REQUIRE(server.wait_until_ready());
    const auto before = baseline(server);
    Load reused(server.endpoint(), {.connection_count = 8});
    Load fresh(server.endpoint(), {.connection_count = 8, .keep_alive = false});
    REQUIRE(reused.wait_for_answers(random() % 30));
    REQUIRE(fresh.wait_for_answers(random() % 30));

    const auto told_at = Clock::now();
    server.send_signal(SIGTERM);

    CHECK(server.wait_for_exit() == exited(0));
    check_after_exit(server, before);
    for (Load* load : {&reused, &fresh}) {
      const auto counts = load->wait_until_refused();
      answered += counts.answered;
      CHECK(counts.wrong == 0);
      CHECK(counts.hung == 0);
      CHECK(counts.incidents_before(told_at) == kNoneWrong);
    }
  }
  std::cout << rounds << " stops under load, " << answered << " requests answered\n";
}

TEST_CASE("Stop: SIGTERM while the models load exits 0 within the deadline", "[process][case10]") {
  auto model =
      GENERATE(IdentityModel{.workers = 2, .load_delay = 600'000ms}, IdentityModel{.workers = 2, .load_fault = "hang"});
  // Either one loader or both workers load.
  const auto [preload, loading] =
      GENERATE(table<std::string, std::size_t>({{"preload: auto", 1}, {"preload: false", 2}}));
  CAPTURE(model.load_fault, preload);
  model.keys = {preload};
  Server server(identity_config({model}, {"shutdown_timeout: 2s"}));
  REQUIRE(server.wait_until_listening());
  REQUIRE(wait_until([&, loading = loading] { return children_of(server.pid()).size() == loading; }));
  const auto before = baseline(server);

  const auto told_at = Clock::now();
  server.send_signal(SIGTERM);

  CHECK(server.wait_for_exit() == exited(0));
  // The stop may take the deadline, and a little for the SIGTERM and SIGKILL that follow it.
  CHECK(Clock::now() - told_at < 2s + scaled(3s));
  check_after_exit(server, before);
}

TEST_CASE("Stop: SIGTERM right after the start exits 0", "[process][case10]") {
  Server server(identity_config({{.workers = 2, .load_delay = 200ms}}));
  REQUIRE(server.wait_until_listening());
  const auto before = baseline(server);

  server.send_signal(SIGTERM);

  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("Stop: SIGTERM while a dead worker waits out its backoff exits 0", "[process][case10]") {
  Server server(identity_config({{.workers = 1, .load_fault = "exit"}}));
  REQUIRE(server.wait_until_listening());
  // No worker is left to wait for, and the next starts half a second after the second death.
  REQUIRE(wait_until([&] { return server.log_lines_with("(echo) exited").size() >= 2; }));
  const auto before = baseline(server);

  server.send_signal(SIGTERM);

  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("Stop: a second SIGTERM does not wait for running requests, and the server still answers and reaps",
          "[process][case11]") {
  Server server(
      identity_config({{.workers = 2, .delay = 600'000ms, .keys = {"hang_timeout: 20m", "request_timeout: 20m"}}},
                      {"shutdown_timeout: 10m"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  InFlight requests(server.endpoint(), 4);
  REQUIRE(server.wait_for_worker_in("busy") != 0);

  server.send_signal(SIGTERM);
  REQUIRE(wait_until([&] { return !HttpClient(server.endpoint()).connect(); }));
  CHECK(server.running());
  const auto told_at = Clock::now();
  server.send_signal(SIGTERM);

  CHECK(server.wait_for_exit() == exited(0));
  CHECK(Clock::now() - told_at < scaled(5s));
  for (const auto& exchange : requests.finish()) {
    CAPTURE(exchange.answer);
    CHECK(exchange.answer.status == 503);
    CHECK(exchange.answer.error_code() == "shutting_down");
  }
  check_after_exit(server, before);
}

}  // namespace yolod::tests
