// `recycle`: workers that have served enough requests, or grown too large, are replaced, and no client notices.
#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("Recycle: after the configured number of requests each worker is replaced, one at a time",
          "[process][recycle]") {
  Server server(identity_config({{.workers = 2, .delay = 2ms, .keys = {"recycle: {max_requests: 50}"}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 6, .body_bytes_max = 2'000});
  REQUIRE(wait_until([&] { return server.log_lines_with("is recycled").size() >= 6; }));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(server.log_lines_with("died").empty());
  CHECK(wait_until([&] { return server.workers().size() == 2; }));
  check_after_case(server, before);
}

TEST_CASE("Recycle: under a fast load no worker serves more requests than its limit", "[process][recycle]") {
  const int workers = GENERATE(1, 2);
  const std::string batch = GENERATE("batch: {max_size: 1}", "batch: {max_size: 8}");
  CAPTURE(workers, batch);
  Server server(identity_config({{.workers = workers, .keys = {"recycle: {max_requests: 25}", batch}}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  Load load(server.endpoint(), {.connection_count = 12, .body_bytes_max = 500});
  REQUIRE(wait_until([&] { return server.log_lines_with("is recycled").size() >= 20; }));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  const auto recycled = server.log_lines_with("is recycled");
  CHECK(server.log_lines_with("is recycled: it served 25 requests and").size() == recycled.size());
  CHECK(wait_until([&] { return server.workers().size() == static_cast<std::size_t>(workers); }));
  check_after_case(server, before);
}

TEST_CASE(
    "Recycle: a worker that has grown too large is replaced, and a limit below every worker's size causes no storm",
    "[process][recycle]") {
  // Any process is larger than this limit, and so is the worker's successor.
  Server server(identity_config({{.workers = 1, .delay = 2ms, .keys = {"recycle: {max_rss: 1MiB}"}}}));
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 2, .body_bytes_max = 2'000});
  REQUIRE(wait_until([&] { return server.log_lines_with("is removed").size() == 1; }));
  const auto removed_at = Clock::now();
  REQUIRE(load.wait_for_answers(200));
  const auto counts = load.stop();
  const auto more = (Clock::now() - removed_at) / 10s + 1;
  CHECK(static_cast<std::int64_t>(server.log_lines_with("is recycled").size()) <= 1 + more);
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
}

}  // namespace yolod::tests
