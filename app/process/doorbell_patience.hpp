// What the front-end makes of a worker that rings its doorbell: a pure state machine, one for each worker.
//
// A sane worker rings once, at most, for each batch that it has completed. The front-end may have found those
// completions by itself before it hears the ring; so a ring or two that bring nothing are usual. A worker that rings on
// costs the event loop a turn each time: after kUsual rings without a completion nobody listens for a while, that
// doubles from ring to ring; after kMad the worker is mad.
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
    std::chrono::milliseconds pause{0};  // before the doorbell is listened to again
  };
  // It was heard: `rings` of them at once, as the doorbell counts, which a worker can set to any number. `completions`:
  // how many requests the worker has completed in its life, those that were found because of this included.
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
