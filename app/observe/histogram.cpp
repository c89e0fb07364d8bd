#include "app/observe/histogram.hpp"

#include <prometheus/metric_type.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace yolod::app::observe {

Histogram::Histogram(Labels labels, const std::vector<double>& bounds)
    : labels_(std::move(labels)), bounds_(bounds), counts_(bounds.size() + 1) {}

void Histogram::observe(double value) {
  // A bound counts what is equal to it.
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
  sum_ += value;
}

prometheus::ClientMetric Histogram::collect() const {
  prometheus::ClientMetric metric;
  metric.label = labels_;
  metric.histogram.sample_sum = sum_;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i];
    const double bound = i < bounds_.size() ? bounds_[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({count, bound});
  }
  metric.histogram.sample_count = count;
  return metric;
}

HistogramFamily::HistogramFamily(std::string name, std::string help, std::vector<double> bounds)
    : name_(std::move(name)), help_(std::move(help)), bounds_(std::move(bounds)) {}

Histogram& HistogramFamily::add(const Histogram::Labels& labels) {
  const auto found =
      std::find_if(series_.begin(), series_.end(), [&labels](const Histogram& one) { return one.labels() == labels; });
  return found != series_.end() ? *found : series_.emplace_back(labels, bounds_);
}

prometheus::MetricFamily HistogramFamily::collect() const {
  prometheus::MetricFamily family{name_, help_, prometheus::MetricType::Histogram, {}};
  for (const Histogram& one : series_) family.metric.push_back(one.collect());
  return family;
}

}  // namespace yolod::app::observe
