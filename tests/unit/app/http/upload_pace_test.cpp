#include "app/http/upload_pace.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace yolod::app::http {
namespace {

using namespace std::chrono_literals;
using common::Clock;

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr auto kTimeout = 30'000ms;
const Clock::time_point kBegan{1h};

// A body that arrives at an even rate, after `elapsed`.
Upload steady(std::uint64_t length, double bytes_per_second, std::chrono::milliseconds elapsed) {
  const auto received = bytes_per_second * std::chrono::duration<double>(elapsed).count();
  return {kBegan, length, static_cast<std::uint64_t>(received), length, bytes_per_second};
}

// Returns when a body with that rate is first found too slow, or nothing if that never happens.
std::optional<std::chrono::milliseconds> refused_after(std::uint64_t length, double bytes_per_second,
                                                       std::chrono::milliseconds timeout = kTimeout) {
  for (auto elapsed = 0ms; elapsed <= timeout; elapsed += 100ms) {
    const auto upload = steady(length, bytes_per_second, elapsed);
    if (length != 0 && upload.received_bytes >= length) return std::nullopt;
    if (!keeps_pace(upload, timeout, kBegan + elapsed)) return elapsed;
  }
  return std::nullopt;
}

TEST_CASE("UploadPace: no rate is required in the first two seconds", "[app][unit]") {
  CHECK(keeps_pace({kBegan, 16 * kMiB, 0, 0, 0}, kTimeout, kBegan + 2s));
  CHECK_FALSE(keeps_pace({kBegan, 16 * kMiB, 0, 0, 0}, kTimeout, kBegan + 2001ms));
  CHECK_FALSE(keeps_pace({kBegan, 0, 0, 0, 0}, kTimeout, kBegan + 2001ms));
}

TEST_CASE("UploadPace: a body of any length is too slow below 16 KiB a second", "[app][unit]") {
  const auto length = GENERATE(std::uint64_t{0}, std::uint64_t{100'000}, kMiB, 16 * kMiB);
  CHECK(refused_after(length, 15'000) == 2100ms);
}

TEST_CASE("UploadPace: a short or a chunked body need not be faster", "[app][unit]") {
  CHECK_FALSE(refused_after(100'000, 17'000));
  CHECK_FALSE(refused_after(0, 17'000));
}

TEST_CASE("UploadPace: a long body must arrive as fast as body_timeout asks of its length", "[app][unit]") {
  // 16 MiB in 30 s are 559 kB a second.
  CHECK(refused_after(16'777'200, 17 * 1024) == 2100ms);
  CHECK_FALSE(refused_after(16'777'200, 560'000));
  const auto nearly = refused_after(16'777'200, 550'000);
  REQUIRE(nearly);
  CHECK(*nearly > 20s);
  CHECK_FALSE(refused_after(4 * kMiB, 140'000));
}

TEST_CASE("UploadPace: a body that begins late may catch up", "[app][unit]") {
  Upload upload{kBegan, 16 * kMiB, 0, 16 * kMiB, 0};
  for (auto elapsed = 0ms; elapsed <= 14s; elapsed += 100ms) {
    // The rate is 50 kB/s for 2 s, then 1.5 MB/s.
    upload.received_bytes += elapsed < 2s ? 5'000 : 150'000;
    REQUIRE(keeps_pace(upload, kTimeout, kBegan + elapsed));
  }
}

TEST_CASE("UploadPace: with a body_timeout within the grace period only the deadline counts", "[app][unit]") {
  CHECK(keeps_pace({kBegan, 16 * kMiB, 40'000, 0, 0}, 1'000ms, kBegan + 2100ms));
}

TEST_CASE("UploadPace: an upload is behind if its rate cannot meet the deadline, from the first moment on",
          "[app][unit]") {
  CHECK(is_behind(steady(16'777'200, 17 * 1024, 500ms), kTimeout, kBegan + 500ms));
  CHECK_FALSE(is_behind(steady(16'777'200, 570'000, 500ms), kTimeout, kBegan + 500ms));
  CHECK(is_behind(steady(0, 10'000, 500ms), kTimeout, kBegan + 500ms));
  CHECK_FALSE(is_behind(steady(0, 17'000, 500ms), kTimeout, kBegan + 500ms));
}

TEST_CASE("UploadPace: an upload without room, a young upload and an almost complete upload have no cost",
          "[app][unit]") {
  const auto cost = [](Upload upload, std::chrono::milliseconds elapsed) {
    return cost_to_come(upload, kTimeout, kBegan + elapsed);
  };
  auto holds_nothing = steady(16 * kMiB, 17'000, 1s);
  holds_nothing.held_bytes = 0;
  CHECK_FALSE(cost(holds_nothing, 1s));
  CHECK_FALSE(cost(steady(16 * kMiB, 17'000, 499ms), 499ms));
  CHECK(cost(steady(16 * kMiB, 17'000, 500ms), 500ms));
  CHECK_FALSE(cost(steady(16 * kMiB, 4e6, 1s), 1s));
  CHECK_FALSE(cost(steady(100'000, 17'000, 1s), 1s));
  CHECK(cost(steady(16 * kMiB, 1e6, 1s), 1s));
}

TEST_CASE("UploadPace: an upload that was slow and is fast now is judged by its present rate", "[app][unit]") {
  auto upload = steady(16 * kMiB, 100'000, 1s);
  CHECK(cost_to_come(upload, kTimeout, kBegan + 1s));
  upload.recent_bytes_per_second = 5e6;
  CHECK_FALSE(cost_to_come(upload, kTimeout, kBegan + 1s));
}

TEST_CASE("UploadPace: the cost is room times time, and a chunked body counts as one that fills its room",
          "[app][unit]") {
  const auto cost_of = [](std::uint64_t length, double rate) {
    return *cost_to_come(steady(length, rate, 1s), kTimeout, kBegan + 1s);
  };
  CHECK(cost_of(16 * kMiB, 17'000) > cost_of(16 * kMiB, 100'000));
  CHECK(cost_of(16 * kMiB, 17'000) > cost_of(4 * kMiB, 17'000));
  const Upload chunked{kBegan, 0, 17'000, 16 * kMiB, 17'000};
  CHECK(*cost_to_come(chunked, kTimeout, kBegan + 1s) == Approx(cost_of(16 * kMiB, 17'000)));
  const Upload silent{kBegan, 0, 0, kMiB, 0};
  CHECK(cost_to_come(silent, kTimeout, kBegan + 1s));
}

TEST_CASE("UploadPace: the uploads with the highest cost are evicted, as many as are needed", "[app][unit]") {
  std::vector<Candidate> candidates{{1, 10, 0}, {9, 10, 1}, {5, 10, 2}};
  const auto short_bytes = GENERATE(1, 10, 11, 20, 30);
  const auto count = choose_victims(candidates, static_cast<std::uint64_t>(short_bytes));
  CHECK(count == static_cast<std::size_t>((short_bytes + 9) / 10));
  CHECK(candidates[0].index == 1);
  CHECK(candidates[1].index == 2);
}

TEST_CASE("UploadPace: no upload is evicted if the evictions would not free enough room", "[app][unit]") {
  std::vector<Candidate> candidates{{1, 10, 0}, {9, 10, 1}};
  CHECK(choose_victims(candidates, 21) == 0);
  CHECK(choose_victims(candidates, 0) == 0);
  CHECK(choose_victims({}, 1) == 0);
}

}  // namespace
}  // namespace yolod::app::http
