// What the front-end's event loop owes to the machine and to its workers, beside the fault cases: it rests when there
// is nothing to do, and it can start a worker however many clients it has.
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::chrono::nanoseconds cpu_time(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  REQUIRE(clock_getcpuclockid(pid, &clock) == 0);
  REQUIRE(clock_gettime(clock, &used) == 0);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

TEST_CASE("EventLoop: a front-end whose workers have answered rests until there is more to do", "[process]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const auto body = random_body(1000, seed);
    REQUIRE(is_identity_answer(client.post("/predict", body), body));
  }
  // The second is what is measured, not waited for. A doorbell that is never silenced takes all of it.
  const auto before = cpu_time(server.pid());
  std::this_thread::sleep_for(1s);
  CHECK(cpu_time(server.pid()) - before < scaled(200ms));
}

TEST_CASE("EventLoop: a worker that rings its doorbell without end costs next to nothing, and is replaced",
          "[process]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  HttpClient mad(server.endpoint());
  REQUIRE(mad.connect());
  const auto used_before = cpu_time(server.pid());
  REQUIRE(mad.write(serialise({"POST", "/predict", {}, "FAULT:ring"})));
  // The two seconds are what is measured, not waited for: less than 5 % of them.
  std::this_thread::sleep_for(2s);
  CHECK(cpu_time(server.pid()) - used_before < scaled(100ms));
  CHECK(mad.read_answer().error_code() == "worker_crashed");
  CHECK(server.log_lines_with("it rings its doorbell without end").size() == 2);
  mad.close();
  const auto body = random_body(1000, 1);
  CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

TEST_CASE("EventLoop: a worker is replaced also while there are more connections than its own limit of descriptors",
          "[process]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 2}});
  options.before_exec = [] {
    const rlimit limit{256, 2048};
    setrlimit(RLIMIT_NOFILE, &limit);
  };
  Server server(options);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto victim = server.worker_pids().at(0);
  {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (std::uint32_t i = 0; i < 300; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(clients.back()->get("/healthz").status == 200);
    }
    ::kill(victim, SIGKILL);
    CHECK(server.wait_until_replaced({victim}));
  }
  check_after_case(server, before, {victim});
}

}  // namespace yolod::tests
