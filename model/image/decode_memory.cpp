#include "model/image/decode_memory.hpp"

namespace yolod::model::image {

std::optional<DecodeMemory::Share> DecodeMemory::take(std::uint64_t bytes) {
  if (bytes > max_bytes_) return std::nullopt;
  std::unique_lock lock(mutex_);
  const auto ticket = next_ticket_++;
  changed_.wait(lock, [&] { return ticket == served_ && bytes <= max_bytes_ - taken_; });
  taken_ += bytes;
  ++served_;
  lock.unlock();
  changed_.notify_all();
  return Share(*this, bytes);
}

bool DecodeMemory::try_grow(Share& share, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes <= share.bytes_) return true;
  if (bytes - share.bytes_ > max_bytes_ - taken_) return false;
  taken_ += bytes - share.bytes_;
  share.owner_ = this;
  share.bytes_ = bytes;
  return true;
}

std::uint64_t DecodeMemory::taken() {
  const std::lock_guard lock(mutex_);
  return taken_;
}

void DecodeMemory::Share::shrink_to(std::uint64_t bytes) noexcept {
  if (owner_ == nullptr || bytes >= bytes_) return;
  {
    const std::lock_guard lock(owner_->mutex_);
    owner_->taken_ -= bytes_ - bytes;
  }
  owner_->changed_.notify_all();
  bytes_ = bytes;
}

}  // namespace yolod::model::image
