// Respawning decides whether the supervisor replaces a dead process of one model, and when. RespawnPolicy says how long
// one slot waits. This class knows the rest, which all slots of the model share: a trial, an earlier success, the rate
// of starts, and the end of all attempts.
//
//   on (on trial) --end_trial()--> on --stop(), or it gives up--> off
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

// What becomes of a death before every worker has been ready.
enum class Start {
  kServing,  // replaced, with backoff; but a model that cannot be served, before any was ready, is given up
  kTrial,    // given up, whatever it was, until end_trial()
  kBeside,   // the same, beside workers that serve: it gives way to them
};

class Respawning {
 public:
  // `gave_up` is called when nothing more is started; its reason is one line.
  Respawning(Start start, std::function<void(const std::string& reason)> gave_up)
      : on_trial_(start != Start::kServing), gave_up_(std::move(gave_up)) {}

  [[nodiscard]] bool is_on() const { return is_on_; }
  void stop() { is_on_ = false; }
  [[nodiscard]] bool on_trial() const { return on_trial_; }
  void end_trial() { on_trial_ = false; }

  // A worker of these was ready.
  void was_ready() { model_was_ready_ = true; }
  [[nodiscard]] bool model_was_ready() const { return model_was_ready_; }
  // An earlier generation was: so no number of failed loads makes it a model that cannot be served.
  void has_served() { model_has_served_ = true; }

  // A process has died, or did not start. Returns true if that ends all attempts.
  [[nodiscard]] bool gives_up(DeathCause cause, const std::string& reason);
  // Returns when the successor of a dead process may start, and writes that to the log. Returns nothing if there is no
  // successor. `policy` belongs to the slot, and `what` says how the process died. The wait is at least `least_wait`.
  [[nodiscard]] std::optional<common::Clock::time_point> next_start(RespawnPolicy& policy, DeathCause cause,
                                                                    const std::string& what,
                                                                    std::chrono::milliseconds least_wait = {});
  // Returns the least wait of a successor, if the worker died at work on a request. `predictions` counts the
  // predictions of all workers of the model.
  [[nodiscard]] std::chrono::milliseconds wait_after_death_at_work(std::uint64_t predictions) {
    return request_deaths_.died(predictions);
  }

 private:
  bool is_on_{true};
  bool on_trial_;
  bool model_was_ready_{false};
  bool model_has_served_{false};
  std::function<void(const std::string&)> gave_up_;
  RespawnRate rate_;
  RequestDeaths request_deaths_;
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace yolod::app::process
