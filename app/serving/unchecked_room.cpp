#include "app/serving/unchecked_room.hpp"

#include <algorithm>
#include <utility>

namespace yolod::app::serving {
namespace {

namespace asio = boost::asio;

// All bodies together have this fraction of the memory for unfinished bodies, and one network has this fraction of
// that.
constexpr std::uint64_t kPartOfShare = 4;
constexpr std::uint64_t kPartOfNetwork = 2;
// No upload is evicted for a body that has waited for less time.
constexpr std::chrono::milliseconds kNeedsRoomAfter{100};
// The event loop gets a turn after this many bodies have got memory. Each of them costs a look at all that wait.
constexpr std::size_t kGivenAtOnce = 8;

}  // namespace

UncheckedRoom::Hold::Hold(UncheckedRoom& room, Network network)
    : room_(room), account_(*room.accounts_.try_emplace(network).first) {
  ++account_.second.holds;
}

UncheckedRoom::Hold::~Hold() {
  clear();
  if (--account_.second.holds != 0) return;
  if (room_.yielding_ == &account_.second) room_.yielding_ = nullptr;
  room_.accounts_.erase(account_.first);
}

bool UncheckedRoom::Hold::may_be_evicted() const {
  if (bytes_ == 0) return false;
  if (room_.yielding_ != nullptr) return room_.yielding_ == &account_.second;
  return account_.second.bytes >= room_.yielding_from_bytes_;
}

std::uint64_t UncheckedRoom::bound_bytes(std::uint64_t largest_bytes) const {
  return std::max(share_bytes_ / kPartOfShare, largest_bytes);
}

std::uint64_t UncheckedRoom::missing_in_network(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const {
  const std::uint64_t bound = std::max(share_bytes_ / kPartOfShare / kPartOfNetwork, largest);
  const std::uint64_t wanted = hold.account_.second.bytes - hold.bytes_ + bytes;
  return wanted - std::min(wanted, bound);
}

std::uint64_t UncheckedRoom::missing_in_all(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const {
  return missing_room(bytes, {bound_bytes(largest), held_bytes_ - hold.bytes_});
}

bool UncheckedRoom::fits(const Hold& hold, std::uint64_t bytes, std::uint64_t largest) const {
  return missing_in_network(hold, bytes, largest) == 0 && missing_in_all(hold, bytes, largest) == 0;
}

bool UncheckedRoom::may_be_passed(const Waiter& waiter) const {
  return serving::may_be_passed(given_bytes_ - waiter.given_before(), bound_bytes(waiter.largest_bytes));
}

bool UncheckedRoom::holds_less(const Waiter& waiter, const Hold& other) {
  return waiter.hold.account_.second.bytes < other.account_.second.bytes;
}

bool UncheckedRoom::goes_first(const Waiter& waiter, const Waiter& other) {
  const Account& mine = waiter.hold.account_.second;
  const Account& its = other.hold.account_.second;
  return mine.bytes != its.bytes ? mine.bytes < its.bytes : mine.last_given < its.last_given;
}

void UncheckedRoom::change(Hold& hold, std::uint64_t bytes) {
  const std::uint64_t before = std::exchange(hold.bytes_, bytes);
  hold.account_.second.bytes += bytes - before;
  held_bytes_ += bytes - before;
  if (bytes > before) given_bytes_ += bytes - before;
  if (bytes < before) serve_later();
}

bool UncheckedRoom::try_hold(Hold& hold, std::uint64_t bytes, std::uint64_t largest_bytes) {
  if (refusing_ || !fits(hold, bytes, largest_bytes)) return false;
  for (const Waiter& waiter : waiters_) {
    if (!waiter.is_waiting()) continue;
    if (missing_in_network(waiter.hold, waiter.bytes, waiter.largest_bytes) != 0) continue;
    if (holds_less(waiter, hold) || !may_be_passed(waiter)) return false;
  }
  change(hold, bytes);
  return true;
}

asio::awaitable<bool> UncheckedRoom::await_hold(Hold& hold, std::uint64_t bytes, std::uint64_t largest_bytes,
                                                std::chrono::milliseconds patience, const void* waiting) {
  if (refusing_) co_return false;
  if (try_hold(hold, bytes, largest_bytes)) co_return true;
  const auto place =
      waiters_.emplace(waiters_.end(), RoomWait(io_, patience, waiting, given_bytes_), hold, bytes, largest_bytes);
  co_await place->until_served();
  const bool has_room = place->has_room();
  waiters_.erase(place);
  serve_later();  // the bodies behind it may have waited only for their turn
  co_return has_room;
}

std::uint64_t UncheckedRoom::least_held_by_needy() const {
  std::uint64_t least = UINT64_MAX;
  for (const Waiter& waiter : waiters_) {
    if (!waiter.is_waiting()) continue;
    if (missing_in_network(waiter.hold, waiter.bytes, waiter.largest_bytes) != 0) continue;
    if (missing_in_all(waiter.hold, waiter.bytes, waiter.largest_bytes) == 0) continue;
    least = std::min(least, waiter.hold.account_.second.bytes);
  }
  return least;
}

UncheckedRoom::Waiter* UncheckedRoom::next_to_serve() {
  // Otherwise small bodies of a network that holds much would take all memory that becomes free, piece by piece.
  const std::uint64_t most_held = least_held_by_needy();
  Waiter* best = nullptr;
  for (Waiter& waiter : waiters_) {
    if (!waiter.is_waiting()) continue;
    if (missing_in_network(waiter.hold, waiter.bytes, waiter.largest_bytes) != 0) continue;
    if (missing_in_all(waiter.hold, waiter.bytes, waiter.largest_bytes) == 0) {
      if (waiter.hold.account_.second.bytes > most_held) continue;
      if (best == nullptr || goes_first(waiter, *best)) best = &waiter;
    } else if (!may_be_passed(waiter)) {
      return best;
    }
  }
  return best;
}

void UncheckedRoom::serve_later() {
  if (!waiters_.empty()) later_.request();
}

void UncheckedRoom::serve() {
  if (refusing_) return;
  for (std::size_t given = 0; given < kGivenAtOnce; ++given) {
    Waiter* const waiter = next_to_serve();
    if (waiter == nullptr) return;
    change(waiter->hold, waiter->bytes);
    waiter->hold.account_.second.last_given = ++given_count_;
    waiter->give();
  }
  serve_later();
}

const UncheckedRoom::Waiter* UncheckedRoom::next_in_need(common::Clock::time_point latest) const {
  const Waiter* best = nullptr;
  for (const Waiter& waiter : waiters_) {
    if (waiter.since() > latest) break;  // the bodies behind it have not waited longer
    if (!waiter.is_waiting() || fits(waiter.hold, waiter.bytes, waiter.largest_bytes)) continue;
    if (best == nullptr || goes_first(waiter, *best)) best = &waiter;
  }
  return best;
}

UncheckedRoom::Shortage UncheckedRoom::shortage(common::Clock::time_point now) {
  const auto latest = now - kNeedsRoomAfter;
  const Waiter* const next = next_in_need(latest);
  if (next == nullptr) return {};
  Shortage shortage;
  const bool in_network = missing_in_network(next->hold, next->bytes, next->largest_bytes) != 0;
  yielding_ = in_network ? &next->hold.account_.second : nullptr;
  yielding_from_bytes_ = next->hold.account_.second.bytes;
  shortage.next_bytes = in_network ? missing_in_network(next->hold, next->bytes, next->largest_bytes)
                                   : missing_in_all(next->hold, next->bytes, next->largest_bytes);
  shortage.all_bytes = shortage.next_bytes;
  for (const Waiter& waiter : waiters_) {
    if (waiter.since() > latest) break;
    if (&waiter == next || !waiter.is_waiting()) continue;
    const bool same_network = &waiter.hold.account_ == &next->hold.account_;
    const bool needs_network = missing_in_network(waiter.hold, waiter.bytes, waiter.largest_bytes) != 0;
    if (in_network ? same_network : !needs_network) shortage.all_bytes += waiter.bytes;
  }
  shortage.all_bytes = std::min(shortage.all_bytes, bound_bytes(next->largest_bytes));
  return shortage;
}

void UncheckedRoom::leave(const void* waiting) { RoomWait::leave(waiters_, waiting); }

void UncheckedRoom::refuse_all() {
  refusing_ = true;
  for (Waiter& waiter : waiters_) waiter.end();
}

}  // namespace yolod::app::serving
