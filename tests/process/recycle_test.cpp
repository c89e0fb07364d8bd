// `recycle`: workers that have served enough, or grown too large, are replaced and no client notices.
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/load.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {

TEST_CASE("Recycle: after so many requests each worker is replaced, one at a time", "[process][recycle]") {
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

TEST_CASE("Recycle: a worker that has grown too large is replaced", "[process][recycle]") {
  // Any process is larger than this: each worker goes as soon as its successor is ready.
  Server server(identity_config({{.workers = 1, .delay = 2ms, .keys = {"recycle: {max_rss: 1MiB}"}}}));
  REQUIRE(server.wait_until_ready());
  Load load(server.endpoint(), {.connection_count = 2, .body_bytes_max = 2'000});
  REQUIRE(wait_until([&] { return server.log_lines_with("is removed").size() >= 3; }));
  const auto counts = load.stop();
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
}

}  // namespace yolod::tests
