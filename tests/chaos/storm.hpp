// A server under load to which everything happens that must cost no client an answer: workers and their loader are
// killed, interrupted and stopped, there are more and fewer of them, the config is reloaded, good and bad, clients
// leave in the middle, and some post what kills workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/tally.hpp"

namespace yolod::chaos {

// A period of zero: never.
struct StormOptions {
  std::chrono::seconds duration{600};
  std::uint64_t seed{1};
  int workers{4};
  std::size_t connections{32};
  std::chrono::milliseconds delay{20};
  std::chrono::milliseconds kill_every{500};         // SIGKILL of a worker, and now and then of the loader
  std::chrono::milliseconds interrupt_every{3'000};  // SIGINT of a worker
  std::chrono::milliseconds hang_every{13'000};      // SIGSTOP of a worker
  std::chrono::milliseconds resize_every{5'000};     // TTIN and TTOU in turn
  std::chrono::milliseconds reload_every{20'000};    // SIGHUP, one in four with what cannot be served
  std::chrono::milliseconds poison_every{7'000};
};

struct StormResult {
  Counts counts;
  std::uint64_t reloads_done{0};          // told in the log, as the two below
  std::uint64_t reloads_failed{0};        // of what is broken, or whose workers were killed
  std::uint64_t deaths_told{0};           // of workers
  std::uint64_t deaths_by_poison{0};      // of those, whom nothing here has killed
  std::uint64_t front_end_kib_before{0};  // resident and its own: not the arena and the lanes
  std::uint64_t front_end_kib_after{0};
  std::vector<std::string> leaked;       // what was left behind at the end, each a line
  std::vector<std::string> unexplained;  // deaths that nothing here accounts for, and complaints of sanitizers
  std::vector<std::string> not_done;     // what was asked for and did not happen: such a storm shows nothing
  std::string log;                       // the server's

  [[nodiscard]] bool clean() const {
    return counts.clean() && leaked.empty() && unexplained.empty() && not_done.empty();
  }
};

// `progress` is called every so often, with the part that is over. The mix follows from the seed; what it meets does
// not.
[[nodiscard]] StormResult run_storm(const StormOptions& options, const std::function<void(double)>& progress);

}  // namespace yolod::chaos
