// These tests take the database away from a server with people: predictions with known keys go on, and requests about
// accounts are refused at once. Cases with [postgres] need PostgreSQL.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/people_server.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/relay.hpp"

namespace yolod::tests {
namespace {

// Sends predictions with a key, one after another, until the object is destroyed.
class KeyedLoad {
 public:
  KeyedLoad(Endpoint endpoint, std::string key)
      : thread_([this, endpoint = std::move(endpoint), key = std::move(key)] {
          HttpClient client(endpoint);
          while (!stopping_) {
            const auto answer = client.post("/predict", "a body", bearer(key));
            ++(answer.status == 200 ? good_ : bad_);
          }
        }) {}
  KeyedLoad(const KeyedLoad&) = delete;
  KeyedLoad& operator=(const KeyedLoad&) = delete;
  ~KeyedLoad() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int good() const { return good_; }
  [[nodiscard]] int bad() const { return bad_; }

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<int> good_{0};
  std::atomic<int> bad_{0};
  std::thread thread_;
};

struct PostgresPeople {
  PostgresPeople() : PostgresPeople(PostgresServer::shared()->yaml(PostgresServer::shared()->create_database())) {}
  explicit PostgresPeople(const std::string& config)
      : postgres(*PostgresServer::shared()), server(config, {}, "register: open, mode: keys") {
    REQUIRE(server.wait_until_accounts("ready"));
    anna.emplace(server->endpoint());
    REQUIRE(anna->enroll("anna").status == 201);
    REQUIRE(anna->log_in("anna").status == 200);
    const auto made = anna->post("/api/keys", R"({"name":"camera"})");
    REQUIRE(made.status == 201);
    key = std::string(made.json().at("key").as_string());
  }
  // Takes the database away for `time` under load, and gives it back.
  void check_outage(const std::function<void()>& take_away, const std::function<void()>& give_back, milliseconds time) {
    KeyedLoad load(server->endpoint(), key);
    take_away();
    REQUIRE(wait_until([&] { return server.accounts_state() == "database_away"; }));
    Browser browser(server->endpoint());
    const auto end = Clock::now() + time;
    do {
      const auto began = Clock::now();
      const auto answer = browser.log_in("anna");
      CHECK(answer.status == 503);
      CHECK(answer.has_header("Retry-After"));
      CHECK(Clock::now() - began < promised(100ms));
      CHECK(anna->get("/api/me").status == 200);  // the session is known
      CHECK(anna->get("/api/keys").status == 503);
    } while (Clock::now() < end);
    give_back();
    const auto returned = Clock::now();
    REQUIRE(wait_until([&] { return Browser(server->endpoint()).log_in("anna").status == 200; }));
    CHECK(Clock::now() - returned < promised(2'000ms));
    load.stop();
    CHECK(load.bad() == 0);
    CHECK(load.good() > 0);
  }

  PostgresServer& postgres;
  PeopleServer server;
  std::optional<Browser> anna;
  std::string key;
};

}  // namespace

TEST_CASE("PostgreSQL: a person registers, logs in and makes a key", "[people][postgres]") {
  if (skips_postgres()) return;
  PostgresPeople people;
  CHECK(people.anna->predict("a body").status == 200);
  HttpClient program(people.server->endpoint());
  CHECK(program.post("/predict", "a body", bearer(people.key)).status == 200);

  const auto listed = people.anna->get("/api/keys");
  const auto id = listed.json().at("keys").at(0).at("id").as_int64();
  CHECK(people.anna->send("DELETE", "/api/keys/" + std::to_string(id)).status == 200);
  CHECK(program.post("/predict", "a body", bearer(people.key)).status == 401);
  CHECK(people.anna->post("/api/logout").status == 200);
}

TEST_CASE("PostgreSQL: killed under load, no prediction with a known key fails", "[people][postgres]") {
  if (skips_postgres()) return;
  PostgresPeople people;
  people.check_outage([&] { people.postgres.kill(); }, [&] { people.postgres.start(); }, 2'000ms);
}

TEST_CASE("PostgreSQL: stopped for 30 s under load, no prediction with a known key fails", "[people][postgres]") {
  if (skips_postgres()) return;
  PostgresPeople people;
  const auto time = is_long_run() ? 30'000ms : 6'000ms;
  people.check_outage([&] { people.postgres.freeze(); }, [&] { people.postgres.thaw(); }, time);
}

TEST_CASE("PostgreSQL: with a dead network under load, no prediction with a known key fails", "[people][postgres]") {
  if (skips_postgres()) return;
  auto& postgres = *PostgresServer::shared();
  Relay network(postgres.port());
  PostgresPeople people(postgres.yaml_over_tcp(postgres.create_database(), network.port()));
  const auto time = is_long_run() ? 30'000ms : 6'000ms;
  people.check_outage([&] { network.cut(); }, [&] { network.restore(); }, time);
}

TEST_CASE("PostgreSQL: a revoked key is refused by a second server within a second", "[people][postgres]") {
  if (skips_postgres()) return;
  auto& postgres = *PostgresServer::shared();
  const auto line = postgres.yaml(postgres.create_database());
  PeopleServer here(line, {}, "register: open, mode: keys");
  REQUIRE(here.wait_until_accounts("ready"));
  PeopleServer there(line, {}, "register: open, mode: keys");
  REQUIRE(there.wait_until_accounts("ready"));
  Browser anna(here->endpoint());
  REQUIRE(anna.enroll("anna").status == 201);
  REQUIRE(anna.log_in("anna").status == 200);
  const auto made = anna.post("/api/keys", R"({"name":"camera"})");
  REQUIRE(made.status == 201);
  const auto headers = bearer(std::string(made.json().at("key").as_string()));
  HttpClient program(there->endpoint());
  REQUIRE(wait_until([&] { return program.post("/predict", "a body", headers).status == 200; }));
  const auto id = made.json().at("record").at("id").as_int64();
  const auto began = Clock::now();
  REQUIRE(anna.send("DELETE", "/api/keys/" + std::to_string(id)).status == 200);
  REQUIRE(wait_until([&] { return program.post("/predict", "a body", headers).status == 401; }));
  CHECK(Clock::now() - began < promised(1'000ms));
}

}  // namespace yolod::tests
