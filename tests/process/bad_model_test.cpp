// Fault case 16: a model that cannot be served ends the server before it is ever ready. Fault case 17: a worker that
// dies while it loads is started again after a growing delay.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

// The network is small, and complete except for its weights.
constexpr const char* kCfg =
    "[net]\nwidth=32\nheight=32\nchannels=3\n\n"
    "[convolutional]\nbatch_normalize=1\nfilters=18\nsize=3\nstride=2\npad=1\nactivation=leaky\n\n"
    "[yolo]\nmask=0,1,2\nanchors=10,14, 23,27, 37,58\nclasses=1\nnum=3\n";

std::string darknet_model(const std::filesystem::path& folder, const std::string& weights) {
  return "  - name: signs\n    workers: 2\n    darknet: {cfg: " + (folder / "net.cfg").string() +
         ", weights: " + (folder / weights).string() + ", names: " + (folder / "net.names").string() + "}\n";
}

// Checks that the server ends with one clear line that names the model and the file, that it never served, and that
// it tried nothing a second time.
void check_ends_unserved(const std::string& config, const std::string& model, const std::string& file) {
  Baseline before;
  before.shared_memory_names = shared_memory_names();
  Server server(config + "logging: {level: debug}\n");
  CHECK(server.wait_for_exit() == exited(1));
  const auto errors = server.log_lines_with("error");
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors.front(), Catch::Contains("model " + model + ": ") && Catch::Contains(file));
  CHECK(server.log_lines_with("every model can serve").empty());
  CHECK(server.log_lines_with("is ready").empty());
  CHECK(server.log_lines_with("replacing it").empty());
  CHECK(server.log_lines_with(") started").size() <= 2);  // each of the two workers, or no more than their loader
  check_after_exit(server, before);
}

// These tests need no data, only a build that reads such files.
bool reads_networks() {
  const auto reason = reason_to_skip_networks();
  if (!reason.empty()) WARN("SKIPPED: " << reason);
  return reason.empty();
}

// Returns the waits that the log announces after failures whose line contains `text`.
std::vector<int> announced_delays(const Server& server, const std::string& text) {
  constexpr std::string_view kIn = "replacing it in ";
  std::vector<int> delays;
  for (const auto& line : server.log_lines_with(text)) {
    if (const auto at = line.find(kIn); at != std::string::npos)
      delays.push_back(std::stoi(line.substr(at + kIn.size())));
  }
  return delays;
}

// The waits are 0, 0.5, 1 and 2 s, each shortened by up to a fifth. Still, each is longer than the wait before.
void check_grow(const std::vector<int>& delays) {
  REQUIRE(delays.size() >= 3);
  CHECK(delays[0] >= 400);
  for (std::size_t i = 1; i < delays.size(); ++i) CHECK(delays[i] > delays[i - 1]);
}

}  // namespace

TEST_CASE("BadModel: a missing file ends the server with one clear line", "[process][case16]") {
  // In a build without networks the missing file is the picture of the canary.
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  const TemporaryDirectory folder;
  const auto picture = (folder.path() / "missing.jpg").string();
  check_ends_unserved(identity_config({{.keys = {preload, "canary: {image: " + picture + "}"}}}), "echo", picture);
}

TEST_CASE("BadModel: missing weights end the server with one clear line", "[process][case16][torch]") {
  if (!reads_networks()) return;
  const TemporaryDirectory folder;
  folder.write("net.cfg", kCfg);
  folder.write("net.names", "sign\n");
  check_ends_unserved(server_config(darknet_model(folder.path(), "missing.weights")), "signs", "missing.weights");
}

TEST_CASE("BadModel: truncated weights end the server with one clear line", "[process][case16][torch]") {
  if (!reads_networks()) return;
  const TemporaryDirectory folder;
  folder.write("net.cfg", kCfg);
  folder.write("net.names", "sign\n");
  const std::string header("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0", 20);
  folder.write("short.weights", header + std::string(40, '\0'));
  check_ends_unserved(server_config(darknet_model(folder.path(), "short.weights")), "signs", "short.weights");
}

