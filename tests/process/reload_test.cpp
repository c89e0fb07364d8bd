// Fault cases 18, 19 and 20: SIGHUP with a config that can be served and with configs that cannot, and the signals
// TTIN and TTOU.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

// A small network that is complete except for its weights.
constexpr const char* kCfgWithoutWeights =
    "[net]\nwidth=32\nheight=32\nchannels=3\n\n"
    "[convolutional]\nbatch_normalize=1\nfilters=18\nsize=3\nstride=2\npad=1\nactivation=leaky\n\n"
    "[yolo]\nmask=0,1,2\nanchors=10,14, 23,27, 37,58\nclasses=1\nnum=3\n";

bool wait_for_reloads(Server& server, std::size_t count) {
  return wait_until([&] { return server.log_lines_with("reload: done").size() >= count || !server.running(); });
}

int generation_of(const Server& server) {
  return static_cast<int>(server.status().at("models").at(0).at("generation").as_int64());
}

bool wait_for_workers(Server& server, std::size_t count) {
  return wait_until([&] {
    const auto workers = server.workers();
    return workers.size() == count &&
           std::all_of(workers.begin(), workers.end(), [](const WorkerStatus& worker) { return worker.serves(); });
  });
}

bool none_in(const std::vector<pid_t>& some, const std::vector<pid_t>& others) {
  return std::none_of(some.begin(), some.end(),
                      [&](pid_t pid) { return std::find(others.begin(), others.end(), pid) != others.end(); });
}

}  // namespace

TEST_CASE("Reload: under load every worker is replaced and no client notices", "[process][case18]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  Server server(identity_config({{.workers = 3, .delay = 10ms, .load_delay = 50ms, .keys = {preload}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto old_workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 12, .body_bytes_max = 50'000});
  REQUIRE(load.wait_for_answers(50));
  for (std::size_t round = 1; round <= 3; ++round) {
    server.send_signal(SIGHUP);
    REQUIRE(wait_for_reloads(server, round));
    REQUIRE(load.wait_for_answers(50));
  }
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  REQUIRE(wait_for_workers(server, 3));
  CHECK(none_in(server.worker_pids(), old_workers));
  for (const auto& worker : server.workers()) CHECK(worker.generation == 4);
  check_after_case(server, before);
}

