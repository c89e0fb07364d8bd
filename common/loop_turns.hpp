// Measures how long each handler of the event loop runs, because nothing else is served meanwhile.
//
// tools/cmake/asio_turns.hpp makes Asio call begin() and end() around every handler. The process has one object, and
// only the main thread may run an event loop that is measured.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace yolod::common {

class LoopTurns {
 public:
  // Turns that take longer than these limits are counted.
  static constexpr std::array<std::uint64_t, 6> kLongerThanUs{1'000, 2'000, 5'000, 10'000, 50'000, 200'000};

  enum class Clock {
    kWall,       // includes the time that other programs take from the processor
    kProcessor,  // the thread's own time, for tests on a shared machine; costs a system call
  };
  // Starts to measure.
  void watch(Clock clock) {
    clock_ = clock;
    watching_ = true;
    first_ticks_ = ticks();
    first_us_ = us_of(CLOCK_MONOTONIC);
  }

  void begin() {
    if (watching_ && depth_++ == 0) began_ = now();
  }
  void end() {
    if (!watching_ || --depth_ != 0) return;
    const std::uint64_t took = now() - began_;
    if (clock_ == Clock::kProcessor) {
      ended(took);
    } else if (took > kFewTicks) {
      ended(us_of_ticks(took));
    }
  }

  [[nodiscard]] std::uint64_t longest_us() const { return longest_us_; }
  // Returns one count for each entry of kLongerThanUs.
  [[nodiscard]] const std::array<std::uint64_t, kLongerThanUs.size()>& long_turns() const { return long_turns_; }

 private:
  // A clock_gettime() before and after each handler would cost two percent of a small request. The processor's time
  // stamp counter is cheaper. It is enough to know that it makes at least kFewTicks in a millisecond; the exact rate
  // matters only after a long turn.
#if defined(__x86_64__)
  static constexpr std::uint64_t kFewTicks = 500'000;
  static std::uint64_t ticks() { return __builtin_ia32_rdtsc(); }
#else
  static constexpr std::uint64_t kFewTicks = 500;
  static std::uint64_t ticks() { return us_of(CLOCK_MONOTONIC); }
#endif

  static std::uint64_t us_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000;
  }
  // Returns microseconds of the thread's time, or ticks of the counter.
  [[nodiscard]] std::uint64_t now() const {
    return clock_ == Clock::kProcessor ? us_of(CLOCK_THREAD_CPUTIME_ID) : ticks();
  }
  [[nodiscard]] std::uint64_t us_of_ticks(std::uint64_t took) const {
    const auto all_ticks = static_cast<double>(ticks() - first_ticks_);
    const auto all_us = static_cast<double>(us_of(CLOCK_MONOTONIC) - first_us_);
    return static_cast<std::uint64_t>(static_cast<double>(took) * all_us / all_ticks);
  }
  void ended(std::uint64_t us) {
    if (us <= longest_us_ && us <= kLongerThanUs.front()) return;
    if (us > longest_us_) longest_us_ = us;
    for (std::size_t i = 0; i < kLongerThanUs.size() && us > kLongerThanUs[i]; ++i) ++long_turns_[i];
  }

  bool watching_{false};
  int depth_{0};
  Clock clock_{Clock::kWall};
  std::uint64_t began_{0};
  std::uint64_t first_ticks_{0};
  std::uint64_t first_us_{0};
  std::uint64_t longest_us_{0};
  std::array<std::uint64_t, kLongerThanUs.size()> long_turns_{};
};

inline constinit LoopTurns loop_turns;

}  // namespace yolod::common
