#include "app/api/admin/status_json.hpp"

#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <string>

#include "common/version.hpp"

namespace yolod::app::api::admin {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& text) {
  json::error_code failure;
  const json::value value = json::parse(text, failure);
  CAPTURE(text);
  REQUIRE_FALSE(failure);
  REQUIRE(value.is_object());
  return value.as_object();
}

process::WorkerStatus worker(pid_t pid, std::uint64_t generation = 1) {
  return {pid, pid == 0 ? "dead" : "ready", generation, 2, 30, "cpu", "fp32"};
}

serving::ModelStatus model(const std::string& name, bool ready) {
  serving::ModelStatus status;
  status.name = name;
  status.generation = 5;
  status.ready = ready;
  status.queued = 3;
  status.queue_limit = 64;
  status.batch_size = 5;
  status.batch_wait = std::chrono::microseconds(2500);
  status.workers_ready = ready ? 1U : 0U;
  status.workers_wanted = 1;
  status.workers = {worker(getpid())};
  return status;
}

serving::ServerStatus server(std::vector<serving::ModelStatus> models) {
  serving::ServerStatus status;
  status.uptime = std::chrono::seconds(5);
  status.listen = {"127.0.0.1:8080"};
  status.models = std::move(models);
  return status;
}

// Returns all pieces of GET /status, joined.
std::string status_json(const serving::ServerStatus& status) {
  StatusWriter writer(status);
  http::TextBuffer text;
  while (!writer.write_some(text)) continue;
  return std::string(text.view());
}

// ---- /status ----

TEST_CASE("Status: a server shows its version, its pid, its uptime and its addresses", "[app][unit]") {
  auto status = server({});
  status.listen = {"127.0.0.1:8080", "[::1]:8080", "unix:/run/a \"b\""};
  const auto body = parsed(status_json(status));
  CHECK(body.at("version") == common::kVersion);
  CHECK(body.at("pid") == getpid());
  CHECK(body.at("uptime") == 5);
  CHECK(body.at("listen") == json::value(json::array{"127.0.0.1:8080", "[::1]:8080", "unix:/run/a \"b\""}));
  CHECK(body.at("models").as_array().empty());
}

TEST_CASE("Status: listen is a list, also with one address and with none", "[app][unit]") {
  auto status = server({});
  CHECK(parsed(status_json(status)).at("listen").as_array().size() == 1);
  status.listen.clear();
  CHECK(parsed(status_json(status)).at("listen").as_array().empty());
}

TEST_CASE("Status: models are a list, with queue and workers", "[app][unit]") {
  const auto body = parsed(status_json(server({model("a", true)})));
  const auto& models = body.at("models").as_array();
  REQUIRE(models.size() == 1);
  CHECK(models[0].at("name") == "a");
  CHECK(models[0].at("state") == "ready");
  CHECK(models[0].at("queue") == json::value{{"depth", 3}, {"max_size", 64}});
  CHECK(models[0].at("batch").at("max_size") == 5);
  CHECK(models[0].at("batch").at("max_wait_ms") == 2.5);
  const auto& workers = models[0].at("workers").as_array();
  REQUIRE(workers.size() == 1);
  CHECK(workers[0].at("pid") == getpid());
  CHECK(workers[0].at("state") == "ready");
  CHECK(workers[0].at("generation") == 1);
  CHECK(workers[0].at("restarts") == 2);
  CHECK(workers[0].at("requests") == 30);
  CHECK(workers[0].at("device") == "cpu");
  CHECK(workers[0].at("precision") == "fp32");
}

TEST_CASE("Status: a worker and a loader show which parts of their sandbox are in force", "[app][unit]") {
  auto one = model("a", true);
  one.workers.at(0).sandbox = {common::SandboxMode::kRequired, 7, true, {}};
  one.loader = process::LoaderStatus{getpid(), true, {common::SandboxMode::kAuto, 0, true, "no Landlock"}};
  const auto body = parsed(status_json(server({one})));
  const auto& shown = body.at("models").at(0);
  const auto& of_worker = shown.at("workers").at(0).at("sandbox").as_object();
  CHECK(of_worker.at("mode") == "required");
  CHECK(of_worker.at("landlock_abi") == 7);
  CHECK(of_worker.at("seccomp") == true);
  CHECK_FALSE(of_worker.contains("missing"));
  const auto& of_loader = shown.at("loader").at("sandbox").as_object();
  CHECK(of_loader.at("landlock_abi") == 0);
  CHECK(of_loader.at("missing") == "no Landlock");

  // A process that is not ready yet has reported nothing, so the status shows nothing about its sandbox.
  one.workers.at(0).device.clear();
  one.loader->ready = false;
  const auto later = parsed(status_json(server({one})));
  CHECK(later.at("models").at(0).at("workers").at(0).at("sandbox").is_null());
  CHECK(later.at("models").at(0).at("loader").at("sandbox").is_null());
}

TEST_CASE("Status: several models keep their order", "[app][unit]") {
  const auto body = parsed(status_json(server({model("b", true), model("a", false), model("c", true)})));
  const auto& models = body.at("models").as_array();
  REQUIRE(models.size() == 3);
  CHECK(models[0].at("name") == "b");
  CHECK(models[1].at("name") == "a");
  CHECK(models[2].at("name") == "c");
}

