// Limits the memory of the pictures or tensors that a process decodes at the same time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace yolod::model::image {

// A semaphore that counts bytes. A thread that decodes first takes a share for its picture, waits until there is
// room, and returns the share with the picture. Shares are granted in the order of the requests, so that small
// pictures cannot delay a large picture without end.
//
// Any thread may use it. A thread that holds a share must not take another share, because it could wait for itself.
// No thread may be in take() when the process forks. The object must outlive its shares.
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

    // Returns all bytes above `bytes`; does nothing if the share is already smaller.
    void shrink_to(std::uint64_t bytes) noexcept;

   private:
    friend class DecodeMemory;
    Share(DecodeMemory& owner, std::uint64_t bytes) : owner_(&owner), bytes_(bytes) {}

    DecodeMemory* owner_{nullptr};
    std::uint64_t bytes_{0};
  };

  // Waits until there is room. Returns nullopt at once if `bytes` is more than the limit.
  [[nodiscard]] std::optional<Share> take(std::uint64_t bytes);

  // Makes the share at least `bytes` large and returns true, or returns false at once if there is no room now. A thread
  // that holds other shares may call it. REQUIRES: the share is of this object, or has no bytes.
  [[nodiscard]] bool try_grow(Share& share, std::uint64_t bytes);

  [[nodiscard]] std::uint64_t max_bytes() const { return max_bytes_; }
  // Returns the number of bytes that are currently taken.
  [[nodiscard]] std::uint64_t taken();

 private:
  const std::uint64_t max_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_{0};        // guarded by mutex_
  std::uint64_t next_ticket_{0};  // guarded by mutex_
  std::uint64_t served_{0};       // guarded by mutex_: the ticket that is served next
};

}  // namespace yolod::model::image
