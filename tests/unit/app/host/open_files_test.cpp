#include "app/host/open_files.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::host {
namespace {

TEST_CASE("Open files: connections get what the front-end and its workers leave", "[app][host][unit]") {
  CHECK(connections_within(1024, 0, 0, 512) == 512);
  CHECK(connections_within(1024, 0, 0, 5000) == 1024 - 64);
  CHECK(connections_within(1024, 4, 0, 5000) == 1024 - 64 - 2 * 8 * 4);
  CHECK(connections_within(1024, 4, 100, 5000) == 1024 - 64 - 2 * 8 * 4 - 100);
  CHECK(connections_within(RLIM_INFINITY, 1000, 100, 5000) == 5000);
}

TEST_CASE("Open files: at least one connection is left, however low the limit is", "[app][host][unit]") {
  for (const rlim_t limit : {0, 64, 128, 129}) CHECK(connections_within(limit, 4, 0, 512) == 1);
  CHECK(connections_within(130, 4, 0, 512) == 2);
}

TEST_CASE("Open files: the soft limit becomes the hard limit, and the earlier limit is returned", "[app][host][unit]") {
  rlimit whole{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &whole) == 0);
  const rlimit little{100, whole.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &little) == 0);
  CHECK(raise_open_files().rlim_cur == 100);
  rlimit now{};
  CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur == whole.rlim_max);
  setrlimit(RLIMIT_NOFILE, &whole);
}

}  // namespace
}  // namespace yolod::app::host
