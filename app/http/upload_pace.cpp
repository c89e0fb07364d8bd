#include "app/http/upload_pace.hpp"

#include <algorithm>

namespace yolod::app::http {
namespace {

using common::Clock;
using Seconds = std::chrono::duration<double>;

constexpr double kLeastBytesPerSecond = 16.0 * 1024;
constexpr Seconds kGrace{2};
// Before this time the rate of an upload is not known well enough.
constexpr Seconds kJudgedAfter{0.5};

}  // namespace

bool keeps_pace(const Upload& upload, std::chrono::milliseconds body_timeout, Clock::time_point now) {
  const Seconds elapsed = now - upload.began;
  const Seconds timeout = body_timeout;
  if (elapsed <= kGrace) return true;
  const auto received = static_cast<double>(upload.received_bytes);
  if (received < elapsed.count() * kLeastBytesPerSecond) return false;
  if (timeout <= kGrace) return true;  // only the deadline counts
  const double share = std::min(1.0, (elapsed - kGrace) / (timeout - kGrace));
  return received >= share * static_cast<double>(upload.length_bytes);
}

bool is_behind(const Upload& upload, std::chrono::milliseconds body_timeout, Clock::time_point now) {
  const Seconds elapsed = now - upload.began;
  const double even = static_cast<double>(upload.length_bytes) / Seconds(body_timeout).count();
  return static_cast<double>(upload.received_bytes) < elapsed.count() * std::max(kLeastBytesPerSecond, even);
}

std::optional<double> cost_to_come(const Upload& upload, std::chrono::milliseconds body_timeout,
                                   Clock::time_point now) {
  const Seconds elapsed = now - upload.began;
  if (upload.held_bytes == 0 || elapsed < kJudgedAfter) return std::nullopt;
  const std::uint64_t length = upload.length_bytes != 0 ? upload.length_bytes : upload.held_bytes;
  const auto missing = static_cast<double>(length - std::min(length, upload.received_bytes));
  const double average = static_cast<double>(upload.received_bytes) / elapsed.count();
  const double rate = std::max({1.0, average, upload.recent_bytes_per_second});
  const double seconds = missing / rate;
  if (seconds <= Seconds(body_timeout).count() / 4) return std::nullopt;
  return seconds * static_cast<double>(upload.held_bytes);
}

std::size_t choose_victims(std::span<Candidate> candidates, std::uint64_t short_bytes) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.cost > b.cost; });
  std::uint64_t freed = 0;
  for (std::size_t count = 0; count < candidates.size(); ++count) {
    if (freed >= short_bytes) return count;
    freed += candidates[count].held_bytes;
  }
  return freed >= short_bytes ? candidates.size() : 0;
}

}  // namespace yolod::app::http
