// The metrics as GET /metrics answers them (Prometheus' text format, version 0.0.4), in pieces that each take well
// below 1 ms, however many models there are.
//
// One thread. The values are those of the moment when it was made, or of at most kSharedFor before: clients that ask at
// the same time share them, so that many of them need little memory.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "app/observe/metrics.hpp"

namespace yolod::app::observe {

class MetricsText {
 public:
  static constexpr std::chrono::milliseconds kSharedFor{50};

  explicit MetricsText(const Metrics& metrics);

  // The next piece. REQUIRES: !is_whole().
  [[nodiscard]] std::string next();
  [[nodiscard]] bool is_whole() const { return family_ == families_->size(); }

 private:
  std::shared_ptr<const std::vector<prometheus::MetricFamily>> families_;
  std::size_t family_{0};  // the next one, and of it
  std::size_t series_{0};  // the next series
};

}  // namespace yolod::app::observe
