// Histograms for what is counted several times a request: those of prometheus-cpp take a lock for each value.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace yolod::app::observe {

// One series. Front-end only, its one thread.
class Histogram {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  // `bounds` ascend, and outlive it.
  Histogram(Labels labels, const std::vector<double>& bounds);

  void observe(double value);
  [[nodiscard]] const Labels& labels() const { return labels_; }
  [[nodiscard]] prometheus::ClientMetric collect() const;

 private:
  Labels labels_;
  const std::vector<double>& bounds_;
  std::vector<std::uint64_t> counts_;  // one more than bounds: what lies above them all
  double sum_{0};
};

// All series of one name.
class HistogramFamily {
 public:
  HistogramFamily(std::string name, std::string help, std::vector<double> bounds);
  HistogramFamily(const HistogramFamily&) = delete;
  HistogramFamily& operator=(const HistogramFamily&) = delete;

  // The series with these labels: a new one, or the one that there is. Valid as long as the family.
  [[nodiscard]] Histogram& add(const Histogram::Labels& labels);
  [[nodiscard]] prometheus::MetricFamily collect() const;

 private:
  const std::string name_;
  const std::string help_;
  const std::vector<double> bounds_;
  std::deque<Histogram> series_;
};

}  // namespace yolod::app::observe
