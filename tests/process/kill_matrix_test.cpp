// The kill matrix: a process dies at each named step of the protocol, under load. Workers and loaders cost no client an
// answer; the front-end leaves nothing behind. The steps are compiled out of what is shipped.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault_point.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

#if defined(YOLOD_FAULT_POINTS)
constexpr bool kCompiledIn = true;
#else
constexpr bool kCompiledIn = false;
#endif

std::vector<std::string> points_of(std::initializer_list<std::string_view> processes) {
  std::vector<std::string> names;
  for (const auto name : common::kFaultPointNames) {
    const auto process = name.substr(0, name.find(':'));
    if (std::find(processes.begin(), processes.end(), process) != processes.end()) names.emplace_back(name);
  }
  return names;
}

// A server that loses a process at that step once the token is there.
struct Doomed {
  explicit Doomed(const std::string& point, const std::string& preload)
      : token(folder.path() / "token"), server(options(point, preload, token)) {}

  static ServerOptions options(const std::string& point, const std::string& preload,
                               const std::filesystem::path& token) {
    ServerOptions made;
    made.config = identity_config({{.workers = 2, .delay = 10ms, .keys = {preload}}});
    made.with = {"YOLOD_FAULT_POINT=" + point, "YOLOD_FAULT_TOKEN=" + token.string()};
    return made;
  }
  void doom() const { (void)folder.write("token", ""); }
  [[nodiscard]] bool happened() const { return !std::filesystem::exists(token); }

  TemporaryDirectory folder;
  std::filesystem::path token;
  Server server;
};

bool only_with_loader(const std::string& point) {
  return point.starts_with("loader:") || point.starts_with("forked worker:") || point == "front-end: asked for a fork";
}

bool only_without_loader(const std::string& point) { return point == "worker: loaded"; }

// What brings every process to every step: a worker dies, another generation comes.
void stir(const Doomed& doomed) {
  const auto workers = doomed.server.worker_pids();
  if (!workers.empty()) ::kill(workers.front(), SIGKILL);
  doomed.server.send_signal(SIGHUP);
}

}  // namespace

TEST_CASE("KillMatrix: a worker or a loader that dies at any step costs no client an answer", "[process][matrix]") {
  if (!kCompiledIn) {
    WARN("SKIPPED: the steps are compiled out of this build");
    return;
  }
  const auto point = GENERATE(from_range(points_of({"worker", "loader", "forked worker"})));
  const std::string preload = GENERATE("preload: auto", "preload: false");
  if (only_with_loader(point) && preload == "preload: false") return;
  if (only_without_loader(point) && preload == "preload: auto") return;
  CAPTURE(point, preload);
  Doomed doomed(point, preload);
  Server& server = doomed.server;
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 6, .body_bytes_max = 20'000});
  REQUIRE(load.wait_for_answers(10));
  doomed.doom();
  stir(doomed);
  REQUIRE(wait_until([&] { return doomed.happened(); }));
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
  CHECK(counts.right == counts.answered);
  check_after_case(server, before);
}

TEST_CASE("KillMatrix: a front-end that dies at any step leaves nothing behind", "[process][matrix]") {
  if (!kCompiledIn) {
    WARN("SKIPPED: the steps are compiled out of this build");
    return;
  }
  const auto point = GENERATE(from_range(points_of({"front-end"})));
  CAPTURE(point);
  Doomed doomed(point, "preload: auto");
  Server& server = doomed.server;
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    Load load(server.endpoint(), {.connection_count = 6, .body_bytes_max = 20'000});
    REQUIRE(load.wait_for_answers(10));
    doomed.doom();
    stir(doomed);
    CHECK(server.wait_for_exit() == killed_by(SIGKILL));
    (void)load.wait_until_refused();
  }
  CHECK(doomed.happened());
  check_after_exit(server, before, 1s);
}

}  // namespace yolod::tests
