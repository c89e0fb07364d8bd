// Where request bodies lie: one region, written by the front-end, mapped read-only by every worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "common/outcome.hpp"
#include "ipc/layout.hpp"
#include "ipc/memfd_region.hpp"

namespace yolod::ipc {

class ArenaAllocator;

// A body's place in the arena. Frees it when it goes; must not outlive its arena. Front-end only, its one thread.
class ArenaBlock {
 public:
  ArenaBlock() = default;
  ArenaBlock(ArenaBlock&& other) noexcept;
  ArenaBlock& operator=(ArenaBlock&& other) noexcept;
  ArenaBlock(const ArenaBlock&) = delete;
  ArenaBlock& operator=(const ArenaBlock&) = delete;
  ~ArenaBlock();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  // Of the first byte, from the arena's own first byte: what a worker is told.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // Gives back what lies beyond the first `bytes`.
  void shrink(std::uint64_t bytes);

  // The body is complete: it no longer counts against the share of the arena that uploads may hold.
  void end_upload();

 private:
  friend class InputArena;
  ArenaBlock(ArenaAllocator& allocator, std::span<std::byte> bytes, std::uint64_t offset, std::uint64_t reserved_bytes)
      : allocator_(&allocator), bytes_(bytes), offset_(offset), reserved_bytes_(reserved_bytes), uploading_(true) {}
  void free();

  ArenaAllocator* allocator_{nullptr};
  std::span<std::byte> bytes_;
  std::uint64_t offset_{0};
  std::uint64_t reserved_bytes_{0};
  bool uploading_{false};
};

// The front-end's side. Created once, before the first fork; its one thread. Workers cannot write to it: the memfd is
// sealed with FUTURE_WRITE, which refuses them a writable map and mprotect().
class InputArena {
 public:
  [[nodiscard]] static common::Outcome<InputArena> create(std::uint64_t bytes);
  InputArena(InputArena&&) noexcept;
  InputArena& operator=(InputArena&&) noexcept;
  ~InputArena();

  // A block for a body of `bytes` that is about to be uploaded, or nothing when there is no room now: unfinished
  // bodies hold at most half of the arena.
  [[nodiscard]] std::optional<ArenaBlock> allocate(std::uint64_t bytes);

  // Called whenever a block was freed or an upload ended: there may be room where there was none. Must not throw.
  void on_room(std::function<void()> listener);

  // The front-end is about to wait for events, or has been woken. After falling asleep it looks at every lane once more
  // (SleepMark).
  void fall_asleep();
  void wake_up();

  // The largest body that could ever be allocated.
  [[nodiscard]] std::uint64_t largest_body_bytes() const;
  [[nodiscard]] std::uint64_t capacity_bytes() const;
  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] std::uint64_t uploading_bytes() const;
  // The most that unfinished bodies may hold together.
  [[nodiscard]] std::uint64_t upload_share_bytes() const;
  [[nodiscard]] int descriptor() const { return region_.descriptor(); }

 private:
  explicit InputArena(MemfdRegion region);

  MemfdRegion region_;
  std::unique_ptr<ArenaAllocator> allocator_;
};

// The worker's side: read-only. One thread.
class InputArenaView {
 public:
  // Maps it and closes the descriptor.
  [[nodiscard]] static common::Outcome<InputArenaView> open(common::UniqueFd descriptor);

  // The bytes [offset, offset + bytes), or nothing if they are not all in the arena.
  [[nodiscard]] std::optional<std::span<const std::byte>> body(std::uint64_t offset, std::uint64_t bytes) const;
  // All of it, for the fault FAULT:arena_write.
  [[nodiscard]] std::span<const std::byte> all_bytes() const { return region_.bytes(); }
  // After completions were published: whether the front-end waits for a doorbell, or is about to.
  [[nodiscard]] bool front_end_sleeps() const;

 private:
  explicit InputArenaView(MemfdRegion region) : region_(std::move(region)) {}
  MemfdRegion region_;
};

}  // namespace yolod::ipc
