// Decides how long the front-end ignores the doorbell of one worker. It is a pure state machine.
//
// A correct worker rings at most once for each batch that it has completed. The front-end may find these completions
// before it handles the ring, so a few rings without a completion are normal. Each further ring costs a turn of the
// event loop. After kUsual rings without a completion the front-end pauses before it listens again, and the pause
// doubles with each ring. After kMad such rings the front-end kills the worker.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace yolod::app::process {

class DoorbellPatience {
 public:
  static constexpr std::uint64_t kUsual = 4;
  static constexpr std::uint64_t kMad = 1000;
  static constexpr std::chrono::milliseconds kShortestPause{1};
  static constexpr std::chrono::milliseconds kLongestPause{100};

  struct Verdict {
    bool mad{false};
    std::chrono::milliseconds pause{0};  // how long to ignore the doorbell
  };
  // Handles `rings` rings that the eventfd counted. A worker can set this count to any number. `completions` is the
  // number of requests that the worker has completed in its life, including those that were found because of this
  // ring.
  [[nodiscard]] Verdict heard(std::uint64_t rings, std::uint64_t completions) {
    if (completions != completions_) {
      completions_ = completions;
      in_vain_ = 0;
      pause_ = std::chrono::milliseconds(0);
      return {};
    }
    in_vain_ += std::min(rings, kMad);
    if (in_vain_ >= kMad) return {true, kLongestPause};
    if (in_vain_ > kUsual) pause_ = std::clamp(2 * pause_, kShortestPause, kLongestPause);
    return {false, pause_};
  }

 private:
  std::uint64_t completions_{0};
  std::uint64_t in_vain_{0};  // rings since the last completion
  std::chrono::milliseconds pause_{0};
};

}  // namespace yolod::app::process
