// Runs a server under load and does everything to it that must cost no client an answer. It kills, interrupts and
// stops workers and their loader, changes the number of workers, and reloads good and bad configs. Some clients leave
// in the middle, and some post requests that kill workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/tally.hpp"

namespace yolod::chaos {

// An action with a period of zero never happens.
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
  std::chrono::milliseconds reload_every{20'000};    // SIGHUP; one config in four cannot be served
  std::chrono::milliseconds poison_every{7'000};
};

struct StormResult {
  Counts counts;
  std::uint64_t reloads_done{0};          // from the log, as the two below
  std::uint64_t reloads_failed{0};        // of bad configs, or with killed workers
  std::uint64_t deaths_told{0};           // of workers
  std::uint64_t deaths_by_poison{0};      // of workers that no action has killed
  std::uint64_t front_end_kib_before{0};  // resident and private: without the arena and the lanes
  std::uint64_t front_end_kib_after{0};
  std::vector<std::string> leaked;       // leftovers at the end, a line each
  std::vector<std::string> unexplained;  // deaths that no action explains, and complaints of sanitizers
  std::vector<std::string> not_done;     // requested actions that did not happen: such a storm proves nothing
  std::string log;                       // the server's log

  [[nodiscard]] bool clean() const {
    return counts.clean() && leaked.empty() && unexplained.empty() && not_done.empty();
  }
};

// Calls `progress` regularly with the fraction that is over. The seed determines the actions, but not the state that
// they meet.
[[nodiscard]] StormResult run_storm(const StormOptions& options, const std::function<void(double)>& progress);

}  // namespace yolod::chaos
