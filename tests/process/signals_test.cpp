// Signals that were not meant for yolod end neither the server nor a worker, and cost no request its answer.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/load.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::vector<pid_t> pids_of(const Server& server) {
  std::vector<pid_t> pids;
  for (const auto& process : descendants_of(server.pid())) pids.push_back(process.pid);
  return pids;
}

}  // namespace

TEST_CASE("Signals: job control and signals without a meaning end or stop no process of a busy server", "[process]") {
  Server server(identity_config({{.workers = 2, .delay = 5ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto processes = pids_of(server);
  Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(10));
  const std::vector<int> meaningless{SIGUSR2,   SIGALRM, SIGVTALRM, SIGPROF,  SIGIO,
                                     SIGSTKFLT, SIGPWR,  SIGTSTP,   SIGRTMIN, SIGRTMAX};
  for (const int signal : meaningless) {
    CAPTURE(signal);
    for (const pid_t pid : processes) ::kill(pid, signal);
    server.send_signal(signal);
    server.send_signal(signal);
    CHECK(load.wait_for_answers(10));
  }
  // Only the front-end acts on these signals.
  for (const int signal : {SIGHUP, SIGUSR1, SIGTTIN, SIGTTOU}) {
    CAPTURE(signal);
    for (const pid_t pid : processes) ::kill(pid, signal);
    CHECK(load.wait_for_answers(10));
  }
  const auto counts = load.stop();
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
  CHECK(counts.right == counts.answered);
  CHECK(pids_of(server) == processes);
  // The log has one line for each kind of signal.
  CHECK(wait_until([&] { return server.log_lines_with("means nothing to yolod").size() == meaningless.size(); }));
  check_after_case(server, before);
}

TEST_CASE("Signals: a picture is not blamed when somebody stopped the worker that had it", "[process]") {
  const auto hang_timeout = scaled(1'000ms);
  Server server(identity_config({{.workers = 1,
                                  .delay = scaled(300ms),
                                  .keys = {"hang_timeout: " + std::to_string(hang_timeout.count()) + "ms"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto body = random_body(1000, 1);
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  REQUIRE(client.write(serialise({"POST", "/predict", {}, body})));
  // Blaming the picture twice would quarantine it.
  for (int i = 0; i < 2; ++i) {
    const auto victim = server.wait_for_worker_in("busy");
    REQUIRE(victim != 0);
    ::kill(victim, SIGSTOP);
    REQUIRE(server.wait_until_replaced({victim}));
  }
  CHECK(is_identity_answer(client.read_answer(), body));
  CHECK(server.metric("yolod_quarantined_total") == 0);
  client.close();
  check_after_case(server, before);
}

TEST_CASE("Signals: a log that has reached RLIMIT_FSIZE costs lines, which are counted, and nothing else",
          "[process]") {
  TemporaryDirectory folder;
  const auto log = folder.path() / "yolod.log";
  const Endpoint endpoint{0, (folder.path() / "http.sock").string()};
  ServerOptions options;
  options.config =
      identity_config({{.workers = 2, .keys = {"preload: false"}}}, {"listen: [\"unix:" + endpoint.unix_path + "\"]"}) +
      "logging: {level: debug, file: " + log.string() + "}\n";
  // The limit allows the largest region of shared memory. The test makes the log as long.
  constexpr rlim_t kLimit = 160U << 20U;
  options.limits = {{RLIMIT_FSIZE, kLimit}};
  Server server(std::move(options));
  const auto ready = [&] { return HttpClient(endpoint).get("/readyz").status == 200; };
  const auto workers = [&] { return pids_of(server); };
  REQUIRE(wait_until([&] { return ready() && workers().size() == 2; }));
  const auto kill_one = [&] {
    const auto before = workers();
    ::kill(before.front(), SIGKILL);
    CHECK(wait_until([&] { return workers().size() == 2 && workers() != before && ready(); }));
  };
  REQUIRE(truncate(log.c_str(), static_cast<off_t>(kLimit)) == 0);
  kill_one();  // each death writes a line
  const auto body = random_body(1000, 1);
  CHECK(is_identity_answer(HttpClient(endpoint).post("/predict", body), body));
  // Once there is room again, the log tells how many lines are missing.
  REQUIRE(truncate(log.c_str(), 0) == 0);
  kill_one();
  CHECK(wait_until([&] { return read_file(log).find("log lines were dropped here") != std::string::npos; }));
  CHECK(server.running());
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

}  // namespace yolod::tests
