// The config of the program that yolod descends from has two sections, `postgres:` and `workers:`. These tests start a
// server with such a file, over a real PostgreSQL and the real network that comes with the source.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/people_server.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {

TEST_CASE("PostgreSQL: with the old file of two sections a person registers, logs in, posts a picture and logs out",
          "[e2e][people][postgres]") {
  if (skips_postgres()) return;
  if (const auto reason = reason_to_skip_networks(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  auto& postgres = *PostgresServer::shared();
  const auto database = postgres.create_database();
  const auto settings = postgres.settings(database, true);
  const auto model = source_directory() / "model/data/demo";
  ServerOptions options;
  options.config = "postgres: {database: " + database + ", user: yolod, password: " + PostgresServer::kPassword +
                   ", host: localhost, port: " + std::to_string(settings.port) +
                   ", minsize: 1, maxsize: 5}\n"
                   "workers:\n"
                   "  max_workers: 1\n"
                   "  model_path: {data: " +
                   model.string() + ".names, weights: " + model.string() + ".weights, cfg: " + model.string() +
                   ".cfg}\n";
  options.arguments = {"--set", "server.listen=127.0.0.1:0"};  // other tests may use the default port
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());

  Browser anna(server.endpoint());
  REQUIRE(wait_until([&] { return anna.enroll("anna").status == 201; }));
  CHECK(anna.log_in("anna", "wrong lamp river 9").status == 401);
  REQUIRE(anna.log_in("anna").status == 200);
  CHECK(anna.get("/api/me").json().at("name") == "anna");
  const auto picture = read_file(model.string() + ".jpg");
  REQUIRE_FALSE(picture.empty());
  const auto answer = anna.predict(picture);
  REQUIRE(answer.status == 200);
  CHECK(answer.json().at("predictions").as_array().size() >= 2);
  CHECK(anna.post("/api/logout").status == 200);
  CHECK(anna.get("/api/me").status == 401);
  CHECK(server.log().find(PostgresServer::kPassword) == std::string::npos);
}

}  // namespace yolod::tests
