#include "worker/batch_size.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace yolod::worker {
namespace {

using std::chrono::microseconds;

constexpr int kRounds = 3;
constexpr int kFutileSizes = 2;

bool pays(const TimedBatch& larger, const TimedBatch& best) {
  constexpr std::int64_t kMostPercent = 95;
  return larger.took.count() * best.size * 100 <= best.took.count() * larger.size * kMostPercent;
}

// How many rounds of both sizes, after a first run of the larger one, which is slower, fit into `left`; it is taken to
// cost what the best size costs for each picture.
int rounds_within(microseconds left, const TimedBatch& best, std::uint32_t size) {
  const microseconds larger = best.took * size / best.size;
  const microseconds round = larger + best.took;
  if (left < larger + round) return 0;
  if (round.count() == 0) return kRounds;
  return static_cast<int>(std::min<std::int64_t>((left - larger) / round, kRounds));
}

// In turn, so that whatever else the machine does meets both alike. False where a batch failed.
bool time_both(const BatchClock& clock, int rounds, TimedBatch& best, TimedBatch& larger, std::string& why) {
  const auto first = clock.time_batch(larger.size);
  if (!first) {
    why = first.error().message;
    return false;
  }
  larger.took = microseconds::max();
  for (int round = 0; round < rounds; ++round) {
    for (TimedBatch* const timed : {&best, &larger}) {
      const auto took = clock.time_batch(timed->size);
      if (!took) {
        why = took.error().message;
        return false;
      }
      timed->took = std::min(timed->took, *took);
    }
  }
  return true;
}

}  // namespace

BatchSizeChoice choose_batch_size(std::uint32_t limit, microseconds budget, const BatchClock& clock) {
  const auto start = clock.now();
  BatchSizeChoice choice;
  const auto one = clock.time_batch(1);
  if (!one) {
    choice.stopped = one.error().message;
    return choice;
  }
  choice.timed.push_back({1, *one});
  std::size_t best = 0;  // of choice.timed
  int futile = 0;
  for (std::uint32_t size = 2; size <= limit && futile < kFutileSizes; size *= 2) {
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
  std::string line = fmt::format("batches of up to {}", choice.size);
  const char* before = ": ";
  for (const auto& timed : choice.timed) {
    line += fmt::format("{}{} in {:.1f} ms", before, timed.size, static_cast<double>(timed.took.count()) / 1000);
    before = ", ";
  }
  if (!choice.stopped.empty()) line += "; " + choice.stopped;
  return line;
}

}  // namespace yolod::worker
