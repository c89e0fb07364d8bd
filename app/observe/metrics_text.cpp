#include "app/observe/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace yolod::app::observe {
namespace {

// A piece has at most this many lines. A line takes about 2 us.
constexpr std::size_t kLinesAtOnce = 150;

std::size_t lines_of(const prometheus::ClientMetric& series) {
  constexpr std::size_t kSumAndCount = 2;
  return series.histogram.bucket.empty() ? 1 : series.histogram.bucket.size() + kSumAndCount;
}

// Removes # HELP and # TYPE, which only the first series of a family has.
std::string_view without_header(std::string_view text) {
  while (text.starts_with('#')) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

}  // namespace

MetricsText::MetricsText(const Metrics& metrics) : families_(metrics.collect_shared(kSharedFor)) {}

std::string MetricsText::next() {
  std::string text;
  std::size_t lines = 0;
  while (!is_whole() && lines < kLinesAtOnce) {
    const prometheus::MetricFamily& family = (*families_)[family_];
    const bool is_first = series_ == 0;
    std::vector<prometheus::MetricFamily> piece_of_it{{family.name, family.help, family.type, {}}};
    auto& some = piece_of_it.front().metric;
    while (series_ < family.metric.size() && lines < kLinesAtOnce) {
      lines += lines_of(family.metric[series_]);
      some.push_back(family.metric[series_]);
      ++series_;
    }
    const std::string piece = prometheus::TextSerializer().Serialize(piece_of_it);
    text += is_first ? std::string_view(piece) : without_header(piece);
    if (series_ == family.metric.size()) {
      ++family_;
      series_ = 0;
    }
  }
  return text;
}

}  // namespace yolod::app::observe
