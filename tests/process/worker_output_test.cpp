// These tests check the output of a worker to its stdout and stderr.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("WorkerOutput: the log marks the output of a worker, which cannot pass for a line of the front-end",
          "[process]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  Server server(identity_config({{.workers = 1, .faults = true, .keys = {preload}}}));
  REQUIRE(server.wait_until_ready());
  const std::string forged = "2026-01-02T03:04:05.678Z error yolod[" + std::to_string(server.pid()) + "] forged";
  HttpClient client(server.endpoint());
  REQUIRE(client.post("/predict", "FAULT:print\n" + forged + "\n\x1b[2J\rred\n").status == 200);

  REQUIRE(wait_until([&] { return !server.log_lines_with("red").empty(); }));
  const auto lines = server.log_lines_with("forged");
  REQUIRE(lines.size() == 1);
  CHECK_FALSE(lines.front().starts_with(forged.substr(0, 24)));
  CHECK(lines.front().ends_with("printed by a worker: " + forged));
  CHECK(server.log().find('\x1b') == std::string::npos);
  CHECK(server.log_lines_with("\\x1b[2J\\rred").size() == 1);
}

TEST_CASE("WorkerOutput: a worker's last lines come before the line about its death", "[process]") {
  Server server(identity_config({{.workers = 1, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto worker = server.worker_pids().at(0);
  HttpClient(server.endpoint()).post("/predict", "FAULT:device");
  REQUIRE(wait_until([&] { return !server.death_lines(worker).empty(); }));
  const auto log = server.log();
  const auto word = log.find("does not compute any more");
  REQUIRE(word != std::string::npos);
  CHECK(word < log.find(server.death_lines(worker).front()));
}

TEST_CASE("WorkerOutput: a worker that prints without end slows down only itself, not the log or other workers",
          "[process]") {
  Server server(identity_config({{.name = "loud", .workers = 1, .faults = true, .keys = {"hang_timeout: 60s"}},
                                 {.name = "quiet", .workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string line(99, 'x');
  HttpClient loud(server.endpoint());
  REQUIRE(loud.connect());
  REQUIRE(loud.write(serialise({"POST", "/predict?model=loud", {}, "FAULT:flood" + line + "\n"})));  // 10 MB
  const auto asked_at = Clock::now();
  for (int i = 0; i < 50; ++i) {
    const auto body = random_body(1'000, static_cast<std::uint64_t>(i));
    REQUIRE(is_identity_answer(HttpClient(server.endpoint()).post("/predict?model=quiet", body), body));
  }
  CHECK(Clock::now() - asked_at < scaled(5s));
  CHECK(loud.read_answer().status == 200);
  loud.close();
  CHECK(wait_until([&] { return !server.log_lines_with("lines were dropped").empty(); }));
  CHECK(server.log().size() < 1'000'000);
  check_after_case(server, before);
}

}  // namespace yolod::tests
