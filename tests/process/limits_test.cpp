// Fault cases 24 and 30: more of everything than the server has room for.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::uint64_t resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

}  // namespace

TEST_CASE("Limits: what does not fit in the queue is refused at once, and the rest is served", "[process][case24]") {
  Server server(
      identity_config({{.workers = 1, .delay = 300ms, .keys = {"queue: {max_size: 4}", "batch: {max_size: 1}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    InFlight accepted(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    InFlight queued(server.endpoint(), 4);
    REQUIRE(wait_until([&] { return server.status().at("models").at(0).at("queue").at("depth").as_int64() == 4; }));
    const auto asked_at = Clock::now();
    const auto refused = HttpClient(server.endpoint()).post("/predict", "one too many");
    CHECK(refused.status == 503);
    CHECK(refused.error_code() == "queue_full");
    CHECK(refused.has_header("Retry-After"));
    CHECK(Clock::now() - asked_at < scaled(250ms));
    CHECK(accepted.finish_and_list_wrong() == kNoneWrong);
    CHECK(queued.finish_and_list_wrong() == kNoneWrong);
  }
  check_after_case(server, before);
}

TEST_CASE("Limits: a thousand idle connections cost little, and others are served", "[process][case24]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto memory_before = resident_kib(server.pid());
  {
    std::vector<std::unique_ptr<HttpClient>> idle;
    for (int i = 0; i < 1000; ++i) {
      idle.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(idle.back()->connect());
    }
    const auto body = random_body(100'000, 5);
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    CHECK(resident_kib(server.pid()) < memory_before + 32'000);
    CHECK(idle.back()->get("/healthz").status == 200);
  }
  check_after_case(server, before);
}

TEST_CASE("Limits: without descriptors for more connections none is lost, and the loop rests", "[process][case30]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 1, .delay = 5ms}});
  options.limits = {{RLIMIT_NOFILE, 100}};
  Server server(options);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  CHECK(server.log_lines_with("RLIMIT_NOFILE").size() == 1);
  {
    // Four times as many as there is room for: who does not fit waits in the kernel until others have gone.
    Load load(server.endpoint(), {.connection_count = 8, .body_bytes_min = 1, .body_bytes_max = 1'000});
    std::vector<std::unique_ptr<HttpClient>> idle;
    for (int i = 0; i < 120; ++i) {
      idle.push_back(std::make_unique<HttpClient>(server.endpoint()));
      REQUIRE(idle.back()->connect());
    }
    const auto cpu = [&server] {
      std::ifstream stat("/proc/" + std::to_string(server.pid()) + "/stat");
      std::string line;
      std::getline(stat, line);
      std::istringstream fields(line.substr(line.rfind(')') + 2));
      std::string skipped;
      for (int i = 0; i < 11; ++i) fields >> skipped;
      double user = 0;
      double system = 0;
      fields >> user >> system;
      return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    };
    const auto cpu_before = cpu();
    std::this_thread::sleep_for(1s);
    CHECK(cpu() - cpu_before < 0.9 * slowness());
    idle.clear();
    REQUIRE(load.wait_for_answers(50));
    const auto counts = load.stop();
    CHECK(counts.right == counts.answered);
    for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
  }
  check_after_case(server, before);
}

}  // namespace yolod::tests
