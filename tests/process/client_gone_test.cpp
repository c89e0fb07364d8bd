// Fault case 23: clients disconnect in the middle of a body, while their request waits, and while it runs.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/in_flight.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

std::int64_t queue_depth(const Server& server) {
  return server.status().at("models").at(0).at("queue").at("depth").as_int64();
}

std::int64_t requests_served(const Server& server) {
  std::int64_t sum = 0;
  const auto status = server.status();
  for (const auto& worker : status.at("models").at(0).at("workers").as_array()) {
    sum += worker.at("requests").as_int64();
  }
  return sum;
}

double requests_with_code(const Server& server, const std::string& code) {
  return server.metric("yolod_requests_total", {{"code", code}});
}

}  // namespace

TEST_CASE("ClientGone: a request whose client left while it waited is not computed", "[process][case23][waits]") {
  // The delay is long enough to send and cancel all requests while the worker computes the first.
  Server server(identity_config({{.workers = 1, .delay = scaled(2'000ms), .keys = {"hang_timeout: 1m"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    InFlight running(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    InFlight staying(server.endpoint(), 1);
    {
      std::vector<HttpClient> leaving;
      for (int i = 0; i < 5; ++i) {
        leaving.emplace_back(server.endpoint());
        REQUIRE(leaving.back().connect());
        REQUIRE(leaving.back().write(serialise({"POST", "/predict", {}, random_body(1000, 7)})));
      }
      REQUIRE(wait_until([&] { return queue_depth(server) == 6; }));
    }
    CHECK(wait_until([&] { return queue_depth(server) <= 1; }));
    CHECK(wait_until([&] { return requests_with_code(server, "499") == 5; }));
    CHECK(server.wait_for_worker_in("busy") != 0);
    CHECK(requests_served(server) == 0);  // the worker still computes the first request
    CHECK(running.finish_and_list_wrong() == kNoneWrong);
    CHECK(staying.finish_and_list_wrong() == kNoneWrong);
  }
  CHECK(requests_served(server) == 2);
  check_after_case(server, before);
}

TEST_CASE("ClientGone: a client that shuts down its sending side and still reads gets its answer",
          "[process][case23]") {
  Server server(identity_config({{.workers = 1, .delay = 700ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  {
    InFlight running(server.endpoint(), 1);
    REQUIRE(server.wait_for_worker_in("busy") != 0);
    HttpClient client(server.endpoint());
    const auto body = random_body(1000, 3);
    REQUIRE(client.connect());
    REQUIRE(client.write(serialise({"POST", "/predict", {}, body})));
    client.finish_writing();
    CHECK(is_identity_answer(client.read_answer(), body));
    CHECK(running.finish_and_list_wrong() == kNoneWrong);
  }
  check_after_case(server, before);
}

// YOLOD_TEST_LEAVERS sets the count. The fault case asks for ten thousand.
TEST_CASE("ClientGone: thousands of clients that leave in the middle leave nothing behind", "[process][case23][soak]") {
  const char* const asked = std::getenv("YOLOD_TEST_LEAVERS");
  const int count = asked != nullptr ? std::atoi(asked) : 2'000;
  // The worker is so slow that some requests still wait when their clients leave.
  Server server(identity_config({{.workers = 2, .delay = 400ms}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  const auto arena_used = [&server] { return server.metric("yolod_arena_bytes", {{"kind", "used"}}); };
  const auto used_before = arena_used();  // the allocator's own bytes
  std::atomic<int> connected{0};
  constexpr int kThreads = 4;
  std::vector<std::thread> clients;
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back([&server, &connected, t, count] {
      for (int i = t; i < count; i += kThreads) {
        HttpClient client(server.endpoint());
        if (!client.connect()) continue;
        ++connected;
        const auto whole = serialise({"POST", "/predict", {}, random_body(20'000, static_cast<std::uint64_t>(i))});
        // The client leaves at any point: in the header, in the body, or after the last byte, while the request waits
        // or runs.
        const auto sent = i % 3 == 0 ? whole.size() : whole.size() * static_cast<std::size_t>(i % 97) / 97;
        (void)client.write(std::string_view(whole).substr(0, sent));
      }
    });
  }
  for (auto& client : clients) client.join();
  CHECK(connected == count);
  CHECK(wait_until([&] { return arena_used() == used_before && queue_depth(server) == 0; }));
  CHECK(requests_with_code(server, "400") > 0);  // these clients left within the body
  CHECK(requests_with_code(server, "499") > 0);  // these clients left while their requests waited
  CHECK(wait_until([&] {
    const auto workers = server.workers();
    return workers.size() == 2 && std::all_of(workers.begin(), workers.end(),
                                              [](const WorkerStatus& worker) { return worker.state == "ready"; });
  }));
  check_after_case(server, before);
}

}  // namespace yolod::tests
