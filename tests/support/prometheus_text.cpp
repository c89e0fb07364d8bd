#include "tests/support/prometheus_text.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

namespace yolod::tests {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view kDigits = "0123456789";

// Returns whether the name has only letters, underscores, characters of `also`, and digits except in the first place.
bool is_label_name(std::string_view name, std::string_view also = {}) {
  const auto allowed = std::string(kLetters).append(also);
  return !name.empty() && kDigits.find(name.front()) == std::string_view::npos &&
         name.find_first_not_of(allowed + std::string(kDigits)) == std::string_view::npos;
}

bool is_metric_name(const std::string& name) { return is_label_name(name, ":"); }

std::optional<double> read_number(const std::string& text) {
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN" || text == "Nan") return std::numeric_limits<double>::quiet_NaN();
  try {
    std::size_t used = 0;
    const double value = std::stod(text, &used);
    if (used == text.size()) return value;
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

// name{label="value",...} value [timestamp]
std::optional<MetricSample> read_sample(const std::string& line) {
  MetricSample sample;
  auto at = line.find_first_of("{ ");
  if (at == std::string::npos) return std::nullopt;
  sample.name = line.substr(0, at);
  if (!is_metric_name(sample.name)) return std::nullopt;
  if (line[at] == '{') {
    ++at;
    while (at < line.size() && line[at] != '}') {
      const auto equals = line.find("=\"", at);
      if (equals == std::string::npos) return std::nullopt;
      const auto label = line.substr(at, equals - at);
      if (!is_label_name(label)) return std::nullopt;
      std::string value;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\') ++at;
        if (at < line.size()) value += line[at];
      }
      if (at >= line.size() || !sample.labels.emplace(label, value).second) return std::nullopt;
      ++at;
      if (at < line.size() && line[at] == ',') ++at;
    }
    if (at >= line.size()) return std::nullopt;
    ++at;
  }
  std::istringstream rest(line.substr(at));
  std::string value, timestamp, surplus;
  rest >> value >> timestamp >> surplus;
  const auto number = read_number(value);
  if (!number || !surplus.empty()) return std::nullopt;
  sample.value = *number;
  return sample;
}

// Returns the family of a sample of that name, given the families' types so far.
std::string family_of(const std::string& name, const std::map<std::string, MetricFamily>& families) {
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const auto base = name.substr(0, name.size() - suffix.size());
    const auto family = families.find(base);
    if (family == families.end()) continue;
    if (family->second.type == "histogram" || (family->second.type == "summary" && suffix != "_bucket")) return base;
  }
  return name;
}

void check_histogram(const std::string& name, const MetricFamily& family, std::vector<std::string>& problems) {
  struct Series {
    std::vector<std::pair<double, double>> buckets;  // upper bound, cumulative count
    std::optional<double> count;
    bool has_sum{false};
  };
  std::map<std::map<std::string, std::string>, Series> all;
  for (const auto& sample : family.samples) {
    auto labels = sample.labels;
    if (sample.name == name + "_bucket") {
      const auto bound = read_number(labels["le"]);
      labels.erase("le");
      if (!bound) {
        problems.push_back(name + ": a bucket without a bound");
      } else {
        all[labels].buckets.emplace_back(*bound, sample.value);
      }
    } else if (sample.name == name + "_count") {
      all[labels].count = sample.value;
    } else if (sample.name == name + "_sum") {
      all[labels].has_sum = true;
    } else {
      problems.push_back(name + ": a histogram with a plain sample");
    }
  }
  for (const auto& [labels, series] : all) {
    if (!series.has_sum || !series.count) problems.push_back(name + ": without sum or count");
    if (!std::is_sorted(series.buckets.begin(), series.buckets.end())) problems.push_back(name + ": buckets shrink");
    if (series.buckets.empty() || series.buckets.back().first != std::numeric_limits<double>::infinity()) {
      problems.push_back(name + ": no +Inf bucket");
    } else if (series.count && series.buckets.back().second != *series.count) {
      problems.push_back(name + ": the +Inf bucket is not the count");
    }
    for (std::size_t i = 1; i < series.buckets.size(); ++i) {
      if (series.buckets[i].second < series.buckets[i - 1].second) problems.push_back(name + ": counts shrink");
    }
  }
}

}  // namespace

double MetricsText::total(const std::string& name, const std::map<std::string, std::string>& labels) const {
  double sum = 0;
  for (const auto& [family_name, family] : families) {
    for (const auto& sample : family.samples) {
      const bool matches = sample.name == name && std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
                             const auto found = sample.labels.find(label.first);
                             return found != sample.labels.end() && found->second == label.second;
                           });
      if (matches) sum += sample.value;
    }
  }
  return sum;
}

MetricsText parse_prometheus_text(std::string_view text) {
  MetricsText result;
  auto& problems = result.problems;
  if (text.empty() || text.back() != '\n') problems.emplace_back("the last line has no line feed");
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
  std::set<std::string> closed;
  std::string current;
  std::istringstream lines{std::string(text)};
  const auto enter = [&](const std::string& family) {
    if (family == current) return;
    if (!current.empty()) closed.insert(current);
    if (closed.contains(family)) problems.push_back(family + ": its lines do not stand together");
    current = family;
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    if (line[0] == '#') {
      std::istringstream words(line);
      std::string hash, keyword, name, type;
      words >> hash >> keyword >> name;
      if (keyword != "TYPE" && keyword != "HELP") continue;  // a comment
      if (!is_metric_name(name)) problems.push_back("no metric name: " + line);
      enter(name);
      auto& family = result.families[name];
      if (keyword == "HELP") continue;
      words >> type;
      static const std::set<std::string> types{"counter", "gauge", "histogram", "summary", "untyped"};
      if (!types.contains(type)) problems.push_back("no metric type: " + line);
      if (!family.type.empty() || !family.samples.empty()) problems.push_back(name + ": TYPE comes late or twice");
      family.type = type;
      continue;
    }
    const auto sample = read_sample(line);
    if (!sample) {
      problems.push_back("not a sample: " + line);
      continue;
    }
    if (!seen.emplace(sample->name, sample->labels).second) problems.push_back("given twice: " + line);
    const auto family = family_of(sample->name, result.families);
    enter(family);
    result.families[family].samples.push_back(*sample);
  }
  for (const auto& [name, family] : result.families) {
    if (family.type == "histogram") check_histogram(name, family, problems);
    if (family.type != "counter") continue;
    for (const auto& sample : family.samples) {
      if (!(sample.value >= 0)) problems.push_back(name + ": a counter below zero");
    }
  }
  return result;
}

}  // namespace yolod::tests
