#include "app/api/oip/shared_regions.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "common/system/memory_limit.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

std::uint64_t memory_left() {
  const auto limit = common::read_memory_limit();
  return limit ? limit->left_bytes() : std::numeric_limits<std::uint64_t>::max();
}

template <typename Bytes>
std::string hex_of(const Bytes& bytes) {
  std::string text;
  for (const auto byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned>(byte) / kDigits.size()];
    text += kDigits[static_cast<unsigned>(byte) % kDigits.size()];
  }
  return text;
}

// Returns the name of the object below /dev/shm.
std::string_view object_of(std::string_view key) { return key.substr(key.starts_with('/') ? 1 : 0); }

}  // namespace

// A person's sessions and keys are one client, as in access/limits.
RegionOwner region_owner_of(const access::Caller& caller) {
  using Kind = access::Caller::Kind;
  switch (caller.kind) {
    case Kind::kAnonymous: return "address " + caller.network.to_string();
    case Kind::kOperator: return "operator";
    case Kind::kFileKey: return "file key " + hex_of(caller.credential);
    case Kind::kKey:
      if (caller.person == 0) return "key " + std::to_string(caller.key);
      return "person " + std::to_string(caller.person);
    case Kind::kSession: return "person " + std::to_string(caller.person);
  }
  return {};
}

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;  // the place in the name from which the last * is tried again
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// ---- regions ----

SharedRegions::SharedRegions(const common::OipConfig& config, CopyThread* thread, LeftBytes left_bytes)
    : config_(config), thread_(thread), left_bytes_(left_bytes ? std::move(left_bytes) : memory_left) {}

const SharedRegions::Regions& SharedRegions::of(const RegionOwner& owner) const {
  static const Regions kNone;
  const auto found = regions_.find(owner);
  return found == regions_.end() ? kNone : found->second;
}

bool SharedRegions::is_allowed(std::string_view key) const {
  const std::string_view object = object_of(key);
  // matches() could accept these names, but they are no objects of shared memory.
  const bool is_name = !object.empty() && object.size() <= kLongestName && !object.starts_with('.') &&
                       object.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
  return is_name && std::any_of(config_.shared_memory.begin(), config_.shared_memory.end(),
                                [object](const std::string& one) { return matches(one, object); });
}

Outcome<void> SharedRegions::check_room(const RegionOwner& owner) {
  if (of(owner).size() >= kMostRegions) {
    return bad_region("a client has at most " + std::to_string(kMostRegions) +
                      " shared memory regions: unregister one");
  }
  std::erase_if(objects_, [](const Object& object) { return object.region.expired(); });
  const auto own =
      std::count_if(objects_.begin(), objects_.end(), [&](const Object& object) { return object.owner == owner; });
  const std::size_t closing = thread_ == nullptr ? 0 : thread_->closing_count();
  if (static_cast<std::size_t>(own) < kMostObjectsOfOne && objects_.size() + closing < kMostObjects) return {};
  return bad_region("the server has too many shared memory regions open: try again when other requests have ended");
}

Outcome<void> SharedRegions::add(const RegionOwner& owner, const std::string& name, const std::string& key,
                                 std::uint64_t offset, std::uint64_t bytes) {
  if (of(owner).contains(name)) {
    return bad_region("shared memory region " + region_text(name) + " already in manager");
  }
  if (name.empty() || name.size() > kLongestName) {
    return bad_region("the name of a shared memory region has 1 to " + std::to_string(kLongestName) + " bytes");
  }
  if (auto room = check_room(owner); !room) return room;
  if (!is_allowed(key)) return bad_region("oip.shared_memory does not allow the shared memory key " + region_text(key));
  auto region = SharedRegion::open(name, key, offset, bytes);
  if (!region) return region.error();
  if (thread_ != nullptr) (*region)->close = thread_->closer();
  objects_.push_back({owner, *region});
  regions_[owner].emplace(name, *std::move(region));
  return {};
}

bool SharedRegions::remove(const RegionOwner& owner, std::string_view name) {
  const auto regions = regions_.find(owner);
  if (regions == regions_.end()) return false;
  const auto found = regions->second.find(name);
  if (found == regions->second.end()) return false;
  regions->second.erase(found);
  if (regions->second.empty()) regions_.erase(regions);
  return true;
}

bool SharedRegions::remove_of_all(std::string_view name) {
  const auto erased = [name](auto& regions) {
    return std::erase_if(regions, [name](const auto& region) { return region.first == name; }) != 0;
  };
  bool is_found = false;
  for (auto& [owner, regions] : regions_) is_found |= erased(regions);
  std::erase_if(regions_, [](const auto& one) { return one.second.empty(); });
  return is_found;
}

void SharedRegions::remove_forbidden() {
  for (auto& [owner, regions] : regions_) {
    std::erase_if(regions, [this](const auto& region) { return !is_allowed(region.second->key); });
  }
  std::erase_if(regions_, [](const auto& one) { return one.second.empty(); });
}

Outcome<SharedPart> SharedRegions::find(const RegionOwner& owner, std::string_view name, std::uint64_t offset,
                                        std::uint64_t bytes) const {
  const Regions& regions = of(owner);
  const auto found = regions.find(name);
  if (found == regions.end()) return bad_region("Unable to find shared memory region: " + region_text(name));
  const std::uint64_t size = found->second->bytes;
  if (offset >= size) return bad_region("Invalid offset for shared memory region: " + region_text(name));
  if (bytes > size - offset) {
    return bad_region("Invalid offset + byte size for shared memory region: " + region_text(name));
  }
  return SharedPart{found->second, offset, bytes};
}

// A look costs about 0.1 ms, so there is at most one in half a second.
bool SharedRegions::may_grow(common::Clock::time_point now) {
  constexpr std::chrono::milliseconds kPeriod{500};
  if (!looked_at_ || now - *looked_at_ > kPeriod) {
    looked_at_ = now;
    left_then_ = left_bytes_();
    grown_bytes_ = 0;
  }
  return left_then_ > kKeptBytes && left_then_ - kKeptBytes > grown_bytes_;
}

}  // namespace yolod::app::api::oip