TEST_CASE("BadModel: a file that is not a cfg ends the server with one clear line", "[process][case16][torch]") {
  if (!reads_networks()) return;
  const TemporaryDirectory folder;
  folder.write("net.cfg", "not a network\n");
  folder.write("net.names", "sign\n");
  folder.write("net.weights", std::string(1000, '\0'));
  check_ends_unserved(server_config(darknet_model(folder.path(), "net.weights")), "signs", "net.cfg");
}

TEST_CASE("BadModel: labels that are not UTF-8 end the server with a line that names file and line number",
          "[process][case16][torch]") {
  if (!reads_networks()) return;
  const std::string preload = GENERATE("preload: auto", "preload: false");
  const TemporaryDirectory folder;
  folder.write("net.cfg", kCfg);
  folder.write("net.names", "caf\xE9\n");
  folder.write("net.weights", std::string(20, '\0'));
  check_ends_unserved(server_config(darknet_model(folder.path(), "net.weights") + "    " + preload + "\n"), "signs",
                      "net.names:1: \"caf\\xe9\" is not UTF-8: save the file as UTF-8");
}

TEST_CASE("BadModel: a load that dies is retried with a growing backoff, and five end a server that never served",
          "[process][case16][waits]") {
  const std::string fault = GENERATE("exit", "crash");
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(fault, preload);
  const auto started_at = Clock::now();
  Server server(identity_config({{.workers = 1, .load_fault = fault, .keys = {preload}}}));
  REQUIRE(server.wait_until_listening());

  constexpr std::size_t kDelays = 3;
  REQUIRE(wait_until([&] { return announced_delays(server, "(echo) ").size() >= kDelays || !server.running(); }));
  REQUIRE(server.running());
  const auto delays = announced_delays(server, "(echo) ");
  check_grow(delays);
  // The server has waited for every announced delay except the last.
  CHECK(Clock::now() - started_at >= milliseconds(std::accumulate(delays.begin(), delays.begin() + kDelays - 1, 0)));

  HttpClient client(server.endpoint());
  CHECK(client.get("/healthz").status == 200);
  CHECK(client.get("/readyz").status == 503);
  const auto answer = client.post("/predict", "x");
  CHECK(answer.status == 503);
  CHECK(answer.error_code() == "not_ready");
  CHECK(answer.has_header("Retry-After"));

  CHECK(server.wait_for_exit() == exited(1));
  const auto why = server.log_lines_with("cannot start: model echo: 5 starts have failed");
  REQUIRE(why.size() == 1);
  CHECK_THAT(why.front(), Catch::Contains(fault == "exit" ? "exit code" : "SIG"));
}

TEST_CASE("BadModel: a model whose workers stay away for some time answers not_ready at once, with Retry-After",
          "[process]") {
  // The picture of the canary vanishes, which each worker needs after its load.
  const TemporaryDirectory folder;
  const auto canary = folder.write("canary.bin", "a picture");
  Server server(identity_config(
      {{.workers = 1,
        .keys = {"preload: false", "queue: {timeout: 1s}", "canary: {image: " + canary.string() + "}"}}}));
  REQUIRE(server.wait_until_ready());
  std::filesystem::remove(canary);
  ::kill(server.worker_pids().at(0), SIGKILL);
  REQUIRE(wait_until([&] { return announced_delays(server, canary.string()).size() >= 3; }));
  // The third wait is at least 1.6 s.
  const auto asked_at = Clock::now();
  const auto answer = HttpClient(server.endpoint()).post("/predict", "x");
  CHECK(answer.status == 503);
  CHECK(answer.error_code() == "not_ready");
  CHECK(Clock::now() - asked_at < scaled(900ms));
  const int seconds = std::stoi(answer.header("Retry-After"));
  CHECK(seconds >= 1);
  // The delay, and the time that the worker takes to load.
  constexpr int kLoadMs = 1000;
  CHECK(seconds <= (announced_delays(server, canary.string()).back() + kLoadMs + 999) / 1000);
  // Once it is there again, requests wait for the worker that comes.
  (void)folder.write("canary.bin", "a picture");
  CHECK(wait_until([&] { return HttpClient(server.endpoint()).post("/predict", "x").status == 200; }));
}

