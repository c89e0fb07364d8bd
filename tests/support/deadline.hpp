// Deadlines of tests, and polling for state outside this process that has no event.
#pragma once

#include <chrono>
#include <thread>

namespace yolod::tests {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Returns how many times slower this build or machine is than a release build on an idle machine: YOLOD_TEST_SLOWNESS
// if it is set, else 4 under a sanitizer, else 1.
[[nodiscard]] double slowness();

// Returns `duration` times slowness(). Use it for every deadline, but not for a duration that a test examines.
[[nodiscard]] milliseconds scaled(milliseconds duration);

// Only a hang takes this long.
inline constexpr milliseconds kGenerous{120'000};

// The time from the SIGKILL of a front-end until the last of its processes is gone: a second in a build as shipped.
// With a sanitizer the end of a single process may take a second.
[[nodiscard]] inline milliseconds follow_time() { return slowness() > 1 ? kGenerous / 12 : milliseconds{1'000}; }

// Polls until `holds()` is true. Returns false after the scaled deadline.
template <typename Predicate>
[[nodiscard]] bool wait_until(Predicate&& holds, milliseconds deadline = kGenerous) {
  const auto end = Clock::now() + scaled(deadline);
  for (;;) {
    if (holds()) return true;
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace yolod::tests
