// What a storm has left behind, and what the log of its server accounts for.
#pragma once

#include <string>

#include "tests/chaos/storm.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/server.hpp"

namespace yolod::chaos {

// What a server at rest has.
struct Rest {
  tests::Baseline baseline;
  double arena_bytes{0};  // the allocator's own
  std::uint64_t front_end_kib{0};
};
[[nodiscard]] Rest rest_of(const tests::Server& server);

// Fills in what the log tells of reloads and deaths, what of that nothing in `result.counts` explains, and what was
// asked for and has not happened.
void look_at_log(const StormOptions& options, const std::string& log, StormResult& result);

// Reloads the config once more, waits until the server rests, and notes what it has more of than `before`, or less.
void look_at_rest(tests::Server& server, const Rest& before, int workers, StormResult& result);

}  // namespace yolod::chaos
