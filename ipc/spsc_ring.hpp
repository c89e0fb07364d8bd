// A single-producer single-consumer ring over shared bytes. It stays safe if the peer writes false values.
//
// Each side keeps its own cursor privately and only publishes it. It loads the peer's cursor once per call and
// rejects a value that is impossible. Indices are masked, so no value from the shared bytes can point outside the
// cells. No call blocks or allocates. On each side one thread of one process uses the ring.
//
//   producer: writes cells[p & mask], then published.store(p + 1, release)
//   consumer: published.load(acquire), then reads cells[c & mask], then consumed.store(c + 1, release)
//
// Without the release/acquire pair on `published`, the consumer could see the new cursor before the cell's bytes and
// read the old content of the cell. Without the pair on `consumed`, the producer could overwrite a cell while the
// consumer still copies it.
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
  // `capacity` is a power of two, and `cells` has that many elements. `cursors` and `cells` must outlive this object.
  RingProducer(RingCursors& cursors, Cell* cells, std::uint32_t capacity)
      : cursors_(&cursors), cells_(cells), capacity_(capacity) {}

  // Stages a cell; the consumer sees it after publish(). kFull and kCorrupt change nothing. After kCorrupt (the
  // peer's cursor is impossible) the ring must not be used again.
  [[nodiscard]] PushResult push(const Cell& cell) {
    const std::uint64_t consumed = cursors_->consumed.load(std::memory_order_acquire);
    const std::uint64_t used = staged_ - consumed;
    if (used > capacity_) return PushResult::kCorrupt;
    if (used == capacity_) return PushResult::kFull;
    std::memcpy(&cells_[staged_ & (capacity_ - 1)], &cell, sizeof(Cell));
    ++staged_;
    return PushResult::kPushed;
  }

  // Makes all staged cells visible to the consumer.
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

  // Returns whether pop() would return kEmpty. For a corrupt ring it returns false.
  [[nodiscard]] bool empty() const { return cursors_->published.load(std::memory_order_acquire) == consumed_; }

  // Copies the oldest cell into `out` and frees the cell. kEmpty and kCorrupt leave `out` unchanged. After kCorrupt
  // the ring must not be used again.
  [[nodiscard]] PopResult pop(Cell& out) {
    const std::uint64_t published = cursors_->published.load(std::memory_order_acquire);
    const std::uint64_t available = published - consumed_;
    if (available > capacity_) return PopResult::kCorrupt;
    if (available == 0) return PopResult::kEmpty;
    std::memcpy(&out, &cells_[consumed_ & (capacity_ - 1)], sizeof(Cell));
    // The caller checks and uses the copy: the compiler must not read the shared cell a second time.
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
