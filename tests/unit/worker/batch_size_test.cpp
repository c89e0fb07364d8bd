#include "worker/batch_size.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

namespace yolod::worker {
namespace {

using common::Error;
using common::ErrorCode;
using std::chrono::microseconds;
using namespace std::chrono_literals;

// A network whose batches take the time that the test sets, on a clock that only these batches advance.
class FakeNetwork {
 public:
  explicit FakeNetwork(std::map<std::uint32_t, microseconds> times) : times_(std::move(times)) {}

  [[nodiscard]] BatchClock clock() {
    return {[this](std::uint32_t size) -> common::Outcome<model::Model::BatchTime> {
              ran.push_back(size);
              const auto time = times_.find(size);
              if (time == times_.end()) return Error{ErrorCode::kInternal, "no batch of that size"};
              const microseconds took = ran.size() == slow_run ? 10 * time->second : time->second;
              now_ += slowdown * took;
              return model::Model::BatchTime{took, slowdown * took};
            },
            [this] { return now_; }};
  }

  std::vector<std::uint32_t> ran;
  int slowdown{1};          // of the time that passes: what other processes take
  std::size_t slow_run{0};  // which of the runs something else delays; 0: none

 private:
  std::map<std::uint32_t, microseconds> times_;
  std::chrono::steady_clock::time_point now_;
};

BatchSizeChoice choose(FakeNetwork& network, std::uint32_t limit = 8, microseconds budget = 2s) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t size = 1; size <= limit; size *= 2) sizes.push_back(size);
  return choose_batch_size(sizes, budget, network.clock());
}

TEST_CASE("BatchSize: a network that gains nothing keeps a batch of one", "[worker][unit]") {
  FakeNetwork network({{1, 10ms}, {2, 20ms}, {4, 40ms}, {8, 80ms}});
  const auto choice = choose(network);
  CHECK(choice.size == 1);
  CHECK(describe(choice) == "batches of up to 1 input: 1 takes 10.0 ms, 2 take 20.0 ms, 4 take 40.0 ms");
  CHECK(std::count(network.ran.begin(), network.ran.end(), 8U) == 0);  // a larger size would use memory without a gain
}

TEST_CASE("BatchSize: a network that gains at every size goes up to the limit", "[worker][unit]") {
  FakeNetwork network({{1, 10ms}, {2, 11ms}, {4, 12ms}, {8, 13ms}});
  CHECK(choose(network).size == 8);
  FakeNetwork again({{1, 10ms}, {2, 11ms}, {4, 12ms}, {8, 13ms}});
  CHECK(choose(again, 4).size == 4);
  FakeNetwork odd({{1, 10ms}, {2, 11ms}, {4, 12ms}, {8, 13ms}});
  CHECK(choose(odd, 7).size == 4);
  FakeNetwork one({{1, 10ms}});
  CHECK(choose(one, 1).size == 1);
}

TEST_CASE("BatchSize: a gain of 5 % for each picture is enough, and less is not", "[worker][unit]") {
  FakeNetwork enough({{1, 10'000us}, {2, 19'000us}, {4, 38'000us}, {8, 76'000us}});
  CHECK(choose(enough).size == 2);
  FakeNetwork less({{1, 10'000us}, {2, 19'001us}, {4, 38'001us}, {8, 76'000us}});
  CHECK(choose(less).size == 1);
}

TEST_CASE("BatchSize: one size without a gain may be skipped, two may not", "[worker][unit]") {
  FakeNetwork over_one({{1, 10ms}, {2, 20ms}, {4, 30ms}, {8, 60ms}});
  CHECK(choose(over_one).size == 4);
  FakeNetwork over_two({{1, 10ms}, {2, 20ms}, {4, 40ms}, {8, 10ms}});
  CHECK(choose(over_two).size == 1);
}

TEST_CASE("BatchSize: a size that cannot run is not chosen, and no larger size is", "[worker][unit]") {
  FakeNetwork network({{1, 10ms}, {2, 11ms}, {8, 12ms}});
  const auto choice = choose(network);
  CHECK(choice.size == 2);
  CHECK(describe(choice) == "batches of up to 2 inputs: 1 takes 10.0 ms, 2 take 11.0 ms; no batch of that size");
  FakeNetwork none({});
  CHECK(choose(none).size == 1);
}

