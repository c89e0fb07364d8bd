#include "app/reference/metrics_page.hpp"

#include <string_view>

#include "app/observe/metric_table.hpp"
#include "app/reference/markdown.hpp"

namespace yolod::app::reference {
namespace {

constexpr std::string_view kMetricsIntroduction =
    R"(# Metrics

<!-- `yolod --print-metrics-reference` prints this page from the table that the metrics are made of. -->

`GET /metrics` answers in Prometheus' text format, version 0.0.4. It answers at the public addresses, unless
`server.admin_listen` names an address: then it answers there alone. To ask at the admin socket, run
`curl --unix-socket /run/yolod/admin.sock http://localhost/metrics`.

A series appears when the server first counts something in it: a model that has lost no worker has no
`yolod_worker_restarts_total`. Counters begin at 0 when the server starts, and a reload keeps them.
[operations.md](operations.md#what-to-do-when-a-metric-says) has alerts to begin with.

## All metrics

)";

std::string_view word_for(observe::MetricType type) {
  switch (type) {
    case observe::MetricType::kCounter: return "counter";
    case observe::MetricType::kGauge: return "gauge";
    case observe::MetricType::kHistogram: return "histogram";
  }
  return "untyped";
}

std::string labels_of(const observe::MetricInfo& info) {
  std::string cell;
  for (const auto label : info.labels) {
    if (!label.empty()) cell += (cell.empty() ? "" : ", ") + code(label);
  }
  return cell;
}

}  // namespace

std::string metrics_page() {
  std::string page(kMetricsIntroduction);
  page += table_head({"metric", "type", "labels", "unit", "meaning", "when to look at it"});
  for (const auto& info : observe::kMetricTable) {
    page += table_row({code(info.name), std::string(word_for(info.type)), labels_of(info), std::string(info.unit),
                       std::string(info.meaning), std::string(info.use)});
  }
  return page;
}

}  // namespace yolod::app::reference
