// Applies one model's quarantine to requests: looks up their bodies and records the deaths of their workers.
//
// The dispatcher owns it and uses it on the front-end's only thread.
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

  // Returns whether the request's body must be hashed before it can be looked up.
  [[nodiscard]] bool must_be_hashed(const Request& request) const {
    return !request.hash && quarantine_.knows_length(request.content().size());
  }
  // Sets the request's standing. Returns true if the request may reach a worker.
  [[nodiscard]] bool look_up(Request& request, common::Clock::time_point now) const;
  // Records `blame` for the request's body, which must be hashed unless `blame` is kNone. Logs a quarantine with the
  // model's name.
  void record_blame(Request& request, Blame blame, const std::string& model, common::Clock::time_point now);
  // A worker has answered the request.
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
