#include "app/api/private_room.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace yolod::app::api {
namespace {

// The kernel frees this much in about 0.2 ms.
constexpr std::size_t kFreedAtOnceBytes = 2U << 20U;
constexpr std::size_t kPageBytes = 4096;  // a larger page only makes give_back_before() do nothing

}  // namespace

PrivateRoom::PrivateRoom(PrivateRoom&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), given_back_bytes_(std::exchange(other.given_back_bytes_, 0)) {}

PrivateRoom& PrivateRoom::operator=(PrivateRoom&& other) noexcept {
  if (this == &other) return *this;
  free();
  bytes_ = std::exchange(other.bytes_, {});
  given_back_bytes_ = std::exchange(other.given_back_bytes_, 0);
  return *this;
}

std::optional<PrivateRoom> PrivateRoom::allocate(std::uint64_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  // The room is safe without these two calls: a child of the front-end replaces its memory, and only the operator reads
  // a core.
  (void)madvise(memory, bytes, MADV_DONTFORK);
  (void)madvise(memory, bytes, MADV_DONTDUMP);
  return PrivateRoom({static_cast<std::byte*>(memory), bytes});
}

void PrivateRoom::give_back_before(std::size_t offset) {
  const std::size_t until = std::min(offset, bytes_.size()) / kPageBytes * kPageBytes;
  if (until <= given_back_bytes_) return;
  (void)madvise(bytes_.data() + given_back_bytes_, until - given_back_bytes_, MADV_DONTNEED);
  given_back_bytes_ = until;
}

void PrivateRoom::free_in_turns(PrivateRoom room, const boost::asio::io_context::executor_type& executor) {
  if (room.bytes_.size() - room.given_back_bytes_ <= kFreedAtOnceBytes) return;
  room.give_back_before(room.given_back_bytes_ + kFreedAtOnceBytes);
  boost::asio::post(executor,
                    [room = std::move(room), executor]() mutable { free_in_turns(std::move(room), executor); });
}

void PrivateRoom::free() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
  given_back_bytes_ = 0;
}

}  // namespace yolod::app::api
