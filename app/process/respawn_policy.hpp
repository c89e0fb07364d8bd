// When a dead worker is replaced: a pure state machine, one for each worker slot of a model (and one rate limit that
// the slots of a model share). It knows no clock and no process; the supervisor tells it both.
//
//   own doing     SIGSEGV SIGBUS SIGFPE SIGILL SIGABRT, SIGSYS while it served, an unexpected exit, the kernel's
//                 SIGKILL for want of memory, any death while it loaded (an interrupt excepted)
//                                                  -> after 0, 0.5, 1, 2, ... 30 s, with jitter
//                 while it worked on a request     -> at once, as the next line; RequestDeaths has the exception
//   not its doing an operator's SIGKILL, SIGTERM, SIGINT, the exit code `interrupted`, our own wish
//                                                  -> at once, at most 20 a second a model
//   bad model     its reserved exit code, SIGSYS before it was ready (its sandbox does not fit what it does)
//                                                  -> before the model was first ready: the server gives up;
//                                                     later: a failed load, as own doing
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "app/process/death.hpp"
#include "common/clock.hpp"

namespace yolod::app::process {

// What every slot of one model shares: at most kPerSecond replacements at once.
class RespawnRate {
 public:
  static constexpr std::size_t kPerSecond = 20;
  // The time at or after `now` at which one more may start; counts it.
  [[nodiscard]] common::Clock::time_point reserve(common::Clock::time_point now);

 private:
  std::deque<common::Clock::time_point> recent_;
};

// Of all slots of one model: deaths of workers that were at work on a request, and that a request may have caused. Who
// sends what kills workers must not have the others wait for workers: such a death says nothing of the next worker. But
// where so many die in a row without one prediction in between, it may be the workers that are broken, whatever they
// are sent; then each replacement waits for kPause. That is short, as it may be an attacker after all.
class RequestDeaths {
 public:
  static constexpr std::uint32_t kMostInARow = 20;
  static constexpr std::chrono::milliseconds kPause{1'000};

  // One more. `predictions`: how many the model's workers have made since it began to be served.
  [[nodiscard]] std::chrono::milliseconds died(std::uint64_t predictions) {
    if (predictions != predictions_) in_a_row_ = 0;
    predictions_ = predictions;
    if (in_a_row_ < kMostInARow) ++in_a_row_;
    return in_a_row_ < kMostInARow ? std::chrono::milliseconds(0) : kPause;
  }

 private:
  std::uint64_t predictions_{0};
  std::uint32_t in_a_row_{0};
};

class RespawnPolicy {
 public:
  // A model that has never been ready is given up if it cannot be served at all, or after kMostFailedLoads.
  enum class Action { kRespawn, kGiveUp };
  struct Decision {
    Action action{Action::kRespawn};
    std::chrono::milliseconds delay{0};
  };

  // `jitter` is in [0, 1): it shortens a delay by up to a fifth, so that workers that died together do not load
  // together. `model_was_ready`: some worker of this model has been ready since the server started.
  [[nodiscard]] Decision on_death(DeathCause cause, bool model_was_ready, common::Clock::time_point now, double jitter);

  void on_ready(common::Clock::time_point now);

  static constexpr std::uint32_t kMostFailedLoads = 5;
  static constexpr std::chrono::milliseconds kFirstDelay{500};
  static constexpr std::chrono::milliseconds kLongestDelay{30'000};
  static constexpr std::chrono::seconds kHealthyAfter{60};

 private:
  std::uint32_t failures_{0};  // own-doing deaths since it was last healthy
  bool ready_{false};
  common::Clock::time_point ready_since_;
};

}  // namespace yolod::app::process
