// Decides when a dead worker is replaced. RespawnPolicy is a pure state machine, one for each worker slot of a
// model. All slots of a model share one RespawnRate and one RequestDeaths. These classes know no clock and no
// process: the supervisor passes the time and the cause of a death.
//
//   own doing     SIGSEGV SIGBUS SIGFPE SIGILL SIGABRT, SIGSYS after it was ready, an unexpected exit, SIGKILL from
//                 the kernel's OOM killer, any death while it loaded (except an interrupt)
//                                                  -> after 0, 0.5, 1, 2, ... 30 s, with jitter
//                 while it worked on a request     -> at once, as the next row; RequestDeaths has the exception
//   not its doing an operator's SIGKILL, SIGTERM or SIGINT, the exit code `interrupted`, a stop by the front-end
//                                                  -> at once, at most 20 a second for a model
//   bad model     its reserved exit code, SIGSYS before it was ready (the sandbox denies a call that it needs)
//                                                  -> before the model was first ready: the server gives up;
//                                                     later: a failed load, as own doing
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "app/process/death.hpp"
#include "common/clock.hpp"

namespace yolod::app::process {

// Limits the replacements of all slots of one model to kPerSecond in a second.
class RespawnRate {
 public:
  static constexpr std::size_t kPerSecond = 20;
  // Returns the first time at or after `now` at which one more process may start, and counts that start.
  [[nodiscard]] common::Clock::time_point reserve(common::Clock::time_point now);

 private:
  std::deque<common::Clock::time_point> recent_;
};

// Counts the deaths of workers of one model that died while they worked on a request. The request may have caused
// such a death, and the death says nothing about the next worker, so the replacement starts at once: a client that
// sends harmful requests must not make other clients wait. But if kMostInARow workers die without a prediction in
// between, the workers themselves may be faulty. Then each replacement waits for kPause. The pause is short, because
// the cause may still be an attacker.
class RequestDeaths {
 public:
  static constexpr std::uint32_t kMostInARow = 20;
  static constexpr std::chrono::milliseconds kPause{1'000};

  // Counts one more death and returns the wait before the replacement. `predictions` is the number of predictions
  // that all workers of the model have made.
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
  // Before a model was first ready, the policy gives up if the model cannot be served, or after kMostFailedLoads
  // failed loads.
  enum class Action { kRespawn, kGiveUp };
  struct Decision {
    Action action{Action::kRespawn};
    std::chrono::milliseconds delay{0};
  };

  // `jitter` is in [0, 1). It shortens the delay by up to a fifth, so that workers that died together do not load at
  // the same time. `model_was_ready`: some worker of this model has been ready since the server started.
  [[nodiscard]] Decision on_death(DeathCause cause, bool model_was_ready, common::Clock::time_point now, double jitter);

  void on_ready(common::Clock::time_point now);

  static constexpr std::uint32_t kMostFailedLoads = 5;
  static constexpr std::chrono::milliseconds kFirstDelay{500};
  static constexpr std::chrono::milliseconds kLongestDelay{30'000};
  static constexpr std::chrono::seconds kHealthyAfter{60};

 private:
  std::uint32_t failures_{0};  // own-doing deaths since the slot was last healthy
  bool ready_{false};
  common::Clock::time_point ready_since_;
};

}  // namespace yolod::app::process
