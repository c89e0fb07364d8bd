// These tests check POST /reload and `yolodctl reload`, which start a reload and answer when it has ended.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/support/load.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

int generation_of(const Server& server, std::size_t model) {
  return static_cast<int>(server.status().at("models").at(model).at("generation").as_int64());
}

const std::string kTwo = identity_config({{.name = "one", .workers = 1}, {.name = "two", .workers = 1}});

}  // namespace

TEST_CASE("ReloadRequest: the answer comes when the new generation serves", "[process]") {
  Server server(kTwo);
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.admin_endpoint());
  const auto all = client.post("/reload", "");
  CHECK(all.status == 200);
  CHECK(generation_of(server, 0) == 2);
  CHECK(generation_of(server, 1) == 2);
  const auto one = client.post("/reload?model=two", "");
  CHECK(one.status == 200);
  CHECK(generation_of(server, 0) == 2);
  CHECK(generation_of(server, 1) == 3);
}

TEST_CASE("ReloadRequest: the answer to an impossible reload gives the reason, and nothing changes", "[process]") {
  Server server(kTwo);
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.admin_endpoint());
  CHECK(client.post("/reload?model=three", "").error_code() == "unknown_model");
  CHECK(client.post("/reload?module=two", "").error_code() == "invalid_parameter");
  CHECK(client.get("/reload").status == 405);
  CHECK(HttpClient(server.admin_endpoint()).post("/reload", "a body").error_code() == "bad_request");

  server.rewrite_config("models: [");
  const auto broken = client.post("/reload", "");
  CHECK(broken.status == 500);
  CHECK(std::string(broken.json().at("error").at("message").as_string()).find("the server's log says why") !=
        std::string::npos);

  server.rewrite_config(
      identity_config({{.name = "one", .workers = 1, .load_fault = "exit"}, {.name = "two", .workers = 1}}));
  const auto failed = client.post("/reload?model=one", "");
  CHECK(failed.status == 500);
  CHECK_FALSE(failed.json().at("error").at("message").as_string().empty());
  CHECK(generation_of(server, 0) == 1);
  CHECK(HttpClient(server.endpoint()).post("/predict?model=one", "x").status == 200);
}

TEST_CASE("ReloadRequest: a second request while the first runs gets 503 with Retry-After", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  server.rewrite_config(identity_config({{.workers = 1, .load_delay = 1'000ms}}));
  HttpClient first(server.admin_endpoint());
  REQUIRE(first.connect());
  REQUIRE(first.write(serialise({"POST", "/reload", {}, {}})));
  REQUIRE(wait_until([&] { return server.status().at("models").at(0).at("reloading").as_bool(); }));
  const auto second = HttpClient(server.admin_endpoint()).post("/reload", "");
  CHECK(second.status == 503);
  CHECK(second.has_header("Retry-After"));
  CHECK(first.read_answer().status == 200);
}

TEST_CASE("ReloadRequest: yolodctl requests a reload, and its exit code tells how it ended", "[process]") {
  if (!std::filesystem::exists(binary_directory() / "yolodctl")) {
    WARN("SKIPPED: this build has no yolodctl");
    return;
  }
  Server server(kTwo);
  REQUIRE(server.wait_until_ready());
  const auto done = run_program({"yolodctl", "reload", "--url", server.admin_url()});
  CHECK(done.exit == exited(0));
  CHECK(done.output == "reloaded\n");
  const auto none = run_program({"yolodctl", "reload", "--url", server.admin_url(), "--model", "three"});
  CHECK(none.exit == exited(1));
  CHECK_THAT(none.errors, Catch::Contains("there is no model of that name"));
  CHECK(run_program({"yolodctl", "reload", "--url", "ftp://x"}).exit == exited(2));
}

TEST_CASE("ReloadRequest: in_place removes the old workers first, and requests wait for the new workers", "[process]") {
  const auto config = [](const std::string& fault) {
    return identity_config({{.workers = 2,
                             .delay = 5ms,
                             .load_delay = 200ms,
                             .load_fault = fault,
                             .keys = {"reload: in_place", "queue: {timeout: 60s}"}}});
  };
  Server server(config("none"));
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 4, .body_bytes_max = 5'000});
  REQUIRE(load.wait_for_answers(20));
  CHECK(HttpClient(server.admin_endpoint()).post("/reload", "").status == 200);
  CHECK(generation_of(server, 0) == 2);
  REQUIRE(load.wait_for_answers(20));

  server.rewrite_config(config("exit"));  // the server loads the previous settings again
  CHECK(HttpClient(server.admin_endpoint()).post("/reload", "").status == 500);
  REQUIRE(load.wait_for_answers(20));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  for (const auto& incident : counts.incidents) FAIL_CHECK(describe(incident));
}

}  // namespace yolod::tests
