#include "app/process/doorbell_patience.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_CASE("DoorbellPatience: a ring with a completion causes no pause", "[app][unit]") {
  DoorbellPatience patience;
  for (std::uint64_t completions = 1; completions <= 10'000; ++completions) {
    const auto verdict = patience.heard(1, completions);
    REQUIRE_FALSE(verdict.mad);
    REQUIRE(verdict.pause == 0ms);
    // The worker rings twice more for completions that the front-end has already found.
    REQUIRE(patience.heard(2, completions).pause == 0ms);
  }
}

TEST_CASE("DoorbellPatience: useless rings cause ever longer pauses, up to a tenth of a second", "[app][unit]") {
  DoorbellPatience patience;
  for (std::uint64_t i = 0; i < DoorbellPatience::kUsual; ++i) REQUIRE(patience.heard(1, 0).pause == 0ms);
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 10; ++i) pauses.push_back(patience.heard(1, 0).pause);
  CHECK(pauses == std::vector<milliseconds>{1ms, 2ms, 4ms, 8ms, 16ms, 32ms, 64ms, 100ms, 100ms, 100ms});
  SECTION("and a completion ends the pauses") {
    CHECK(patience.heard(1, 1).pause == 0ms);
    for (std::uint64_t i = 0; i < DoorbellPatience::kUsual; ++i) CHECK(patience.heard(1, 1).pause == 0ms);
    CHECK(patience.heard(1, 1).pause == 1ms);
  }
}

TEST_CASE("DoorbellPatience: a worker with a thousand useless rings is mad, whether they come singly or together",
          "[app][unit]") {
  const std::uint64_t at_once = GENERATE(as<std::uint64_t>{}, 1, 7, 999, 1000, UINT64_MAX);
  DoorbellPatience patience;
  std::uint64_t heard = 0;
  bool mad = false;
  while (!mad) {
    mad = patience.heard(at_once, 0).mad;
    heard += std::min(at_once, DoorbellPatience::kMad);
    REQUIRE(mad == (heard >= DoorbellPatience::kMad));
  }
}

TEST_CASE("DoorbellPatience: a worker with completions stays sane, however often it rings between them",
          "[app][unit]") {
  DoorbellPatience patience;
  for (std::uint64_t completions = 1; completions < 1000; ++completions) {
    REQUIRE_FALSE(patience.heard(UINT64_MAX, completions).mad);
    REQUIRE_FALSE(patience.heard(DoorbellPatience::kMad - 1, completions).mad);
  }
}

}  // namespace
}  // namespace yolod::app::process
