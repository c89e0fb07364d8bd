#include "app/schedule/service_times.hpp"

#include <algorithm>

namespace yolod::app::schedule {
namespace {

constexpr double kWeight = 0.125;  // the weight of the newest value

// The result is more than 0, because 0 means not known.
double measured_seconds(ServiceTimes::Duration duration) {
  constexpr double kLeast = 1e-9;
  return std::max(kLeast, common::in_seconds(duration));
}

void average(double& value, double newest) { value = value == 0 ? newest : value + kWeight * (newest - value); }

}  // namespace

ServiceTimes::Entry& ServiceTimes::entry(std::size_t size) {
  if (entries_.size() <= size) entries_.resize(size + 1);
  return entries_[size];
}

void ServiceTimes::expect(std::size_t size, Duration took) {
  constexpr Duration kLongest = std::chrono::minutes(10);
  entry(size).expected = measured_seconds(std::min(took, kLongest));
}

void ServiceTimes::record(std::size_t size, Duration took) {
  Entry& served = entry(size);
  average(served.measured, measured_seconds(took));
  average(request_seconds_, measured_seconds(took) / static_cast<double>(size));
  if (served.expected != 0) {
    // A ratio outside these bounds does not come from the difference between warm-up and service: the expectation is
    // wrong.
    constexpr double kLeast = 0.05;
    constexpr double kMost = 20;
    const double ratio = std::clamp(measured_seconds(took) / served.expected, kLeast, kMost);
    correction_ += kWeight * (ratio - correction_);
  }
}

void ServiceTimes::clear() { *this = ServiceTimes(); }

double ServiceTimes::known(std::size_t size) const {
  if (size >= entries_.size()) return 0;
  const Entry& at = entries_[size];
  return at.measured != 0 ? at.measured : at.expected * correction_;
}

std::optional<ServiceTimes::Duration> ServiceTimes::of_batch(std::size_t size) const {
  if (const double exact = known(size); exact != 0) return common::from_seconds(exact);
  std::size_t below = std::min(size, entries_.size());
  while (below > 0 && known(below) == 0) --below;
  std::size_t above = size;
  while (above < entries_.size() && known(above) == 0) ++above;
  const bool has_above = above < entries_.size();
  const auto count = static_cast<double>(size);
  if (below != 0 && has_above) {
    const double part = static_cast<double>(size - below) / static_cast<double>(above - below);
    return common::from_seconds(known(below) + part * (known(above) - known(below)));
  }
  // Outside the known sizes each request costs the same.
  if (below != 0) return common::from_seconds(known(below) * count / static_cast<double>(below));
  if (has_above) return common::from_seconds(known(above) * count / static_cast<double>(above));
  return std::nullopt;
}

std::optional<ServiceTimes::Duration> ServiceTimes::of_request() const {
  if (request_seconds_ == 0) return std::nullopt;
  return common::from_seconds(request_seconds_);
}

}  // namespace yolod::app::schedule
