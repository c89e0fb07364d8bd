#include "worker/batch_size.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace yolod::worker {
namespace {

using std::chrono::microseconds;

constexpr int kRounds = 3;
constexpr int kFutileSizes = 2;

bool pays(const TimedBatch& larger, const TimedBatch& best) {
  constexpr std::int64_t kMostPercent = 95;
  return larger.time.cost.count() * best.size * 100 <= best.time.cost.count() * larger.size * kMostPercent;
}

// Returns how many rounds of both sizes fit into `left`, after a first, slower run of the larger size. The estimate
// assumes that the larger size costs as much for each picture as the best size.
int rounds_within(microseconds left, const TimedBatch& best, std::uint32_t size) {
  const microseconds larger = best.time.passed * size / best.size;
  const microseconds round = larger + best.time.passed;
  if (left < larger + round) return 0;
  if (round.count() == 0) return kRounds;
  return static_cast<int>(std::min<std::int64_t>((left - larger) / round, kRounds));
}

// Times both sizes in turn, so that other load on the machine affects both equally. Returns false if a batch failed.
bool time_both(const BatchClock& clock, int rounds, TimedBatch& best, TimedBatch& larger, std::string& why) {
  const auto first = clock.time_batch(larger.size);
  if (!first) {
    why = first.error().message;
    return false;
  }
  larger.time = {microseconds::max(), microseconds::max()};
  for (int round = 0; round < rounds; ++round) {
    for (TimedBatch* const timed : {&best, &larger}) {
      const auto took = clock.time_batch(timed->size);
      if (!took) {
        why = took.error().message;
        return false;
      }
      timed->time.cost = std::min(timed->time.cost, took->cost);
      timed->time.passed = std::min(timed->time.passed, took->passed);
    }
  }
  return true;
}

}  // namespace

std::vector<std::uint32_t> sizes_to_try(const common::BatchConfig& batch) {
  if (batch.preferred_sizes.empty()) return common::doubling_sizes(batch.size_limit());
  std::vector<std::uint32_t> sizes{1};
  for (const std::uint32_t size : batch.preferred_sizes) {
    if (size > 1) sizes.push_back(size);
  }
  return sizes;
}

std::vector<std::size_t> sizes_to_serve(const common::BatchConfig& batch, std::uint32_t found) {
  if (batch.preferred_sizes.empty() && found != 0) {
    const auto doubling = common::doubling_sizes(found);
    return {doubling.begin(), doubling.end()};
  }
  const std::size_t limit = found == 0 ? batch.size_limit() : found;
  std::vector<std::size_t> sizes;
  // A batch that does not fill the smallest preferred size runs at its own size.
  const std::size_t any_up_to = batch.preferred_sizes.empty() ? limit : batch.preferred_sizes.front();
  for (std::size_t size = 1; size <= std::min(any_up_to, limit); ++size) sizes.push_back(size);
  for (const std::uint32_t size : batch.preferred_sizes) {
    if (size > sizes.back() && size <= limit) sizes.push_back(size);
  }
  return sizes;
}

BatchSizeChoice choose_batch_size(const std::vector<std::uint32_t>& sizes, microseconds budget,
                                  const BatchClock& clock) {
  const auto start = clock.now();
  BatchSizeChoice choice;
  const auto one = clock.time_batch(1);
  if (!one) {
    choice.stopped = one.error().message;
    return choice;
  }
  choice.timed.push_back({1, *one});
  std::size_t best = 0;  // an index into choice.timed
  int futile = 0;
  for (std::size_t i = 1; i < sizes.size() && futile < kFutileSizes; ++i) {
    const std::uint32_t size = sizes[i];
    const auto left = budget - std::chrono::duration_cast<microseconds>(clock.now() - start);
    TimedBatch larger{size, {}};
    const int rounds = rounds_within(left, choice.timed[best], size);
    if (rounds == 0) {
      choice.stopped = "no time to try larger ones";
      break;
    }
    if (!time_both(clock, rounds, choice.timed[best], larger, choice.stopped)) break;
    choice.timed.push_back(larger);
    if (pays(larger, choice.timed[best])) {
      best = choice.timed.size() - 1;
      futile = 0;
    } else {
      ++futile;
    }
  }
  choice.size = choice.timed[best].size;
  return choice;
}

std::string describe(const BatchSizeChoice& choice) {
  std::string line = fmt::format("batches of up to {} input{}", choice.size, choice.size == 1 ? "" : "s");
  const char* before = ": ";
  for (const auto& timed : choice.timed) {
    line += fmt::format("{}{} {} {:.1f} ms", before, timed.size, timed.size == 1 ? "takes" : "take",
                        static_cast<double>(timed.time.cost.count()) / 1000);
    before = ", ";
  }
  if (!choice.stopped.empty()) line += "; " + choice.stopped;
  return line;
}

}  // namespace yolod::worker
