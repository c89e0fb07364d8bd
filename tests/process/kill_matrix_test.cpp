// The kill matrix: a process dies at each named step of the protocol, under load. A death of a worker or loader costs
// no client an answer, and a death of the front-end leaves nothing behind. Shipped builds do not contain the steps.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault_point.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

#if defined(YOLOD_FAULT_POINTS)
constexpr bool kCompiledIn = true;
#else
constexpr bool kCompiledIn = false;
#endif

bool is_of(std::string_view point, std::initializer_list<std::string_view> processes) {
  return std::find(processes.begin(), processes.end(), point.substr(0, point.find(':'))) != processes.end();
}

// Only workers that a loader forks reach the first group of steps; only workers that load the model in their own
// process reach the second.
bool only_with_loader(std::string_view point) {
  return is_of(point, {"loader", "forked worker"}) || point == "front-end: asked for a fork";
}
bool only_without_loader(std::string_view point) { return point == "worker: loaded"; }

std::vector<std::string> points_of(std::initializer_list<std::string_view> processes, bool with_loader) {
  std::vector<std::string> names;
  for (const auto name : common::kFaultPointNames) {
    if (with_loader ? only_without_loader(name) : only_with_loader(name)) continue;
    if (is_of(name, processes)) names.emplace_back(name);
  }
  return names;
}

// The action that makes every process reach the steps.
enum class Action { kKillAndReload, kKillAgainAndAgain, kStop, kHang, kRecycle };

Action action_for(std::string_view point) {
  if (point == "front-end: is about to replay")
    return Action::kKillAgainAndAgain;  // an idle worker has nothing to replay
  if (point == "front-end: found that a worker hangs") return Action::kHang;
  if (point == "front-end: started a successor" || point == "front-end: let a recycled worker leave") {
    return Action::kRecycle;
  }
  if (point == "front-end: stopped accepting" || point == "front-end: asked all to stop" ||
      point == "front-end: stopped") {
    return Action::kStop;
  }
  return Action::kKillAndReload;
}

// A server that loses a process at the step `point` once the token file exists.
struct Doomed {
  Doomed(std::string_view point, bool with_loader)
      : token(folder.path() / "token"), server(options(point, with_loader, token)) {}

  static ServerOptions options(std::string_view point, bool with_loader, const std::filesystem::path& token) {
    IdentityModel model{.workers = 2, .delay = 10ms, .keys = {with_loader ? "preload: true" : "preload: false"}};
    if (action_for(point) == Action::kRecycle) model.keys.emplace_back("recycle: {max_requests: 50}");
    if (action_for(point) == Action::kHang) model.keys.emplace_back("hang_timeout: 500ms");
    ServerOptions made;
    made.config = identity_config({model}) + "logging: {level: debug}\n";  // names deaths in a retiring generation
    made.with = {"YOLOD_FAULT_POINT=" + std::string(point), "YOLOD_FAULT_TOKEN=" + token.string()};
    return made;
  }
  void doom() const { (void)folder.write("token", ""); }
  // Returns the process that died at the step. Returns 0 if there is none yet, or if another process killed it before
  // it wrote its pid.
  [[nodiscard]] pid_t victim() const {
    const auto file = folder.path() / "token.victim";
    return std::filesystem::exists(file) ? std::atoi(read_file(file).c_str()) : 0;
  }
  [[nodiscard]] bool happened() const { return !std::filesystem::exists(token); }

  TemporaryDirectory folder;
  std::filesystem::path token;
  Server server;
};

// Returns the worker that it killed, or 0 if it killed none.
pid_t kill_and_reload(const Doomed& doomed) {
  const auto workers = doomed.server.worker_pids();
  if (!workers.empty()) ::kill(workers.front(), SIGKILL);
  doomed.server.send_signal(SIGHUP);
  return workers.empty() ? 0 : workers.front();
}

bool act_on_front_end(const Doomed& doomed, Action action) {
  const Server& server = doomed.server;
  switch (action) {
    case Action::kKillAndReload: (void)kill_and_reload(doomed); break;
    case Action::kRecycle: break;  // the load itself recycles workers
    case Action::kStop: server.send_signal(SIGTERM); break;
    case Action::kHang: ::kill(server.worker_pids().at(0), SIGSTOP); break;
    case Action::kKillAgainAndAgain: {
      const auto end = Clock::now() + scaled(kGenerous);
      while (Clock::now() < end && !wait_until([&] { return doomed.happened(); }, 50ms)) {
        for (const pid_t worker : server.worker_pids()) ::kill(worker, SIGKILL);
      }
    }
  }
  return wait_until([&] { return doomed.happened(); });
}

