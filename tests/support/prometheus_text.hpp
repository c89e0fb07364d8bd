// Reads the Prometheus text exposition format, version 0.0.4, as strictly as its page defines it:
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::tests {

struct MetricSample {
  std::string name;  // with _bucket, _sum or _count
  std::map<std::string, std::string> labels;
  double value{0};
};

struct MetricFamily {
  std::string type;  // counter gauge histogram summary untyped
  std::vector<MetricSample> samples;
};

struct MetricsText {
  std::map<std::string, MetricFamily> families;
  std::vector<std::string> problems;  // empty: the text is valid

  // Returns the sum of the samples of that name whose labels include `labels`.
  [[nodiscard]] double total(const std::string& name, const std::map<std::string, std::string>& labels = {}) const;
};

// Checks more than the syntax: a family's samples are adjacent and have its name, no sample occurs twice, and a
// histogram's buckets only grow, end with +Inf, and agree with its count.
[[nodiscard]] MetricsText parse_prometheus_text(std::string_view text);

}  // namespace yolod::tests
