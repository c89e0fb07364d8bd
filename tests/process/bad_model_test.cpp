// Fault cases 16 and 17: a model that cannot be served ends the server before it was ever ready; a worker that dies
// while it loads is tried again, ever more slowly.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

// Small, and complete but for its weights.
constexpr const char* kCfg =
    "[net]\nwidth=32\nheight=32\nchannels=3\n\n"
    "[convolutional]\nbatch_normalize=1\nfilters=18\nsize=3\nstride=2\npad=1\nactivation=leaky\n\n"
    "[yolo]\nmask=0,1,2\nanchors=10,14, 23,27, 37,58\nclasses=1\nnum=3\n";

std::string darknet_model(const std::filesystem::path& folder, const std::string& weights) {
  return "  - name: signs\n    workers: 2\n    darknet: {cfg: " + (folder / "net.cfg").string() +
         ", weights: " + (folder / weights).string() + ", names: " + (folder / "net.names").string() + "}\n";
}

// One clear line, the model named; each worker that was tried told of once at most, and none tried again.
void check_ends_unserved(const std::string& config) {
  Server server(config);
  CHECK(server.wait_for_exit() == exited(1));
  const auto before = baseline(server);
  const auto errors = server.log_lines_with("error");
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors.front(), Catch::Contains("signs"));
  CHECK(server.log_lines_with(") died").size() + server.log_lines_with(") exited").size() <= 2);
  check_after_exit(server, before);
}

}  // namespace

TEST_CASE("BadModel: missing weights end the server with one clear line", "[process][case16]") {
  const TemporaryDirectory folder;
  folder.write("net.cfg", kCfg);
  folder.write("net.names", "sign\n");
  check_ends_unserved(server_config(darknet_model(folder.path(), "missing.weights")));
}

TEST_CASE("BadModel: weights that end early end the server with one clear line", "[process][case16]") {
  const TemporaryDirectory folder;
  folder.write("net.cfg", kCfg);
  folder.write("net.names", "sign\n");
  const std::string header("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0", 20);
  folder.write("short.weights", header + std::string(40, '\0'));
  check_ends_unserved(server_config(darknet_model(folder.path(), "short.weights")));
}

TEST_CASE("BadModel: a cfg that is none ends the server with one clear line", "[process][case16]") {
  const TemporaryDirectory folder;
  folder.write("net.cfg", "not a network\n");
  folder.write("net.names", "sign\n");
  folder.write("net.weights", std::string(1000, '\0'));
  check_ends_unserved(server_config(darknet_model(folder.path(), "net.weights")));
}

TEST_CASE("BadModel: a worker that dies while it loads is tried again with a growing backoff", "[process][case16]") {
  const std::string fault = GENERATE("exit", "crash");
  CAPTURE(fault);
  Server server(identity_config({{.workers = 1, .load_fault = fault}}));
  REQUIRE(server.wait_until_listening());

  // When each death was first told of. The design's waits between them: 0, 0.5, 1 and 2 s, with jitter.
  std::vector<Clock::time_point> told;
  const auto deaths = [&] {
    return server.log_lines_with("(echo) died").size() + server.log_lines_with("(echo) exited").size();
  };
  constexpr std::size_t kDeaths = 5;
  REQUIRE(wait_until([&] {
    while (told.size() < deaths()) told.push_back(Clock::now());
    return told.size() >= kDeaths || !server.running();
  }));
  REQUIRE(server.running());
  CHECK(told[4] - told[3] > told[1] - told[0]);
  CHECK(told[4] - told[3] >= 1s);

  HttpClient client(server.endpoint());
  CHECK(client.get("/healthz").status == 200);
  CHECK(client.get("/readyz").status == 503);
  const auto answer = client.post("/predict", "x");
  CHECK(answer.status == 503);
  CHECK(answer.error_code() == "not_ready");
  CHECK(answer.has_header("Retry-After"));

  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
}

TEST_CASE("BadModel: files that vanish cost no worker that lives, and are looked for ever more rarely",
          "[process][case17]") {
  // The identity model has no files; its settings stand in: those of a worker that starts later fail to load.
  // The loads after the first fail here because the picture that each must be shown has gone.
  const TemporaryDirectory folder;
  const auto canary = folder.write("canary.bin", "a picture");
  Server server(
      identity_config({{.workers = 3, .keys = {"preload: false", "canary: {image: " + canary.string() + "}"}}}));
  REQUIRE(server.wait_until_ready());
  std::filesystem::remove(canary);
  const auto victim = server.worker_pids().at(0);
  ::kill(victim, SIGKILL);
  // 0, 0.5, 1 s: the third attempt says that it comes a second after the second.
  REQUIRE(wait_until([&] { return server.log_lines_with("cannot be read; replacing it in").size() >= 3; }));
  HttpClient client(server.endpoint());
  for (int i = 0; i < 20; ++i) {
    const auto body = random_body(1000, static_cast<std::uint64_t>(i));
    CHECK(is_identity_answer(client.post("/predict", body), body));
  }
  CHECK(server.worker_pids().size() == 2);
  (void)folder.write("canary.bin", "a picture");
  CHECK(wait_until([&] { return server.worker_pids().size() == 3; }));
}

}  // namespace yolod::tests
