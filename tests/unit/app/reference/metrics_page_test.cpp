#include "app/reference/metrics_page.hpp"

#include <prometheus/metric_type.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <regex>
#include <string>
#include <string_view>

#include "app/observe/metric_table.hpp"
#include "app/observe/metrics.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::reference {
namespace {

prometheus::MetricType type_of(const observe::MetricInfo& info) {
  switch (info.type) {
    case observe::MetricType::kCounter: return prometheus::MetricType::Counter;
    case observe::MetricType::kGauge: return prometheus::MetricType::Gauge;
    case observe::MetricType::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

bool is_in_table(std::string_view name) {
  return std::any_of(observe::kMetricTable.begin(), observe::kMetricTable.end(),
                     [name](const auto& info) { return info.name == name; });
}

TEST_CASE("MetricsPage: yolod prints docs/metrics.md", "[app][unit]") {
  INFO("yolod --print-metrics-reference > docs/metrics.md writes it anew");
  CHECK(tests::read_file(YOLOD_TEST_SOURCE_DIR "/docs/metrics.md") == metrics_page());
}

TEST_CASE("MetricsPage: the table has every existing metric family with its type, and no other", "[app][unit]") {
  observe::Metrics metrics;
  observe::ModelMetrics model(metrics, "m");  // a family without a series is not collected
  model.answered(200, std::chrono::milliseconds(1));
  model.restarted("exit");
  model.workers("ready", 1);
  model.sandbox("seccomp", true);
  metrics.frame_dropped("m");
  metrics.tls_handshake("done");
  metrics.auth("accepted", 1);
  metrics.limited("per_key.requests_per_second", 1);
  metrics.tls_not_after("https://127.0.0.1:443", std::chrono::system_clock::now());
  const auto families = metrics.collect();
  CHECK(families.size() == observe::kMetricTable.size());
  for (const auto& info : observe::kMetricTable) {
    CAPTURE(info.name);
    const auto found = std::find_if(families.begin(), families.end(),
                                    [&info](const auto& family) { return family.name == info.name; });
    REQUIRE(found != families.end());
    CHECK(found->type == type_of(info));
    CHECK(found->help == info.meaning);
  }
}

TEST_CASE("MetricsPage: the page names only existing metrics", "[app][unit]") {
  const auto page = metrics_page();
  const std::regex metric("yolod_[a-z0-9_]+");
  std::size_t count = 0;
  for (std::sregex_iterator found(page.begin(), page.end(), metric), end; found != end; ++found, ++count) {
    auto name = found->str();
    CAPTURE(name);
    if (name.ends_with("_bucket")) name.resize(name.size() - std::string_view("_bucket").size());
    CHECK(is_in_table(name));
  }
  CHECK(count >= observe::kMetricTable.size());
}

}  // namespace
}  // namespace yolod::app::reference
