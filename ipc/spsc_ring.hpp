// A single-producer single-consumer ring over shared bytes, safe against a peer that lies.
//
// Each side keeps its own cursor privately and only publishes it; the peer's cursor is loaded once a call and refused
// unless it could be true. Indices are masked, so that no value read from the shared bytes can point outside the cells.
// Neither call blocks or allocates. One thread of one process per side.
//
//   producer: writes cells[p & mask], then published.store(p + 1, release)
//   consumer: published.load(acquire), then reads cells[c & mask], then consumed.store(c + 1, release)
//
// Without the release/acquire pair on `published`, the consumer could see the new cursor before the cell's bytes and
// read the cell's previous occupant. Without the pair on `consumed`, the producer could overwrite a cell that the
// consumer is still copying.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "ipc/layout.hpp"

namespace yolod::ipc {

enum class PushResult { kPushed, kFull, kCorrupt };
enum class PopResult { kPopped, kEmpty, kCorrupt };

template <typename Cell>
class RingProducer {
 public:
  // `capacity` is a power of two; `cells` has that many. Both outlive this object.
  RingProducer(RingCursors& cursors, Cell* cells, std::uint32_t capacity)
      : cursors_(&cursors), cells_(cells), capacity_(capacity) {}

  // Places a cell that the consumer cannot see before publish(). kFull and kCorrupt change nothing; after kCorrupt
  // (the peer's cursor could not be true) the ring is not to be used again.
  [[nodiscard]] PushResult push(const Cell& cell) {
    const std::uint64_t consumed = cursors_->consumed.load(std::memory_order_acquire);
    const std::uint64_t used = staged_ - consumed;
    if (used > capacity_) return PushResult::kCorrupt;
    if (used == capacity_) return PushResult::kFull;
    std::memcpy(&cells_[staged_ & (capacity_ - 1)], &cell, sizeof(Cell));
    ++staged_;
    return PushResult::kPushed;
  }

  // Makes every pushed cell visible at once.
  void publish() { cursors_->published.store(staged_, std::memory_order_release); }

 private:
  RingCursors* cursors_;
  Cell* cells_;
  std::uint64_t capacity_;
  std::uint64_t staged_{0};
};

template <typename Cell>
class RingConsumer {
 public:
  RingConsumer(RingCursors& cursors, const Cell* cells, std::uint32_t capacity)
      : cursors_(&cursors), cells_(cells), capacity_(capacity) {}

  // Whether pop() would give kEmpty. Of a ring that cannot be: false.
  [[nodiscard]] bool empty() const { return cursors_->published.load(std::memory_order_acquire) == consumed_; }

  // Copies the oldest cell out and frees its place. kEmpty and kCorrupt leave `out` as it was; after kCorrupt the
  // ring is not to be used again.
  [[nodiscard]] PopResult pop(Cell& out) {
    const std::uint64_t published = cursors_->published.load(std::memory_order_acquire);
    const std::uint64_t available = published - consumed_;
    if (available > capacity_) return PopResult::kCorrupt;
    if (available == 0) return PopResult::kEmpty;
    std::memcpy(&out, &cells_[consumed_ & (capacity_ - 1)], sizeof(Cell));
    // The copy is what gets checked and used: the compiler may not read the shared cell a second time.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ++consumed_;
    cursors_->consumed.store(consumed_, std::memory_order_release);
    return PopResult::kPopped;
  }

 private:
  RingCursors* cursors_;
  const Cell* cells_;
  std::uint64_t capacity_;
  std::uint64_t consumed_{0};
};

}  // namespace yolod::ipc
