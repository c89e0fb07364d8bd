// The input arena is the region that holds the bodies of requests. The front-end writes it, and every worker maps it
// read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "common/outcome.hpp"
#include "ipc/layout.hpp"
#include "ipc/memfd_region.hpp"

namespace yolod::ipc {

class ArenaAllocator;

// A body's block in the arena. The destructor frees the block, so it must not outlive the arena. Only the front-end's
// thread uses it.
class ArenaBlock {
 public:
  ArenaBlock() = default;
  ArenaBlock(ArenaBlock&& other) noexcept
      : allocator_(std::exchange(other.allocator_, nullptr)),
        bytes_(std::exchange(other.bytes_, {})),
        offset_(other.offset_),
        reserved_bytes_(other.reserved_bytes_),
        uploading_(std::exchange(other.uploading_, false)) {}
  ArenaBlock& operator=(ArenaBlock&& other) noexcept;
  ArenaBlock(const ArenaBlock&) = delete;
  ArenaBlock& operator=(const ArenaBlock&) = delete;
  // Each request moves its block several times, and most of the objects that end are empty.
  ~ArenaBlock() {
    if (allocator_ != nullptr) free();
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  // The offset of the first byte from the start of the arena, as the worker receives it.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // Frees the bytes after the first `bytes`.
  void shrink(std::uint64_t bytes);

  // Call it when the body is complete. The block then no longer counts against the limit for unfinished uploads.
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

// The front-end's side. The front-end creates it once, before the first fork, and uses it on its only thread. A
// worker cannot write to it: the memfd is sealed with FUTURE_WRITE, so the kernel refuses the worker a writable
// mapping and mprotect().
class InputArena {
 public:
  [[nodiscard]] static common::Outcome<InputArena> create(std::uint64_t bytes);
  InputArena(InputArena&&) noexcept;
  InputArena& operator=(InputArena&&) noexcept;
  ~InputArena();

  // Returns a block for a body of `bytes` that is about to be uploaded, or nullopt if there is no room now.
  // Unfinished bodies may hold at most half of the arena.
  [[nodiscard]] std::optional<ArenaBlock> allocate(std::uint64_t bytes);

  // The arena calls `listener` when it has freed a block or an upload has ended, because a waiting body may fit then.
  // It must not throw.
  void on_room(std::function<void()> listener);

  // Call fall_asleep() before the front-end waits for events, and wake_up() afterwards. After fall_asleep() the
  // front-end must check every lane once more (SleepMark).
  void fall_asleep();
  void wake_up();

  // The largest body that an empty arena has room for.
  [[nodiscard]] std::uint64_t largest_body_bytes() const;
  [[nodiscard]] std::uint64_t capacity_bytes() const;
  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] std::uint64_t uploading_bytes() const;
  // The most bytes that all unfinished bodies together may hold.
  [[nodiscard]] std::uint64_t upload_share_bytes() const;
  [[nodiscard]] int descriptor() const { return region_.descriptor(); }

 private:
  explicit InputArena(MemfdRegion region);

  MemfdRegion region_;
  std::unique_ptr<ArenaAllocator> allocator_;
};

// The worker's side, which is read-only. One thread uses it.
class InputArenaView {
 public:
  // Maps the arena and closes the descriptor.
  [[nodiscard]] static common::Outcome<InputArenaView> open(common::UniqueFd descriptor);

  // Returns the bytes [offset, offset + bytes), or nullopt if some of them lie outside the arena.
  [[nodiscard]] std::optional<std::span<const std::byte>> body(std::uint64_t offset, std::uint64_t bytes) const;
  // The whole region; only the test fault FAULT:arena_write uses it.
  [[nodiscard]] std::span<const std::byte> all_bytes() const { return region_.bytes(); }
  // Call it after publishing completions. Returns whether the front-end waits for the doorbell or is about to wait.
  [[nodiscard]] bool front_end_sleeps() const;

 private:
  explicit InputArenaView(MemfdRegion region) : region_(std::move(region)) {}
  MemfdRegion region_;
};

}  // namespace yolod::ipc
