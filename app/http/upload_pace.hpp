// How fast a body must arrive, and which upload has to give way when others wait for its room. Pure functions of what
// is known of an upload and of the time. No sockets.
//
// Two rules. A client that keeps the pace is never cut off while there is room for everybody. A client that holds much
// room for long is cut off when another waits for that room, so that a few slow clients cannot keep all others out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/clock.hpp"

namespace yolod::app::http {

// One body that is being read.
struct Upload {
  common::Clock::time_point began;
  std::uint64_t length_bytes{0};  // as the header says; 0 for a chunked body, which does not say
  std::uint64_t received_bytes{0};
  std::uint64_t held_bytes{0};  // of the arena; 0 before the first byte has come
  double recent_bytes_per_second{0};
};

// How much must have come by `now`:
//   - nothing within the first 2 s, except under pressure (below);
//   - then 16 KiB for each second since the beginning;
//   - and of a body of N bytes the share of N that grows evenly from nothing after those 2 s to all of it at
//     body_timeout.
[[nodiscard]] bool keeps_pace(const Upload& upload, std::chrono::milliseconds body_timeout,
                              common::Clock::time_point now);

// Whether the upload is behind an even arrival of its body over body_timeout, or below 16 KiB/s, counted from its first
// moment. It tells which status an upload is refused with that has to give way: 408 if true; else 503, because the
// client did what was asked of it.
[[nodiscard]] bool is_behind(const Upload& upload, std::chrono::milliseconds body_timeout,
                             common::Clock::time_point now);

// What an upload still costs those that wait for room: its room times the time that it will still take, in bytes times
// seconds; and the room itself.
struct UploadCost {
  double cost;
  std::uint64_t held_bytes;
};

// Room times time that the upload will still take, in bytes times seconds, if it goes on as it did; nothing while it
// cannot be asked to give way: in its first half second, and while it is expected to end within a quarter of
// body_timeout. A chunked body counts as one that will fill the room it holds.
[[nodiscard]] std::optional<double> cost_to_come(const Upload& upload, std::chrono::milliseconds body_timeout,
                                                 common::Clock::time_point now);

// An upload that may give way.
struct Candidate {
  double cost;
  std::uint64_t held_bytes;
  std::size_t index;  // the caller's
};
// Puts those that have to give way for `short_bytes` of room to the front of `candidates`, the costliest first, and
// returns how many they are. 0 if all of them together do not hold so much: then nobody would be helped.
[[nodiscard]] std::size_t choose_victims(std::span<Candidate> candidates, std::uint64_t short_bytes);

}  // namespace yolod::app::http