TEST_CASE("BadModel: --check names every model that cannot be served, and each that can", "[process]") {
  ServerOptions options;
  const std::string missing = "canary: {image: /nowhere/picture.jpg}";
  options.config = identity_config({{.name = "one", .keys = {missing}},
                                    {.name = "good"},
                                    {.name = "two", .keys = {missing, "preload: false"}},
                                    {.name = "crashing", .load_fault = "crash"}});
  options.arguments = {"--check"};
  Server server(std::move(options));
  CHECK(server.wait_for_exit() == exited(1));
  for (const auto* const name : {"one", "two", "crashing"}) {
    CAPTURE(name);
    CHECK(server.log_lines_with("error yolod").size() == 3);
    CHECK(server.log_lines_with(std::string("model ") + name + ": ").size() == 1);
  }
  CHECK(server.log_lines_with("model good: identity on cpu: loads and runs").size() == 1);
}

TEST_CASE("BadModel: files that vanish cost no live worker, and the server looks for them at growing intervals",
          "[process][case17]") {
  // The identity model has no weights. Instead, the picture of the canary vanishes, which each worker needs
  // after its load.
  const TemporaryDirectory folder;
  const auto canary = folder.write("canary.bin", "a picture");
  Server server(
      identity_config({{.workers = 3, .keys = {"preload: false", "canary: {image: " + canary.string() + "}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::filesystem::remove(canary);
  const auto victim = server.worker_pids().at(0);
  ::kill(victim, SIGKILL);
  const std::string failure = canary.string() + ": cannot be read";
  REQUIRE(wait_until([&] { return announced_delays(server, failure).size() >= 3; }));
  check_grow(announced_delays(server, failure));
  {
    HttpClient client(server.endpoint());
    for (int i = 0; i < 20; ++i) {
      const auto body = random_body(1000, static_cast<std::uint64_t>(i));
      CHECK(is_identity_answer(client.post("/predict", body), body));
    }
  }
  CHECK(server.worker_pids().size() == 2);
  (void)folder.write("canary.bin", "a picture");
  CHECK(wait_until([&] { return server.worker_pids().size() == 3; }));
  check_after_case(server, before, {victim});
}

TEST_CASE("BadModel: weights that vanish cost no live worker, and the server looks for them at growing intervals",
          "[process][case17][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const TemporaryDirectory folder;
  const auto network = *test_data() / "darknet" / "yoloface-50k";
  for (const char* name : {"yoloface-50k.cfg", "yoloface-50k.weights", "label.names"}) {
    std::filesystem::copy_file(network / name, folder.path() / name);
  }
  const auto weights = folder.path() / "yoloface-50k.weights";
  Server server(server_config("  - name: faces\n    workers: 2\n    preload: false\n    darknet: {cfg: " +
                              (folder.path() / "yoloface-50k.cfg").string() + ", weights: " + weights.string() +
                              ", names: " + (folder.path() / "label.names").string() + "}\n"));
  REQUIRE(server.wait_until_ready());
  std::filesystem::remove(weights);
  const auto victim = server.worker_pids().at(0);
  ::kill(victim, SIGKILL);
  REQUIRE(wait_until([&] { return announced_delays(server, weights.string()).size() >= 3; }));
  check_grow(announced_delays(server, weights.string()));
  const auto photo = read_file(*test_data() / "photos" / "person.jpg");
  HttpClient client(server.endpoint());
  for (int i = 0; i < 5; ++i) CHECK(client.post("/predict", photo).status == 200);
  CHECK(server.worker_pids().size() == 1);
  std::filesystem::copy_file(network / "yoloface-50k.weights", weights);
  CHECK(server.wait_until_replaced({victim}));
  CHECK(client.post("/predict", photo).status == 200);
}

}  // namespace yolod::tests
