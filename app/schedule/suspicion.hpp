// What one model's front-end holds against requests whose worker died: it looks a request's body up, and records a
// death.
//
// Front-end only, its one thread.
#pragma once

#include <string>

#include "app/observe/metrics.hpp"
#include "app/schedule/blame.hpp"
#include "app/schedule/quarantine.hpp"
#include "app/schedule/request.hpp"
#include "common/clock.hpp"

namespace yolod::app::schedule {

class Suspicion {
 public:
  explicit Suspicion(observe::ModelMetrics& metrics) : metrics_(metrics) {}

  // Whether nothing can be said of the request until its body is hashed.
  [[nodiscard]] bool must_be_hashed(const Request& request) const {
    return !request.hash && quarantine_.knows_length(request.content().size());
  }
  // Sets what is known of the request's body. True if it may reach a worker.
  [[nodiscard]] bool look_up(Request& request, common::Clock::time_point now) const;
  // Holds `blame` against the request, whose body is hashed if there is any. Logs a quarantine, for the model of that
  // name.
  void hold_against(Request& request, Blame blame, const std::string& model, common::Clock::time_point now);
  // A worker answered the request.
  void answered(const Request& request) {
    if (request.runs_alone()) quarantine_.acquit(*request.hash);
  }
  void release(common::Clock::time_point now) { quarantine_.release(now); }
  void clear() { quarantine_.clear(); }

 private:
  observe::ModelMetrics& metrics_;
  Quarantine quarantine_;
};

}  // namespace yolod::app::schedule