TEST_CASE("BatchSize: a slow network is not timed beyond the budget", "[worker][unit]") {
  FakeNetwork network({{1, 700ms}, {2, 800ms}, {4, 900ms}, {8, 1s}});
  const auto choice = choose(network);
  CHECK(choice.size == 1);
  CHECK(network.ran == std::vector<std::uint32_t>{1});
  CHECK(describe(choice) == "batches of up to 1 input: 1 takes 700.0 ms; no time to try larger ones");
}

TEST_CASE("BatchSize: on a busy machine the budget is elapsed time, and the choice uses processor time",
          "[worker][unit]") {
  FakeNetwork quiet({{1, 20ms}, {2, 30ms}, {4, 50ms}, {8, 90ms}});
  CHECK(choose(quiet).size == 8);
  FakeNetwork busy({{1, 20ms}, {2, 30ms}, {4, 50ms}, {8, 90ms}});
  busy.slowdown = 10;
  const auto choice = choose(busy);
  CHECK(choice.size == 2);
  CHECK(choice.stopped == "no time to try larger ones");
}

TEST_CASE("BatchSize: the tried sizes are the preferred sizes, or else powers of two", "[worker][unit]") {
  common::BatchConfig batch;
  CHECK(sizes_to_try(batch) == std::vector<std::uint32_t>{1, 2, 4, 8});
  batch.preferred_sizes = {1, 3, 6};
  CHECK(sizes_to_try(batch) == std::vector<std::uint32_t>{1, 3, 6});
  batch.preferred_sizes = {4};
  CHECK(sizes_to_try(batch) == std::vector<std::uint32_t>{1, 4});
}

TEST_CASE("BatchSize: a worker warms up for the sizes that it will serve", "[worker][unit]") {
  using Sizes = std::vector<std::size_t>;
  common::BatchConfig batch;
  CHECK(sizes_to_serve(batch, 0) == Sizes{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(sizes_to_serve(batch, 1) == Sizes{1});
  CHECK(sizes_to_serve(batch, 4) == Sizes{1, 2, 4});
  batch.preferred_sizes = {3, 6};
  CHECK(sizes_to_serve(batch, 1) == Sizes{1});
  CHECK(sizes_to_serve(batch, 3) == Sizes{1, 2, 3});
  CHECK(sizes_to_serve(batch, 6) == Sizes{1, 2, 3, 6});
  batch.max_size = 6;
  CHECK(sizes_to_serve(batch, 0) == Sizes{1, 2, 3, 6});
  batch.preferred_sizes.clear();
  CHECK(sizes_to_serve(batch, 0) == Sizes{1, 2, 3, 4, 5, 6});
}

TEST_CASE("BatchSize: with little time left, fewer rounds are run", "[worker][unit]") {
  FakeNetwork network({{1, 300ms}, {2, 310ms}});
  CHECK(choose(network, 2).size == 2);
  CHECK(network.ran == std::vector<std::uint32_t>{1, 2, 1, 2});
}

TEST_CASE("BatchSize: a single delayed run does not change the choice", "[worker][unit]") {
  for (std::size_t slow = 1; slow <= 15; ++slow) {
    FakeNetwork gains({{1, 10ms}, {2, 15ms}, {4, 20ms}});
    gains.slow_run = slow;
    CHECK(choose(gains, 4).size == 4);
    FakeNetwork gains_nothing({{1, 10ms}, {2, 20ms}, {4, 40ms}});
    gains_nothing.slow_run = slow;
    CHECK(choose(gains_nothing, 4).size == 1);
  }
}

TEST_CASE("BatchSize: batches that take no time cause no division by zero", "[worker][unit]") {
  FakeNetwork network({{1, 0us}, {2, 0us}, {4, 0us}, {8, 0us}});
  CHECK(choose(network).size == 8);
}

}  // namespace
}  // namespace yolod::worker
