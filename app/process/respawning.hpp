// Respawning decides whether the supervisor replaces a dead process of one model, and when. RespawnPolicy computes
// the delay of one slot. This class holds the state that all slots of the model share: whether its generation is a
// candidate, whether it was ready before, the rate of starts, and whether the supervisor has given up.
//
//   on (candidate) --candidate_serves()--> on --stop(), or it gives up--> off
//              \________________________________________________/^
//
// The supervisor owns it. Only the thread of the front-end may call it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "app/process/death.hpp"
#include "app/process/respawn_policy.hpp"
#include "common/clock.hpp"

namespace yolod::app::process {

// How the supervisor handles a death before every worker has been ready.
enum class Start {
  // The supervisor replaces the worker after a delay. It gives up only if no worker was ready before, and the model
  // cannot be served or its loads fail too often.
  kServing,
  // The workers are a candidate generation. The supervisor gives up at any death until this generation serves.
  kCandidate,
  // As for kCandidate, but other workers serve at the same time, so the loader loads at low priority.
  kBeside,
};

class Respawning {
 public:
  // Calls `gave_up` when no process will be started any more. Its reason is one line.
  Respawning(Start start, std::function<void(const std::string& reason)> gave_up)
      : is_candidate_(start != Start::kServing), gave_up_(std::move(gave_up)) {}

  [[nodiscard]] bool is_on() const { return is_on_; }
  void stop() { is_on_ = false; }
  [[nodiscard]] bool is_candidate() const { return is_candidate_; }
  void candidate_serves() { is_candidate_ = false; }

  // A worker of this supervisor became ready.
  void was_ready() { model_was_ready_ = true; }
  [[nodiscard]] bool model_was_ready() const { return model_was_ready_; }
  // An earlier generation of the model was ready. Then no number of failed loads makes the supervisor give up.
  void has_served() { model_has_served_ = true; }

  // A process has died, or did not start. Returns true if the supervisor gives up.
  [[nodiscard]] bool gives_up(DeathCause cause, const std::string& reason);
  // Returns when the successor of a dead process may start, and writes that to the log. Returns nothing if there is
  // no successor. `policy` belongs to the slot, and `what` describes the death. The wait is at least `least_wait`.
  [[nodiscard]] std::optional<common::Clock::time_point> next_start(RespawnPolicy& policy, DeathCause cause,
                                                                    const std::string& what,
                                                                    std::chrono::milliseconds least_wait = {});
  // Returns the least wait of a successor if the worker died while it worked on a request. `predictions` is the
  // number of predictions that all workers of the model have made.
  [[nodiscard]] std::chrono::milliseconds wait_after_death_at_work(std::uint64_t predictions) {
    return request_deaths_.died(predictions);
  }

 private:
  bool is_on_{true};
  bool is_candidate_;
  bool model_was_ready_{false};
  bool model_has_served_{false};
  std::function<void(const std::string&)> gave_up_;
  RespawnRate rate_;
  RequestDeaths request_deaths_;
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace yolod::app::process
