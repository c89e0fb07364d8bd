// How long a test waits, and waiting for state outside this process that has no event to wait for.
#pragma once

#include <chrono>
#include <thread>

namespace yolod::tests {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// By how much this build or machine is slower than a release build on an idle one: YOLOD_TEST_SLOWNESS where it is
// set, else 4 under a sanitizer, else 1.
[[nodiscard]] double slowness();

// `duration` times slowness(). For every deadline, and for nothing that is itself the subject of a test.
[[nodiscard]] milliseconds scaled(milliseconds duration);

// Long enough that only a hang reaches it.
inline constexpr milliseconds kGenerous{120'000};

// From the SIGKILL of a front-end until the last of its processes is gone: a second in a build as shipped. With a
// sanitizer the end of a process alone may take that.
[[nodiscard]] inline milliseconds follow_time() { return slowness() > 1 ? kGenerous / 12 : milliseconds{1'000}; }

// Polls until `holds()` is true; false once the scaled deadline has passed.
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
