// Fault cases 24 and 30: clients send more of everything than the server has room for.
#include <signal.h>
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

#include "common/sanitizers.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/process_tree.hpp"
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

// Returns the processor time that the process has used since its start.
std::chrono::duration<double> processor_time(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  REQUIRE(fields >> user >> system);
  return std::chrono::duration<double>((user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

// Checks that the server uses hardly any processor time during three seconds without work.
void check_rests(const Server& server) {
  constexpr std::chrono::seconds kWatched{3};
  const auto before = processor_time(server.pid());
  std::this_thread::sleep_for(kWatched);
  const auto used = processor_time(server.pid()) - before;
  CAPTURE(used.count());
  CHECK(used < 0.3 * slowness() * kWatched);
}

std::vector<std::unique_ptr<HttpClient>> connected_clients(const Server& server, std::size_t count) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.endpoint()));
    REQUIRE(clients.back()->connect());
  }
  return clients;
}

}  // namespace

TEST_CASE("Limits: a request that does not fit in the queue is refused at once, and the rest are served",
          "[process][case24][waits]") {
  // The delay is long enough to send and refuse all requests while the worker computes the first.
  Server server(identity_config({{.workers = 1,
                                  .delay = scaled(2'000ms),
                                  .keys = {"queue: {max_size: 4}", "batch: {max_size: 4}", "hang_timeout: 1m"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    InFlight accepted(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    InFlight queued(server.endpoint(), 4);
    const auto depth = [&server] { return server.status().at("models").at(0).at("queue").at("depth").as_int64(); };
    REQUIRE(wait_until([&] { return depth() == 4; }));
    const auto refused = HttpClient(server.endpoint()).post("/predict", "one too many");
    CHECK(refused.status == 503);
    CHECK(refused.error_code() == "queue_full");
    CHECK(refused.has_header("Retry-After"));
    CHECK(depth() == 4);  // the refusals came before the first answer
    CHECK(accepted.finish_and_list_wrong() == kNoneWrong);
    CHECK(queued.finish_and_list_wrong() == kNoneWrong);
  }
  check_after_case(server, before);
}

TEST_CASE("Limits: a thousand idle connections cost little, and other clients are served", "[process][case24]") {
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
    // The thread sanitizer keeps several bytes for each byte of a connection.
    constexpr std::size_t kMostKib = common::kThreadSanitizer ? 128'000 : 32'000;
    CHECK(resident_kib(server.pid()) < memory_before + kMostKib);
    CHECK(idle.back()->get("/healthz").status == 200);
  }
  check_after_case(server, before);
}

TEST_CASE("Limits: connections beyond the descriptor limit take the places of idle connections", "[process][case30]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 1}}, {"idle_timeout: 10m"});
  options.limits = {{RLIMIT_NOFILE, 110}};
  Server server(options);
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto said = server.log_lines_with("RLIMIT_NOFILE");
  REQUIRE(said.size() == 1);
  const std::string leaves = "leaves room for ";
  REQUIRE(said.front().find(leaves) != std::string::npos);
  const auto room = std::stoul(said.front().substr(said.front().find(leaves) + leaves.size()));
  const auto victim = server.worker_pids().at(0);
  {
    auto fitting = connected_clients(server, room);
    REQUIRE(wait_until([&] { return descriptor_count(server.pid()) == before.descriptors + room; }));
    InFlight more(server.endpoint(), 5, 1'000);
    // The front-end reserves the descriptors that a new worker needs.
    ::kill(victim, SIGKILL);
    REQUIRE(wait_until([&] { return server.log_lines_with("is ready").size() == 2; }));
    const auto body = random_body(1'000, 30);
    CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));
    check_rests(server);
    CHECK(descriptor_count(server.pid()) <= before.descriptors + room);
    CHECK(more.finish_and_list_wrong() == kNoneWrong);
  }
  check_after_case(server, before, {victim});
  // The server also reserves descriptors for shared memory that clients register.
  server.rewrite_config(options.config + "oip: {shared_memory: [yolod-test-*]}\n");
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return server.log_lines_with("RLIMIT_NOFILE").size() == 2; }));
  CHECK(server.log_lines_with("leaves room for 1 connections").size() == 1);
  CHECK(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
}

TEST_CASE("Limits: with every descriptor taken accepts pause and resume, no connection is lost, and the loop rests",
          "[process][case30]") {
  Server server(identity_config({{.workers = 1}}, {"idle_timeout: 10m"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  rlimit roomy{};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &roomy) == 0);
  {
    constexpr std::size_t kFitting = 20;
    constexpr std::size_t kWaiting = 8;
    auto fitting = connected_clients(server, kFitting);
    REQUIRE(wait_until([&] { return descriptor_count(server.pid()) == before.descriptors + kFitting; }));
    // The limit now drops below the use of the server, which read the limit only at its start.
    const rlimit tight{before.descriptors + kFitting, roomy.rlim_max};
    REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &tight, nullptr) == 0);
    InFlight waiting(server.endpoint(), kWaiting, 1'000);
    REQUIRE(wait_until([&] { return !server.log_lines_with("cannot accept a connection: ").empty(); }));
    const auto body = random_body(1'000, 31);
    CHECK(is_identity_answer(fitting.front()->post("/predict", body), body));
    check_rests(server);
    CHECK(server.log_lines_with("cannot accept a connection: ").size() == 1);
    fitting.clear();
    CHECK(waiting.finish_and_list_wrong() == kNoneWrong);
    REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &roomy, nullptr) == 0);
  }
  check_after_case(server, before);
}

}  // namespace yolod::tests