TEST_CASE("Status: a live worker shows its memory, a dead worker shows none", "[app][unit]") {
  auto one = model("a", true);
  one.workers = {worker(getpid()), worker(0), worker(-1)};
  const auto body = parsed(status_json(server({one})));
  const auto& workers = body.at("models").at(0).at("workers").as_array();
  CHECK(workers[0].at("rss_bytes").to_number<std::uint64_t>() > 100'000);
  CHECK(workers[1].at("rss_bytes") == 0);
  CHECK(workers[2].at("rss_bytes") == 0);
}

TEST_CASE("Status: a model shows the generation that serves, whatever other workers exist", "[app][unit]") {
  auto one = model("a", true);
  one.workers = {worker(1, 5), worker(1, 6), worker(1, 4)};
  const auto shown = parsed(status_json(server({one}))).at("models").at(0);
  CHECK(shown.at("generation") == 5);
  CHECK(shown.at("workers").at(1).at("generation") == 6);
}

TEST_CASE("Status: a model shows its loader if it has a loader", "[app][unit]") {
  auto one = model("a", true);
  CHECK_FALSE(parsed(status_json(server({one}))).at("models").at(0).as_object().contains("loader"));
  one.loader = process::LoaderStatus{getpid(), false};
  const auto loader = parsed(status_json(server({one}))).at("models").at(0).at("loader");
  CHECK(loader.at("pid") == getpid());
  CHECK(loader.at("state") == "loading");
  one.loader = process::LoaderStatus{getpid(), true};
  CHECK(parsed(status_json(server({one}))).at("models").at(0).at("loader").at("state") == "ready");
  one.loader = process::LoaderStatus{};
  CHECK(parsed(status_json(server({one}))).at("models").at(0).at("loader").at("state") == "dead");
}

TEST_CASE("Status: a model's state shows whether it serves, and if not, why", "[app][unit]") {
  auto status = server({model("a", false)});
  const auto state = [&status] { return parsed(status_json(status)).at("models").at(0).at("state"); };
  SECTION("a worker is alive: loading") { CHECK(state() == "loading"); }
  SECTION("no worker is alive: unavailable") {
    status.models[0].workers = {worker(0), worker(0)};
    CHECK(state() == "unavailable");
  }
  SECTION("one of two workers is alive: loading") {
    status.models[0].workers = {worker(0), worker(getpid())};
    CHECK(state() == "loading");
  }
  SECTION("ready") {
    status.models[0].ready = true;
    CHECK(state() == "ready");
  }
  SECTION("draining, ready or not") {
    status.draining = true;
    CHECK(state() == "draining");
    status.models[0].ready = true;
    CHECK(state() == "draining");
  }
}

TEST_CASE("Status: the texts that a worker reported are quoted", "[app][unit]") {
  auto one = model("a", true);
  one.workers[0].device = "\"},{\n\x01";
  const auto body = parsed(status_json(server({one})));
  CHECK(body.at("models").at(0).at("workers").at(0).at("device") == "\"},{\n\x01");
}

TEST_CASE("Status: the text is complete however many models and workers the server has", "[app][unit]") {
  const std::size_t models = GENERATE(std::size_t{1}, std::size_t{16}, std::size_t{40});
  const std::size_t workers =
      GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{17}, std::size_t{70});
  std::vector<serving::ModelStatus> all;
  for (std::size_t i = 0; i < models; ++i) {
    all.push_back(model("m" + std::to_string(i), true));
    all.back().workers.assign(workers, worker(0));
    if (i % 2 == 0) all.back().loader = process::LoaderStatus{getpid(), true};
  }
  const auto body = parsed(status_json(server(all)));
  const auto& shown = body.at("models").as_array();
  REQUIRE(shown.size() == models);
  for (std::size_t i = 0; i < models; ++i) {
    CHECK(shown[i].at("name") == json::value("m" + std::to_string(i)));
    CHECK(shown[i].at("workers").as_array().size() == workers);
    CHECK(shown[i].as_object().contains("loader") == (i % 2 == 0));
    if (i % 2 == 0) CHECK(shown[i].at("loader").at("rss_bytes").to_number<std::uint64_t>() > 100'000);
  }
}

// ---- /readyz ----

TEST_CASE("Readiness: the server is ready when every model is ready", "[app][unit]") {
  bool ready = false;
  const auto body = parsed(readiness_json(server({model("a", true), model("b", true)}), ready));
  CHECK(ready);
  CHECK(body.at("ready") == true);
  CHECK(body.at("models").at("a") == json::value{{"ready", true}, {"workers_ready", 1}, {"workers", 1}});
  CHECK(body.at("models").at("b").at("ready") == true);
}

TEST_CASE("Readiness: one model that is not ready makes the server not ready", "[app][unit]") {
  const bool first = GENERATE(true, false);
  bool ready = true;
  const auto body = parsed(readiness_json(server({model("a", first), model("b", !first)}), ready));
  CHECK_FALSE(ready);
  CHECK(body.at("ready") == false);
  CHECK(body.at("models").at("a").at("ready") == first);
  CHECK(body.at("models").at("b").at("ready") == !first);
}

TEST_CASE("Readiness: a draining server is not ready, and its models keep their own state", "[app][unit]") {
  auto status = server({model("a", true)});
  status.draining = true;
  bool ready = true;
  const auto body = parsed(readiness_json(status, ready));
  CHECK_FALSE(ready);
  CHECK(body.at("ready") == false);
  CHECK(body.at("models").at("a").at("ready") == true);
}

TEST_CASE("Readiness: the flag is set whatever its value was before", "[app][unit]") {
  bool ready = true;
  (void)readiness_json(server({model("a", false)}), ready);
  CHECK_FALSE(ready);
  (void)readiness_json(server({model("a", true)}), ready);
  CHECK(ready);
}

}  // namespace
}  // namespace yolod::app::api::admin
