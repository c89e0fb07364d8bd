// These tests read what the server reports: /healthz, /readyz, /status, /metrics.
#include <signal.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "tests/support/bodies.hpp"
#include "tests/support/prometheus_text.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("Observe: while the models load, /healthz is live and /readyz is not ready", "[e2e]") {
  Server server(identity_config({{.workers = 2, .load_delay = 600'000ms, .keys = {"preload: false"}}}));
  REQUIRE(server.wait_until_listening());
  HttpClient client(server.endpoint());
  const auto health = client.get("/healthz");
  CHECK(health.status == 200);
  CHECK(health.json().at("live") == true);
  const auto ready = client.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.json().at("ready") == false);
  const auto model = ready.json().at("models").at("echo");
  CHECK(model.at("ready") == false);
  CHECK(model.at("workers_ready") == 0);
  CHECK(model.at("workers") == 2);
  const auto pid = server.wait_for_worker_in("loading");
  CHECK(pid != 0);
}

TEST_CASE("Observe: /readyz is ready when every model has a ready worker", "[e2e]") {
  Server server(identity_config({{.name = "one", .workers = 1}, {.name = "two", .workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto ready = HttpClient(server.endpoint()).get("/readyz");
  CHECK(ready.status == 200);
  CHECK(ready.json().at("ready") == true);
  CHECK(ready.json().at("models").at("one").at("workers_ready") == 1);
  CHECK(ready.json().at("models").at("two").at("workers_ready") == 2);
}

TEST_CASE("Observe: /status describes the server, its models and their workers", "[e2e]") {
  Server server(identity_config({{.name = "one", .workers = 1}, {.name = "two", .workers = 2}}));
  REQUIRE(server.wait_until_ready());
  HttpClient(server.endpoint()).post("/predict?model=one", "x");
  const auto status = server.status();
  REQUIRE(status.is_object());
  CHECK_FALSE(status.at("version").as_string().empty());
  CHECK(status.at("pid") == server.pid());
  const auto& models = status.at("models").as_array();
  REQUIRE(models.size() == 2);
  CHECK(models[0].at("name") == "one");
  CHECK(models[1].at("workers").as_array().size() == 2);
  std::int64_t requests = 0;
  for (const auto& model : models) {
    CHECK(model.as_object().contains("state"));
    CHECK(model.as_object().contains("queue"));
    CHECK(model.as_object().contains("generation"));
    for (const auto& worker : model.at("workers").as_array()) {
      for (const char* key :
           {"pid", "state", "generation", "restarts", "device", "precision", "requests", "rss_bytes"}) {
        CAPTURE(key);
        CHECK(worker.as_object().contains(key));
      }
      CHECK(worker.at("rss_bytes").to_number<std::int64_t>() > 0);
      requests += worker.at("requests").to_number<std::int64_t>();
    }
  }
  CHECK(requests == 1);
}

TEST_CASE("Observe: /metrics is valid Prometheus text and counts the requests", "[e2e]") {
  Server server(identity_config({{.name = "one", .workers = 2}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  constexpr int kRequests = 7;
  for (int i = 0; i < kRequests; ++i) REQUIRE(client.post("/predict", "x").status == 200);
  REQUIRE(client.post("/predict?confidence=nan", "x").status == 400);
  REQUIRE(client.post("/predict?model=none", "x").status == 404);
  REQUIRE(client.get("/nope").status == 404);
  client.close();
  const auto victim = server.worker_pids().at(0);
  ::kill(victim, SIGKILL);
  REQUIRE(server.wait_until_replaced({victim}));
  const auto answer = client.get("/metrics");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type").starts_with("text/plain"));
  const auto metrics = parse_prometheus_text(answer.body);
  CHECK(metrics.problems == std::vector<std::string>{});
  for (const char* family : {"yolod_requests_total", "yolod_request_seconds", "yolod_batch_size", "yolod_queue_depth",
                             "yolod_workers", "yolod_worker_restarts_total", "yolod_replays_total", "yolod_arena_bytes",
                             "yolod_open_connections", "yolod_generation", "yolod_model_load_seconds"}) {
    CAPTURE(family);
    CHECK(metrics.families.contains(family));
  }
  for (const auto& [name, family] : metrics.families) {
    CAPTURE(name);
    CHECK(name.starts_with("yolod_"));
  }
  CHECK(metrics.total("yolod_requests_total", {{"model", "one"}, {"code", "200"}}) == kRequests);
  CHECK(metrics.total("yolod_requests_total", {{"model", ""}, {"code", "404"}}) == 2);
  CHECK(metrics.total("yolod_request_seconds_count", {{"model", "one"}, {"stage", "total"}}) >= kRequests);
  CHECK(metrics.total("yolod_workers", {{"model", "one"}, {"state", "ready"}}) == 2);
  CHECK(metrics.total("yolod_worker_restarts_total", {{"model", "one"}, {"reason", "SIGKILL"}}) == 1);
  CHECK(metrics.total("yolod_open_connections") >= 1);
}

}  // namespace yolod::tests
