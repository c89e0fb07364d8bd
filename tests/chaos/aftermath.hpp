// Checks the server after a storm, and compares its log with the storm's actions.
#pragma once

#include <string>

#include "tests/chaos/storm.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/server.hpp"

namespace yolod::chaos {

// The state of a server at rest.
struct Rest {
  tests::Baseline baseline;
  double arena_bytes{0};  // the allocator's own bytes
  std::uint64_t front_end_kib{0};
};
[[nodiscard]] Rest rest_of(const tests::Server& server);

// Fills in the reloads and deaths in the log, those that nothing in `result.counts` explains, and the requested
// actions that did not happen.
void look_at_log(const StormOptions& options, const std::string& log, StormResult& result);

// Reloads the config once more, waits until the server rests, and notes each difference from `before`.
void look_at_rest(tests::Server& server, const Rest& before, int workers, StormResult& result);

}  // namespace yolod::chaos
