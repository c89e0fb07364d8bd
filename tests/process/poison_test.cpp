// Fault case 21: an image that kills every worker that takes it.
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

namespace yolod::tests {
namespace {

std::size_t deaths_told(const Server& server) { return server.log_lines_with("SIGSEGV").size(); }

}  // namespace

TEST_CASE("Poison: it costs two workers and gets 500, then 422 at once; its neighbours get their answers",
          "[process][case21]") {
  Server server(identity_config({{.workers = 2, .delay = 20ms, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto workers = server.worker_pids();
  const std::string poison = "FAULT:segv 1";
  {
    Load neighbours(server.endpoint(), {.connection_count = 6, .body_bytes_max = 5'000});
    REQUIRE(neighbours.wait_for_answers(20));
    HttpClient client(server.endpoint());
    const auto killed = client.post("/predict", poison);
    CHECK(killed.status == 500);
    CHECK(killed.error_code() == "worker_crashed");
    CHECK(deaths_told(server) == 2);
    CHECK(server.log_lines_with("is quarantined").size() == 1);

    for (int i = 0; i < 5; ++i) {
      const auto refused = client.post("/predict", poison);
      CHECK(refused.status == 422);
      CHECK(refused.error_code() == "quarantined");
    }
    // Another image of the same kind is judged by itself.
    CHECK(client.post("/predict", "FAULT:segv 2").status == 500);
    CHECK(server.metric("yolod_quarantined_total") == 2);
    CHECK(server.wait_until_replaced(workers));
    REQUIRE(neighbours.wait_for_answers(20));
    const auto counts = neighbours.stop();
    CHECK(counts.right == counts.answered);
    CHECK(counts.incidents.empty());
  }
  CHECK(deaths_told(server) == 4);
  check_after_case(server, before);
}

TEST_CASE("Poison: of copies that wait together none kills more, and all are answered", "[process][case21]") {
  Server server(identity_config({{.workers = 1, .delay = 300ms, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::vector<int> statuses;
  {
    InFlight ahead(server.endpoint(), 1);  // the copies queue behind it
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    std::vector<HttpClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back(server.endpoint());
      REQUIRE(clients.back().connect());
      REQUIRE(clients.back().write(serialise({"POST", "/predict", {}, "FAULT:segv many"})));
    }
    CHECK(ahead.finish_and_list_wrong() == kNoneWrong);
    for (auto& client : clients) statuses.push_back(client.read_answer().status);
  }
  std::sort(statuses.begin(), statuses.end());
  CAPTURE(statuses);
  CHECK(std::all_of(statuses.begin(), statuses.end(), [](int status) { return status == 422 || status == 500; }));
  CHECK(statuses.back() == 500);
  CHECK(deaths_told(server) == 2);
  check_after_case(server, before);
}

TEST_CASE("Poison: who only stood beside it in a batch is answered", "[process][case21]") {
  Server server(identity_config({{.workers = 1, .delay = 300ms, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    InFlight ahead(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    InFlight beside(server.endpoint(), 3);
    HttpClient client(server.endpoint());
    CHECK(client.post("/predict", "FAULT:segv in a batch").status == 500);
    CHECK(beside.finish_and_list_wrong() == kNoneWrong);
    CHECK(ahead.finish_and_list_wrong() == kNoneWrong);
  }
  CHECK(deaths_told(server) == 2);
  CHECK(server.metric("yolod_quarantined_total") == 1);
  check_after_case(server, before);
}

}  // namespace yolod::tests