std::size_t lines_with(const Server& server, const std::string& text, const std::string& also) {
  const auto lines = server.log_lines_with(text);
  return static_cast<std::size_t>(std::count_if(
      lines.begin(), lines.end(), [&also](const std::string& line) { return line.find(also) != std::string::npos; }));
}

// The log names the death by the worker's id, as the end of its generation's start-up, or as a worker that died
// before it sent its id.
void check_told_once(const Server& server, pid_t victim) {
  std::size_t by_id = 0;
  for (const std::string process : {"worker ", "loader "}) {
    for (const char* const end : {") died of", ") exited", ") is gone", ") is removed"}) {
      by_id += lines_with(server, process + std::to_string(victim) + " (", end);
    }
  }
  const auto by_load = server.log_lines_with("ended while it loaded").size();
  CAPTURE(victim, by_id, by_load);
  CHECK(by_id <= 1);
  CHECK(by_load <= 1);
  CHECK(by_id + by_load + server.log_lines_with("gone before it said hello").size() >= 1);
}

void check_costs_no_client_an_answer(const std::string& point, bool with_loader) {
  CAPTURE(point, with_loader);
  Doomed doomed(point, with_loader);
  Server& server = doomed.server;
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 6, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(10));
  doomed.doom();
  const pid_t killed = kill_and_reload(doomed);
  REQUIRE(wait_until([&] { return doomed.happened(); }));
  // A worker that dies during its generation's start-up ends only that reload.
  REQUIRE(wait_until([&] {
    return !server.log_lines_with("reload: done").empty() || !server.log_lines_with("reload: over").empty();
  }));
  const auto done = server.log_lines_with("reload: done").size();
  CHECK(done + server.log_lines_with("reload: over").size() == 1);
  const auto generation = [&server] { return server.status().at("models").at(0).at("generation").as_int64(); };
  const auto reached = generation();
  CHECK((reached > 1) == (done == 1));
  CHECK(HttpClient(server.admin_endpoint()).post("/reload", "").status == 200);
  CHECK(generation() > reached);
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
  CHECK(counts.right == counts.answered);
  if (killed != 0) CHECK(server.wait_until_replaced({killed}));
  check_after_case(server, before);
  // The reload may have retired the killed worker's generation before the front-end saw the death.
  for (const pid_t dead : std::set<pid_t>{killed, doomed.victim()}) {
    if (dead != 0) check_told_once(server, dead);
  }
}

void check_leaves_nothing_behind(const std::string& point, bool with_loader) {
  CAPTURE(point, with_loader);
  Doomed doomed(point, with_loader);
  Server& server = doomed.server;
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    Load load(server.endpoint(), {.connection_count = 6});
    REQUIRE(load.wait_for_answers(10));
    doomed.doom();
    CHECK(act_on_front_end(doomed, action_for(point)));
    CHECK(server.wait_for_exit() == killed_by(SIGKILL));
    (void)load.wait_until_refused();
  }
  CHECK(doomed.victim() == server.pid());
  check_after_exit(server, before, follow_time());
}

bool skipped() {
  if (!kCompiledIn) WARN("SKIPPED: the steps are compiled out of this build");
  return !kCompiledIn;
}

}  // namespace

TEST_CASE("KillMatrix: a forked worker that dies at any step costs no client an answer", "[process][matrix]") {
  if (skipped()) return;
  check_costs_no_client_an_answer(GENERATE(from_range(points_of({"worker", "forked worker"}, true))), true);
}

TEST_CASE("KillMatrix: a worker that loads its own model and dies at any step costs no client an answer",
          "[process][matrix]") {
  if (skipped()) return;
  check_costs_no_client_an_answer(GENERATE(from_range(points_of({"worker", "loading", "spawned"}, false))), false);
}

TEST_CASE("KillMatrix: a loader that dies at any step costs no client an answer", "[process][matrix]") {
  if (skipped()) return;
  check_costs_no_client_an_answer(GENERATE(from_range(points_of({"loader", "loading", "spawned"}, true))), true);
}

TEST_CASE("KillMatrix: a front-end that dies at any step leaves nothing behind", "[process][matrix]") {
  if (skipped()) return;
  check_leaves_nothing_behind(GENERATE(from_range(points_of({"front-end"}, true))), true);
}

TEST_CASE("KillMatrix: a front-end whose workers load their own models and that dies at any step leaves nothing behind",
          "[process][matrix]") {
  if (skipped()) return;
  check_leaves_nothing_behind(GENERATE(from_range(points_of({"front-end"}, false))), false);
}

}  // namespace yolod::tests
