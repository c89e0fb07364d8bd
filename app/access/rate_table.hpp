// RateTable counts how many requests each sender has sent in the last second. Its memory is fixed.
//
// The table has a token bucket for each sender, in the form of GCRA (ITU-T I.371): an entry is the time at which the
// bucket is full again. A bucket holds as many requests as may come in one second, so an entry means nothing after one
// second. A sender without an entry has a full bucket. A new entry replaces the entry of its set whose bucket is full
// again first. An entry that still counts is replaced only if the other entries of its set count too and are emptier.
// This happens to one new sender in a thousand if a quarter of the entries count. The sender of a lost entry only
// gains a full bucket.
//
// The caller hashes the senders. A sender must not be able to choose its hash. One thread uses a table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/clock.hpp"

namespace yolod::app::access {

class RateTable {
 public:
  static constexpr std::size_t kWays = 8;  // the entries of a set
  static constexpr std::size_t kDefaultSets = 8192;
  static constexpr std::uint32_t kMostPerSecond = 1'000'000;

  // REQUIRES: `sets` is a power of two. The memory is allocated at the first use: 128 bytes for each set.
  explicit RateTable(std::size_t sets = kDefaultSets) : sets_(sets) {}

  // Returns whether the sender may send one more request now, and takes the request from its bucket if so.
  // REQUIRES: 1 <= per_second <= kMostPerSecond.
  [[nodiscard]] bool take(std::uint64_t sender, std::uint32_t per_second, common::Clock::time_point now);
  // Returns what take() would return, and takes nothing.
  [[nodiscard]] bool may_take(std::uint64_t sender, std::uint32_t per_second, common::Clock::time_point now) const;

  [[nodiscard]] std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Set); }

 private:
  struct Entry {
    std::uint64_t sender{0};
    common::Clock::time_point full_again{};
  };
  using Set = std::array<Entry, kWays>;

  [[nodiscard]] std::size_t index_of(std::uint64_t sender) const { return sender & (sets_ - 1); }

  std::size_t sets_;
  std::vector<Set> entries_;
};

}  // namespace yolod::app::access
