// Counts a histogram's observations until a client reads the metrics. prometheus-cpp locks a mutex and changes two
// atomic numbers for each observation; the tally needs a comparison of bounds and two additions (docs/decisions.md).
//
// Metrics owns one tally for each histogram. Only the front-end's thread uses it.
#pragma once

#include <prometheus/histogram.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace yolod::app::observe {

class HistogramTally {
 public:
  // `bounds` are the histogram's own. Both must outlive the tally.
  HistogramTally(prometheus::Histogram& histogram, const std::vector<double>& bounds)
      : histogram_(histogram), bounds_(bounds), counts_(bounds.size() + 1, 0.0) {}

  // A value belongs to the first bucket whose bound is not below it.
  void observe(double value) {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    counts_[static_cast<std::size_t>(bound - bounds_.begin())] += 1;
    sum_ += value;
    is_empty_ = false;
  }
  // Adds the observations since the last call to the histogram.
  void hand_over() {
    if (is_empty_) return;
    histogram_.ObserveMultiple(counts_, sum_);
    std::fill(counts_.begin(), counts_.end(), 0.0);
    sum_ = 0;
    is_empty_ = true;
  }

 private:
  prometheus::Histogram& histogram_;
  const std::vector<double>& bounds_;
  std::vector<double> counts_;  // ObserveMultiple() takes doubles
  double sum_{0};
  bool is_empty_{true};
};

}  // namespace yolod::app::observe
