// The kill matrix: a process dies at each named step of the protocol, under load. Workers and loaders cost no client an
// answer; the front-end leaves nothing behind. The steps are compiled out of what is shipped.
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

// Steps that only workers which a loader forks come by, and only those that load by themselves.
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

// What brings every process to the steps.
enum class Stir { kKillAndReload, kKillAgainAndAgain, kStop, kHang, kRecycle };

Stir stir_for(std::string_view point) {
  if (point == "front-end: is about to replay")
    return Stir::kKillAgainAndAgain;  // an idle worker has nothing to replay
  if (point == "front-end: found that a worker hangs") return Stir::kHang;
  if (point == "front-end: started a successor" || point == "front-end: let a recycled worker leave") {
    return Stir::kRecycle;
  }
  if (point == "front-end: stopped accepting" || point == "front-end: asked all to stop" ||
      point == "front-end: stopped") {
    return Stir::kStop;
  }
  return Stir::kKillAndReload;
}

// A server that loses a process at that step once the token is there.
struct Doomed {
  Doomed(std::string_view point, bool with_loader)
      : token(folder.path() / "token"), server(options(point, with_loader, token)) {}

  static ServerOptions options(std::string_view point, bool with_loader, const std::filesystem::path& token) {
    IdentityModel model{.workers = 2, .delay = 10ms, .keys = {with_loader ? "preload: true" : "preload: false"}};
    if (stir_for(point) == Stir::kRecycle) model.keys.emplace_back("recycle: {max_requests: 50}");
    if (stir_for(point) == Stir::kHang) model.keys.emplace_back("hang_timeout: 500ms");
    ServerOptions made;
    made.config = identity_config({model}) + "logging: {level: debug}\n";  // deaths in a generation that retires
    made.with = {"YOLOD_FAULT_POINT=" + std::string(point), "YOLOD_FAULT_TOKEN=" + token.string()};
    return made;
  }
  void doom() const { (void)folder.write("token", ""); }
  // The process that died of it. 0: none yet, or it was killed by somebody else when it was about to say so.
  [[nodiscard]] pid_t victim() const {
    const auto file = folder.path() / "token.victim";
    return std::filesystem::exists(file) ? std::atoi(read_file(file).c_str()) : 0;
  }
  [[nodiscard]] bool happened() const { return !std::filesystem::exists(token); }

  TemporaryDirectory folder;
  std::filesystem::path token;
  Server server;
};

// Returns the worker that it killed; 0: none.
pid_t kill_and_reload(const Doomed& doomed) {
  const auto workers = doomed.server.worker_pids();
  if (!workers.empty()) ::kill(workers.front(), SIGKILL);
  doomed.server.send_signal(SIGHUP);
  return workers.empty() ? 0 : workers.front();
}

bool stir_front_end(const Doomed& doomed, Stir how) {
  const Server& server = doomed.server;
  switch (how) {
    case Stir::kKillAndReload: (void)kill_and_reload(doomed); break;
    case Stir::kRecycle: break;  // the load does it
    case Stir::kStop: server.send_signal(SIGTERM); break;
    case Stir::kHang: ::kill(server.worker_pids().at(0), SIGSTOP); break;
    case Stir::kKillAgainAndAgain: {
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

// By its own id; or as the end of its generation's trial, or as a worker that was gone before it had said its id.
void check_told_once(const Server& server, pid_t victim) {
  std::size_t by_id = 0;
  for (const std::string process : {"worker ", "loader "}) {
    for (const char* const end : {") died of", ") exited", ") is gone", ") is removed"}) {
      by_id += lines_with(server, process + std::to_string(victim) + " (", end);
    }
  }
  const auto by_trial = server.log_lines_with("ended while it loaded").size();
  CAPTURE(victim, by_id, by_trial);
  CHECK(by_id <= 1);
  CHECK(by_trial <= 1);
  CHECK(by_id + by_trial + server.log_lines_with("gone before it said hello").size() >= 1);
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
  // Who dies on trial ends the trial alone.
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
  // The reload may have retired the killed worker's generation before its death was seen.
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
    CHECK(stir_front_end(doomed, stir_for(point)));
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

TEST_CASE("KillMatrix: a worker that loads by itself and dies at any step costs no client an answer",
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

TEST_CASE("KillMatrix: a front-end whose workers load by themselves and that dies at any step leaves nothing behind",
          "[process][matrix]") {
  if (skipped()) return;
  check_leaves_nothing_behind(GENERATE(from_range(points_of({"front-end"}, false))), false);
}

}  // namespace yolod::tests
