// These tests reload in the middle of something else: a start that fails, a stop, added and removed models, a stuck
// loader.
#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::size_t model_count(const Server& server) { return server.status().at("models").as_array().size(); }

Answer post_reload(const Server& server) { return HttpClient(server.admin_endpoint()).post("/reload", ""); }

const IdentityModel kFirstModel{.name = "one", .workers = 1};
const IdentityModel kSecondModel{.name = "two", .workers = 1};

IdentityModel crashing(IdentityModel model) {
  model.load_fault = "exit";
  return model;
}

}  // namespace

TEST_CASE("ReloadStates: an immediate stop ends a reload that a client waits for", "[process]") {
  Server server(identity_config({{.workers = 2}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  server.rewrite_config(identity_config({{.workers = 2, .load_delay = 600'000ms}}));
  HttpClient asking(server.admin_endpoint());
  REQUIRE(asking.connect());
  REQUIRE(asking.write(serialise({"POST", "/reload", {}, {}})));
  REQUIRE(wait_until([&] { return server.status().at("models").at(0).at("reloading").as_bool(); }));

  server.send_signal(SIGTERM);
  REQUIRE(wait_until(
      [&] { return !server.log_lines_with("SIGTERM:").empty(); }));  // two signals at once would count as one
  server.send_signal(SIGTERM);

  CHECK(asking.read_answer().error_code() == "shutting_down");
  CHECK(server.wait_for_exit() == exited(0));
  check_after_exit(server, before);
}

TEST_CASE("ReloadStates: a repaired config makes a server ready whose models failed from the start", "[process]") {
  const std::string preload = GENERATE("preload: auto", "preload: false");
  CAPTURE(preload);
  IdentityModel model{.workers = 2, .keys = {preload}};
  Server server(identity_config({crashing(model)}));
  REQUIRE(server.wait_until_listening());
  REQUIRE(wait_until([&] { return server.log_lines_with("replacing it in").size() >= 2; }));
  CHECK(HttpClient(server.endpoint()).get("/readyz").status == 503);

  server.rewrite_config(identity_config({model}));
  server.send_signal(SIGHUP);

  REQUIRE(server.wait_until_ready());
  CHECK(serves_next_request(server));
  CHECK(wait_until([&] { return server.log_lines_with("every model can serve").size() == 1; }));
  // A model that became ready late is not given up when a later reload fails.
  server.rewrite_config(identity_config({model, crashing(kSecondModel)}));
  CHECK(post_reload(server).status == 500);
  CHECK(server.running());
  CHECK(serves_next_request(server));
}

TEST_CASE("ReloadStates: a model that a reload adds appears when it serves, or not at all", "[process]") {
  Server server(identity_config({kFirstModel}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);

  server.rewrite_config(identity_config({kFirstModel, crashing(kSecondModel)}));
  CHECK(post_reload(server).status == 500);
  CHECK(model_count(server) == 1);
  CHECK(HttpClient(server.endpoint()).get("/readyz").status == 200);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=two", "x").error_code() == "unknown_model");

  server.rewrite_config(identity_config({kFirstModel, kSecondModel}));
  CHECK(post_reload(server).status == 200);
  CHECK(serves_next_request(server, {"one", "two"}));

  server.rewrite_config(identity_config({kFirstModel}));
  CHECK(post_reload(server).status == 200);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=two", "x").error_code() == "unknown_model");

  server.rewrite_config(
      identity_config({kFirstModel, crashing(kSecondModel)}));  // the model comes back, and cannot be served
  CHECK(post_reload(server).status == 500);
  CHECK(model_count(server) == 1);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=two", "x").error_code() == "unknown_model");
  check_after_case(server, before);
}

TEST_CASE("ReloadStates: a model replaces another when it is ready, or not at all", "[process]") {
  Server server(identity_config({kFirstModel}));
  REQUIRE(server.wait_until_ready());

  server.rewrite_config(identity_config({crashing(kSecondModel)}));
  CHECK(post_reload(server).status == 500);
  CHECK(HttpClient(server.endpoint()).get("/readyz").status == 200);
  CHECK(serves_next_request(server));
  CHECK(serves_next_request(server, {"one"}));

  server.rewrite_config(identity_config({kSecondModel}));
  CHECK(post_reload(server).status == 200);
  CHECK(serves_next_request(server));
  CHECK(HttpClient(server.endpoint()).post("/predict?model=one", "x").error_code() == "unknown_model");
}

TEST_CASE("ReloadStates: the requests of a removed model are finished", "[process]") {
  IdentityModel slow{.name = "slow", .workers = 1, .delay = 1'000ms, .keys = {"batch: {max_size: 1}"}};
  Server server(identity_config({kFirstModel, slow}));
  REQUIRE(server.wait_until_ready());
  InFlight request(server.endpoint(), 1, 50'000, "/predict?model=slow");
  REQUIRE(server.wait_for_worker_in("busy") != 0);

  server.rewrite_config(identity_config({kFirstModel}));
  CHECK(post_reload(server).status == 200);

  CHECK(request.finish_and_list_wrong() == kNoneWrong);
}

TEST_CASE("ReloadStates: there are never more than two generations at a time", "[process]") {
  // The worker of the first generation is busy for long, and the third generation waits until it has exited.
  Server server(identity_config({{.workers = 1, .delay = 3'000ms}}));
  REQUIRE(server.wait_until_ready());
  InFlight request(server.endpoint(), 1);
  REQUIRE(server.wait_for_worker_in("busy") != 0);
  const pid_t first = server.worker_pids().at(0);
  CHECK(post_reload(server).status == 200);

  CHECK(post_reload(server).status == 200);

  for (const auto& worker : server.workers()) CHECK(worker.pid != first);
  CHECK(request.finish_and_list_wrong() == kNoneWrong);
}

TEST_CASE("ReloadStates: a loader that stops forking is replaced, and its workers come back", "[process]") {
  Server server(identity_config({{.workers = 2, .keys = {"load_timeout: 10s"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  const pid_t loader = server.loader_pid();
  REQUIRE(::kill(loader, SIGSTOP) == 0);

  ::kill(workers.at(0), SIGKILL);

  CHECK(serves_next_request(server));
  CHECK(server.wait_until_replaced({workers.at(0)}));
  CHECK(server.loader_pid() != loader);
  check_after_case(server, before, {workers.at(0)});
}

TEST_CASE("ReloadStates: a reload through a proxy or from a page in a browser is refused", "[process]") {
  Server server(identity_config({kFirstModel}));
  REQUIRE(server.wait_until_ready());
  for (const char* const name : {"Origin", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "X-Client-IP",
                                 "True-Client-IP", "CF-Connecting-IP", "Sec-Fetch-Site", "Forwarded", "Via"}) {
    CAPTURE(name);
    CHECK(HttpClient(server.admin_endpoint()).post("/reload", "", {{name, "somebody"}}).status == 403);
  }
  CHECK(server.log_lines_with("are being loaded").empty());
}

}  // namespace yolod::tests
