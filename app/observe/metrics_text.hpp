// Writes the metrics for GET /metrics in Prometheus' text format, version 0.0.4. It writes them in pieces that each
// take well below 1 ms, however many models there are.
//
// The object is used on the front-end's only thread. The values are at most kSharedFor older than the object:
// clients that ask at the same time share them, so that many clients need little memory.
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

  // Returns the next piece. REQUIRES: !is_whole().
  [[nodiscard]] std::string next();
  [[nodiscard]] bool is_whole() const { return family_ == families_->size(); }

 private:
  std::shared_ptr<const std::vector<prometheus::MetricFamily>> families_;
  std::size_t family_{0};  // the next family
  std::size_t series_{0};  // the next series of this family
};

}  // namespace yolod::app::observe