TEST_CASE("Reload: requests that run on the old workers get their answers from them", "[process][case18]") {
  Server server(identity_config({{.workers = 2, .delay = 500ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  InFlight requests(server.endpoint(), 8);
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  server.send_signal(SIGHUP);
  CHECK(requests.finish_and_list_wrong() == kNoneWrong);
  REQUIRE(wait_for_workers(server, 2));
  CHECK(HttpClient(server.endpoint()).get("/metrics").body.find("yolod_replays_total{model=\"echo\"} 0") !=
        std::string::npos);
  check_after_case(server, before);
}

TEST_CASE("Reload: a reload changes settings", "[process]") {
  Server server(identity_config({{.workers = 1}}, {"max_body_bytes: 2KiB"}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/predict", std::string(4000, 'x')).status == 413);
  server.rewrite_config(identity_config({{.workers = 3}, {.name = "second", .workers = 1}}, {"max_body_bytes: 8KiB"}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 1));
  REQUIRE(wait_for_workers(server, 4));
  CHECK(HttpClient(server.endpoint()).post("/predict", std::string(4000, 'x')).status == 200);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=second", "x").status == 200);

  server.rewrite_config(identity_config({{.name = "second", .workers = 1}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 2));
  REQUIRE(wait_for_workers(server, 1));
  CHECK(HttpClient(server.endpoint()).post("/predict?model=echo", "x").error_code() == "unknown_model");
  CHECK(HttpClient(server.endpoint()).post("/predict", "x").status == 200);

  server.rewrite_config(identity_config({{.workers = 1}}));  // the removed model comes back
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 3));
  REQUIRE(wait_for_workers(server, 1));
  CHECK(HttpClient(server.endpoint()).post("/predict?model=echo", "x").status == 200);
}

// Returns the config with the log at debug level.
std::string debugged(std::string config) { return config + "logging: {level: debug}\n"; }

TEST_CASE("Reload: a removed model is freed once its last request has its answer, and may come back", "[process]") {
  const auto both = debugged(identity_config({{.workers = 1}, {.name = "second", .workers = 1, .delay = 700ms}}));
  const auto one = debugged(identity_config({{.workers = 1}}));
  Server server(both);
  REQUIRE(server.wait_until_ready());
  for (std::size_t round = 1; round <= 5; ++round) {
    // One connection has had an answer of the model, and another waits for an answer.
    HttpClient idle(server.endpoint());
    REQUIRE(idle.post("/predict?model=second", "x").status == 200);
    InFlight waiting(server.endpoint(), 1, 1'000, "/predict?model=second");
    server.rewrite_config(one);
    server.send_signal(SIGHUP);
    REQUIRE(wait_for_reloads(server, 2 * round - 1));
    CHECK(idle.post("/predict?model=second", "x").error_code() == "unknown_model");
    CHECK(waiting.finish_and_list_wrong() == kNoneWrong);
    REQUIRE(wait_until([&] { return server.log_lines_with("model second: is gone").size() == round; }));
    CHECK(idle.post("/predict", "x").status == 200);
    server.rewrite_config(both);
    server.send_signal(SIGHUP);
    REQUIRE(wait_for_reloads(server, 2 * round));
    CHECK(idle.post("/predict?model=second", "x").status == 200);
    const auto shown = server.status().at("models").at(1);
    CHECK(shown.at("name") == "second");
    CHECK(shown.at("generation").to_number<std::size_t>() == round + 1);  // the generation continues to count
  }
}

TEST_CASE("Reload: an upload whose model was removed and came back meanwhile is served", "[process]") {
  const auto both = debugged(identity_config({{.workers = 1}, {.name = "second", .workers = 1}}));
  Server server(both);
  REQUIRE(server.wait_until_ready());
  const std::string raw =
      serialise({.method = "POST", .target = "/predict?model=second", .body = std::string(4U << 20U, 'x')});
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  REQUIRE(client.write(std::string_view(raw).substr(0, raw.size() - 1)));
  server.rewrite_config(debugged(identity_config({{.workers = 1}})));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 1));
  server.rewrite_config(both);
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 2));
  REQUIRE(client.write(std::string_view(raw).substr(raw.size() - 1)));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("Reload: a body of unknown length keeps the room that its header reserved", "[process]") {
  Server server(identity_config({{.workers = 1}}, {"max_body_bytes: 1MiB"}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const std::string body(200'000, 'x');
  const auto request = serialise({.method = "POST",
                                  .target = "/predict",
                                  .headers = {{"Expect", "100-continue"}},
                                  .body = body,
                                  .chunk_bytes = 5'000});
  const auto head_bytes = request.find("\r\n\r\n") + 4;
  HttpClient client(server.endpoint());
  REQUIRE(client.connect());
  REQUIRE(client.write(std::string_view(request).substr(0, head_bytes)));
  REQUIRE(wait_until([&] { return client.has_unread_bytes(); }));  // the server has sent 100 Continue
  // The first half is large enough that the rest may take seconds to arrive, as the reload may.
  const std::size_t first_bytes = request.size() / 2;
  REQUIRE(client.write(std::string_view(request).substr(head_bytes, first_bytes)));
  server.rewrite_config(identity_config({{.workers = 1}}, {"max_body_bytes: 150KiB"}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 1));
  REQUIRE(client.write(std::string_view(request).substr(head_bytes + first_bytes)));
  const auto answer = client.read_answer();
  CAPTURE(answer);
  CHECK(answer.status == 200);
  CHECK(HttpClient(server.endpoint()).post("/predict", body).status == 413);
  client.close();
  check_after_case(server, before);
}

TEST_CASE("Reload: a config that cannot be served changes nothing, and the log gives the reason",
          "[process][case19][waits]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  const IdentityModel good{.workers = 2, .delay = 5ms, .keys = {preload}};
  Server server(identity_config({good}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 5'000});
  REQUIRE(load.wait_for_answers(20));

  const TemporaryDirectory folder;
  const auto network = [&](const std::string& weights) {
    folder.write("net.cfg", kCfgWithoutWeights);
    folder.write("net.names", "sign\n");
    const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
    return server_config("  - name: echo\n    workers: 2\n    " + preload + "\n    darknet: {cfg: " + file("net.cfg") +
                         ", weights: " + file(weights) + ", names: " + file("net.names") + "}\n");
  };
  auto bad = good;
  std::string why;
  std::string end = "reload: over";  // or, for a config that was not tried:
  const std::string nothing_tried = "reload: nothing has changed";
  SECTION("broken YAML") {
    server.rewrite_config("models: [");
    why = "system.yaml:";
    end = nothing_tried;
  }
  SECTION("a key that does not exist") {
    server.rewrite_config(identity_config({good}, {"max_bodybytes: 1"}));
    why = "max_bodybytes";
    end = nothing_tried;
  }
  SECTION("missing weights") {
    why = "missing.weights";
    server.rewrite_config(network(why));
  }
  SECTION("weights that end early") {
    why = "short.weights";
    const std::string header("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0", 20);
    folder.write(why, header + std::string(40, '\0'));
    server.rewrite_config(network(why));
  }
  SECTION("a load that fails") {
    bad.load_fault = "exit";
    server.rewrite_config(identity_config({bad}));
    why = "exit code 1";
  }
  SECTION("a load that crashes") {
    bad.load_fault = "crash";
    server.rewrite_config(identity_config({bad}));
    why = "SIGSEGV";
  }
  SECTION("a model that crashes in its warm-up") {
    bad.load_fault = "warm_up_crash";
    server.rewrite_config(identity_config({bad}));
    why = "SIGSEGV";
  }
  SECTION("a load that hangs") {
    bad.workers = 1;  // the log would name each worker that hangs
    bad.load_fault = "hang";
    bad.keys.emplace_back("load_timeout: 300ms");
    server.rewrite_config(identity_config({bad}));
    why = "load_timeout";
  }
  SECTION("a canary that is not found") {
    why = "canary.bin";
    bad.keys.push_back("canary: {image: " + folder.write(why, "a picture").string() + ", expect: [dog]}");
    server.rewrite_config(identity_config({bad}));
  }
  SECTION("a canary whose picture is missing") {
    why = "missing.jpg";
    bad.keys.push_back("canary: {image: " + (folder.path() / why).string() + "}");
    server.rewrite_config(identity_config({bad}));
  }
  CAPTURE(why);
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with(end).empty(); }));
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(wait_until([&] { return server.worker_pids() == workers && server.workers().size() == workers.size(); }));
  CHECK(generation_of(server) == 1);
  check_after_case(server, before);
  CHECK(server.log_lines_with(why).size() == 1);
  CHECK(server.log_lines_with(end).size() == 1);
  CHECK(server.log_lines_with("reload: done").empty());

  server.rewrite_config(identity_config({good}));  // a good config after the bad one is accepted
  server.send_signal(SIGHUP);
  REQUIRE(wait_for_reloads(server, 1));
  REQUIRE(wait_for_workers(server, 2));
  CHECK(none_in(server.worker_pids(), workers));
}

TEST_CASE("Reload: neither a real network's corrupt weights nor a canary that it does not find change anything",
          "[process][case19][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto good = small_network_config(*test_data());
  const auto weights = *test_data() / "darknet" / "yoloface-50k" / "yoloface-50k.weights";
  const auto photo_file = *test_data() / "photos" / "person.jpg";
  const auto photo = read_file(photo_file);
  Server server(good);
  REQUIRE(server.wait_until_ready());
  const auto predictions = [&] {
    const auto answer = HttpClient(server.endpoint()).post("/predict", photo);
    REQUIRE(answer.status == 200);
    return answer.json().at("predictions");
  };
  const auto expected = predictions();

  const TemporaryDirectory folder;
  const auto with_weights = [&](const std::string& bytes) {
    auto config = good;
    return config.replace(config.find(weights.string()), weights.string().size(),
                          folder.write("damaged.weights", bytes).string());
  };
  const auto bytes = read_file(weights);
  constexpr std::size_t kHeaderBytes = 20;
  std::string why;
  SECTION("half of a weights file") {
    why = "damaged.weights";
    server.rewrite_config(with_weights(bytes.substr(0, bytes.size() / 2)));
  }
  SECTION("numbers that are not finite") {
    why = "finite";
    server.rewrite_config(
        with_weights(bytes.substr(0, kHeaderBytes) + std::string(bytes.size() - kHeaderBytes, '\xFF')));
  }
  SECTION("a canary that is not found") {
    why = "canary " + photo_file.string();
    server.rewrite_config(good + "    canary: {image: " + photo_file.string() + ", expect: [no-such-thing]}\n");
  }
  CAPTURE(why);
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("reload: over").empty(); }));
  CHECK(server.log_lines_with(why).size() == 1);
  CHECK(generation_of(server) == 1);
  CHECK(predictions() == expected);
}

TEST_CASE("Reload: fifty signals in a burst cause few reloads, and leave as many workers as before",
          "[process][case20]") {
  Server server(identity_config({{.workers = 3, .load_delay = 300ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 4});
  REQUIRE(load.wait_for_answers(20));
  for (int i = 0; i < 50; ++i) server.send_signal(SIGHUP);
  // The server refuses this request while a reload is under way, so it succeeds after the reloads of the signals have
  // ended.
  REQUIRE(wait_until([&] { return HttpClient(server.admin_endpoint()).post("/reload", "").status == 200; }));
  REQUIRE(wait_until([&] { return !server.status().at("models").at(0).at("reloading").as_bool(); }));
  REQUIRE(wait_for_workers(server, 3));
  // The reloads are: one for the first signal, one for all signals that came while it ran, perhaps another, and the
  // request's.
  const int generation = generation_of(server);
  CHECK(generation >= 3);
  CHECK(generation <= 5);
  CHECK(server.log_lines_with("reload: done").size() == static_cast<std::size_t>(generation - 1));
  CHECK(server.log_lines_with("reload: over").empty());
  for (const auto& worker : server.workers()) CHECK(worker.generation == generation);
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  check_after_case(server, before);
}

TEST_CASE("Reload: a stop in the middle of a reload is a clean stop", "[process]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  server.rewrite_config(identity_config({{.workers = 2, .load_delay = 60'000ms}}));
  server.send_signal(SIGHUP);
  REQUIRE(wait_until([&] { return !server.log_lines_with("model echo: reloading").empty(); }));
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("Reload: TTIN adds a worker to each model and TTOU removes one, but never the last", "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 5ms}}));
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 4});
  REQUIRE(load.wait_for_answers(10));
  server.send_signal(SIGTTIN);
  REQUIRE(wait_for_workers(server, 2));
  server.send_signal(SIGTTIN);
  REQUIRE(wait_for_workers(server, 3));
  server.send_signal(SIGTTOU);
  REQUIRE(wait_for_workers(server, 2));
  server.send_signal(SIGTTOU);
  REQUIRE(wait_for_workers(server, 1));
  server.send_signal(SIGTTOU);
  CHECK(wait_until([&] { return !server.log_lines_with("its last worker stays").empty(); }));
  REQUIRE(load.wait_for_answers(10));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(server.workers().size() == 1);
}

TEST_CASE("Reload: a stuck worker that TTOU removes is killed", "[process]") {
  Server server(identity_config({{.workers = 2, .keys = {"hang_timeout: 1s"}}}));
  REQUIRE(server.wait_until_ready());
  const auto workers = server.worker_pids();
  REQUIRE(workers.size() == 2);
  ::kill(workers.back(), SIGSTOP);  // the worker is idle, so no batch deadline is running
  server.send_signal(SIGTTOU);
  CHECK(wait_for_workers(server, 1));
  CHECK(server.worker_pids() == std::vector<pid_t>{workers.front()});
  CHECK(server.log_lines_with("is removed").size() == 1);
}

}  // namespace yolod::tests
