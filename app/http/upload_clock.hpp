// An UploadClock measures how fast a body or a message arrives, and applies the rules of upload_pace.
//
// The owner of the upload owns the clock and uses it on the front-end's only thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "app/http/upload_pace.hpp"
#include "common/clock.hpp"

namespace yolod::app::http {

class UploadClock {
 public:
  // How far the upload is.
  struct Progress {
    std::uint64_t length_bytes;  // 0 if the length is not known
    std::uint64_t received_bytes;
    std::uint64_t held_bytes;  // of the arena
  };

  // Forgets the upload before.
  void reset() { running_ = evicted_ = false; }
  // Start and stop measuring how long the client takes.
  void start(common::Clock::time_point now, std::uint64_t received_bytes);
  void stop() { running_ = false; }
  [[nodiscard]] bool is_running() const { return running_; }
  // Pause and resume the measurement while the server itself delays the upload. The pause does not count against the
  // client.
  void pause(common::Clock::time_point now);
  void resume(common::Clock::time_point now);
  // Returns true if the upload has taken longer than `body_timeout` or is below the required pace. The owner calls it
  // periodically, because each call also measures the recent rate.
  [[nodiscard]] bool is_late(const Progress& progress, std::chrono::milliseconds body_timeout,
                             common::Clock::time_point now);
  // Returns what this upload still costs the bodies that wait for memory, or nothing if it may not be evicted.
  [[nodiscard]] std::optional<UploadCost> cost(const Progress& progress, std::chrono::milliseconds body_timeout,
                                               common::Clock::time_point now) const;
  // Records that the owner evicts this upload because other bodies wait for its memory.
  void evict(const Progress& progress, std::chrono::milliseconds body_timeout, common::Clock::time_point now);
  // Returns true if the upload was evicted although it had kept the pace.
  [[nodiscard]] bool was_evicted() const { return evicted_; }

 private:
  [[nodiscard]] Upload upload(const Progress& progress) const {
    return {began_, progress.length_bytes, progress.received_bytes, progress.held_bytes, recent_rate_};
  }

  bool running_{false};
  bool evicted_{false};
  std::uint64_t received_at_last_check_{0};
  double recent_rate_{0};  // bytes a second
  common::Clock::time_point began_;
  common::Clock::time_point checked_;
  common::Clock::time_point paused_;
};

}  // namespace yolod::app::http
