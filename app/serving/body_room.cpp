#include "app/serving/body_room.hpp"

#include <algorithm>
#include <limits>

namespace yolod::app::serving {
namespace {

namespace asio = boost::asio;

// The server ends no upload to make room until a request has waited for this time.
constexpr std::chrono::milliseconds kPressureAfter{100};
// The event loop gets a turn after this many requests have got room.
constexpr std::size_t kServedAtOnce = 256;

}  // namespace

BodyRoom::BodyRoom(asio::io_context& io, ipc::InputArena& arena)
    : io_(io), arena_(arena), unchecked_(io, arena.upload_share_bytes()), later_(io, [this] { serve_waiters(); }) {
  arena_.on_room([this] { serve_waiters_later(); });
}

std::optional<ipc::ArenaBlock> BodyRoom::try_reserve(std::uint64_t bytes) {
  if (refusing_) return std::nullopt;
  const auto first =
      std::find_if(waiters_.begin(), waiters_.end(), [](const Waiter& waiter) { return waiter.is_waiting(); });
  if (first != waiters_.end() && !may_be_passed(*first)) return std::nullopt;
  return allocate(bytes);
}

std::optional<ipc::ArenaBlock> BodyRoom::allocate(std::uint64_t bytes) {
  if (missing_room(bytes, room()) != 0) return std::nullopt;
  auto block = arena_.allocate(bytes);
  if (block) given_bytes_ += bytes;
  return block;
}

bool BodyRoom::may_be_passed(const Waiter& waiter) const {
  return serving::may_be_passed(given_bytes_ - waiter.given_before(), arena_.upload_share_bytes());
}

asio::awaitable<std::optional<ipc::ArenaBlock>> BodyRoom::reserve(std::uint64_t bytes,
                                                                  std::chrono::milliseconds patience,
                                                                  const void* waiting) {
  if (refusing_) co_return std::nullopt;
  if (auto block = try_reserve(bytes)) co_return block;
  const auto place = waiters_.emplace(waiters_.end(), RoomWait(io_, patience, waiting, given_bytes_), bytes);
  co_await place->until_served();
  auto block = std::move(place->block);
  waiters_.erase(place);
  // The requests behind it may have waited only for their turn.
  serve_waiters_later();
  co_return block;
}

void BodyRoom::serve_waiters_later() {
  if (!waiters_.empty()) later_.request();
}

void BodyRoom::serve_waiters() {
  if (refusing_) return;
  // The arena has no contiguous block for a body of this size, even if as many bytes are free. The same holds for
  // larger bodies.
  std::uint64_t no_place_for = std::numeric_limits<std::uint64_t>::max();
  std::size_t served = 0;
  for (Waiter& waiter : waiters_) {
    if (!waiter.is_waiting()) continue;
    if (waiter.bytes < no_place_for && missing_room(waiter.bytes, room()) == 0) {
      waiter.block = allocate(waiter.bytes);
      if (waiter.block) {
        waiter.give();
        if (++served < kServedAtOnce) continue;
        return serve_waiters_later();
      }
      no_place_for = waiter.bytes;
    }
    if (!may_be_passed(waiter)) return;
  }
}

BodyRoom::Shortage BodyRoom::shortage(common::Clock::time_point now) const {
  Shortage shortage;
  for (const Waiter& waiter : waiters_) {
    if (!waiter.is_waiting()) continue;
    if (now - waiter.since() < kPressureAfter) break;  // the requests behind it have not waited longer
    const std::uint64_t missing = missing_room(waiter.bytes, room());
    if (missing == 0) continue;
    if (shortage.first_bytes == 0) shortage.first_bytes = missing;
    shortage.least_bytes = shortage.least_bytes == 0 ? missing : std::min(shortage.least_bytes, missing);
  }
  return shortage;
}

void BodyRoom::leave(const void* waiting) { RoomWait::leave(waiters_, waiting); }

void BodyRoom::refuse_all() {
  refusing_ = true;
  unchecked_.refuse_all();
  for (Waiter& waiter : waiters_) waiter.end();
}

}  // namespace yolod::app::serving
