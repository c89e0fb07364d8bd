// Decides how fast a body must arrive, and which upload is evicted when other bodies wait for its memory. The
// functions are pure; any thread may call them.
//
// There are two rules. A client that keeps the pace is never cut off while there is memory for all. If a client
// holds much memory for long and another client waits for it, the first client is cut off. So a few slow clients
// cannot keep all others out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/clock.hpp"

namespace yolod::app::http {

// The state of a body that is being read.
struct Upload {
  common::Clock::time_point began;
  std::uint64_t length_bytes{0};  // the Content-Length; 0 for a chunked body
  std::uint64_t received_bytes{0};
  std::uint64_t held_bytes{0};  // bytes of the arena; 0 before the body's first byte has arrived
  double recent_bytes_per_second{0};
};

// Returns whether enough of the body has arrived by `now`. The least amount is:
//   - nothing within the first 2 s, unless other bodies wait for memory (see below);
//   - after that, 16 KiB for each second since the beginning;
//   - for a body of N bytes also a share of N that grows evenly, from nothing after those 2 s to N at body_timeout.
[[nodiscard]] bool keeps_pace(const Upload& upload, std::chrono::milliseconds body_timeout,
                              common::Clock::time_point now);

// Returns whether the upload is slower than an even arrival of its body over body_timeout, or slower than 16 KiB/s,
// counted from its start. This decides the status of an evicted upload: 408 if true, otherwise 503, because the
// client was fast enough.
[[nodiscard]] bool is_behind(const Upload& upload, std::chrono::milliseconds body_timeout,
                             common::Clock::time_point now);

// The cost of an upload to the bodies that wait for memory: its memory multiplied by the time that it will still
// take, in bytes times seconds. `held_bytes` is the memory alone.
struct UploadCost {
  double cost;
  std::uint64_t held_bytes;
  bool yields_to_unchecked{false};  // Exchange::yields_to_unchecked()
};

// Returns the cost of an upload, in bytes times seconds, at the rate so far. Returns nothing if the upload may not
// be evicted: in its first half second, and if it should end within a quarter of body_timeout. The length of a
// chunked body counts as the memory that it holds.
[[nodiscard]] std::optional<double> cost_to_come(const Upload& upload, std::chrono::milliseconds body_timeout,
                                                 common::Clock::time_point now);

// An upload that may be evicted.
struct Candidate {
  double cost;
  std::uint64_t held_bytes;
  std::size_t index;  // the caller's index of the upload
};
// Selects the uploads to evict for `short_bytes` of memory. Moves them to the front of `candidates`, the costliest
// first, and returns their number. Returns 0 if all of them together hold less, because an eviction would then help
// no body.
[[nodiscard]] std::size_t choose_victims(std::span<Candidate> candidates, std::uint64_t short_bytes);

}  // namespace yolod::app::http
