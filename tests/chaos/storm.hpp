// A server under load to which everything happens that must cost no client an answer: workers and their loader are
// killed, the config is reloaded, good and bad, clients leave in the middle, and some post what kills workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/tally.hpp"

namespace yolod::chaos {

struct StormOptions {
  std::chrono::seconds duration{60};
  std::uint64_t seed{1};
  int workers{4};
  std::size_t connections{32};
  std::chrono::milliseconds delay{20};
  std::chrono::milliseconds kill_every{500};
  std::chrono::milliseconds reload_every{20'000};
  std::chrono::milliseconds poison_every{7'000};
};

// What was left behind at the end, each a line; empty: nothing.
struct StormResult {
  Counts counts;
  std::vector<std::string> leaked;
  std::string log;  // the server's
};

// `progress` is called every so often, with the part that is over. The mix follows from the seed; what it meets does
// not.
[[nodiscard]] StormResult run_storm(const StormOptions& options, const std::function<void(double)>& progress);

}  // namespace yolod::chaos
