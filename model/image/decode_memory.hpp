// Bounds the memory of the pictures that one process decodes at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace yolod::model::image {

// A semaphore that counts bytes. Whoever decodes takes a share for its picture first, waits until there is room, and
// gives the share back with the picture. Shares are given in the order in which they were asked for, so a large picture
// does not wait for ever behind small ones.
//
// Threads: any. A thread that holds a share must not ask for another one: that could wait for itself. No thread may be
// in here when the process forks. It must outlive its shares.
class DecodeMemory {
 public:
  explicit DecodeMemory(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  DecodeMemory(const DecodeMemory&) = delete;
  DecodeMemory& operator=(const DecodeMemory&) = delete;

  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() { shrink_to(0); }

    // Gives back all but `bytes`; nothing if it is smaller already.
    void shrink_to(std::uint64_t bytes) noexcept;

   private:
    friend class DecodeMemory;
    Share(DecodeMemory& owner, std::uint64_t bytes) : owner_(&owner), bytes_(bytes) {}

    DecodeMemory* owner_{nullptr};
    std::uint64_t bytes_{0};
  };

  // Waits until there is room. Nothing, at once, for more than there is in all.
  [[nodiscard]] std::optional<Share> take(std::uint64_t bytes);

  [[nodiscard]] std::uint64_t max_bytes() const { return max_bytes_; }
  // Bytes that are taken at this moment.
  [[nodiscard]] std::uint64_t taken();

 private:
  const std::uint64_t max_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_{0};        // guarded by mutex_
  std::uint64_t next_ticket_{0};  // guarded by mutex_
  std::uint64_t served_{0};       // guarded by mutex_: the ticket whose turn it is
};

}  // namespace yolod::model::image
