#include "app/accounts/protocol/access_table.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

namespace yolod::app::accounts::protocol {
namespace {

// Each of these uses other bytes of the digest, which are random.
std::size_t shard_of(const Digest& digest) {
  constexpr std::size_t kByte = 256;
  return (digest[kDigestBytes - 2] * kByte + digest[kDigestBytes - 1]) % AccessTable::kShards;
}
// Ids follow each other, and without the mixing (SplitMix64) all shards would grow in the same turn of the event loop.
std::size_t shard_of(KeyId key) {
  auto mixed = static_cast<std::uint64_t>(key);
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EB;
  return (mixed ^ (mixed >> 31U)) % AccessTable::kShards;
}

std::uint16_t tag_of(const Digest& digest) {
  constexpr std::size_t kTagBegin = 8;
  std::uint16_t tag = 0;
  std::memcpy(&tag, digest.data() + kTagBegin, sizeof tag);
  return tag;
}

}  // namespace

AccessTable::Entry::Entry(const AccessEntry& entry)
    : digest(entry.digest),
      kind(entry.kind),
      role(entry.role),
      name_bytes(static_cast<std::uint8_t>(std::min(entry.name.size(), kMaxNameBytes))),
      scopes(entry.scopes),
      rate(entry.rate),
      in_flight(entry.in_flight),
      key(entry.key),
      person(entry.person),
      created(entry.created),
      expires(entry.expires),
      last_used(entry.last_used) {
  entry.name.copy(name_text.data(), name_bytes);
}

// ---- a shard ----

std::size_t AccessTable::Shard::home_of(const Digest& digest) const {
  return DigestHash()(digest) & (slots_.size() - 1);
}

// Returns slots_.size() if the digest is not here.
std::size_t AccessTable::Shard::slot_of(const Digest& digest) const {
  if (slots_.empty()) return 0;
  const std::uint16_t tag = tag_of(digest);
  for (std::size_t slot = home_of(digest); slots_[slot].place != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag == tag && same_digest(known_[slots_[slot].place - 1U].digest, digest)) return slot;
  }
  return slots_.size();
}

AccessTable::Entry* AccessTable::Shard::find(const Digest& digest) {
  const std::size_t slot = slot_of(digest);
  return slot == slots_.size() ? nullptr : &known_[slots_[slot].place - 1U];
}

void AccessTable::Shard::fill_slot(std::size_t place) {
  const Digest& digest = known_[place - 1].digest;
  std::size_t slot = home_of(digest);
  while (slots_[slot].place != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {tag_of(digest), static_cast<std::uint16_t>(place)};
}

void AccessTable::Shard::grow() {
  constexpr std::size_t kLeast = 8;
  slots_.assign(std::max(kLeast, 2 * slots_.size()), Slot());
  for (std::size_t place = 1; place <= known_.size(); ++place) fill_slot(place);
}

bool AccessTable::Shard::put(const AccessEntry& entry) {
  if (Entry* const known = find(entry.digest)) {
    *known = Entry(entry);
    return false;
  }
  // Digests are random, so only a broken yolod-accounts fills a shard. The count at the end of its snapshot is wrong
  // then.
  if (known_.size() == std::numeric_limits<std::uint16_t>::max()) return false;
  if (2 * (known_.size() + 1) > slots_.size()) grow();
  known_.emplace_back(entry);
  fill_slot(known_.size());
  return true;
}

void AccessTable::Shard::erase(const Digest& digest) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t free = slot_of(digest);
  const std::size_t place = slots_[free].place;
  // A free slot is the end of a look-up. So each entry behind it is moved into it if its home is not behind it.
  for (std::size_t slot = (free + 1) & mask; slots_[slot].place != 0; slot = (slot + 1) & mask) {
    const std::size_t home = home_of(known_[slots_[slot].place - 1U].digest);
    if (((slot - home) & mask) < ((slot - free) & mask)) continue;
    slots_[free] = slots_[slot];
    free = slot;
  }
  slots_[free] = {};
  // The last entry fills the gap.
  if (place != known_.size()) {
    const std::size_t moved = slot_of(known_.back().digest);
    slots_[moved].place = static_cast<std::uint16_t>(place);
    known_[place - 1] = std::move(known_.back());
  }
  known_.pop_back();
}

// ---- the entries ----

AccessTable::Entry* AccessTable::Content::find(const Digest& digest) {
  return shards.empty() ? nullptr : shards[shard_of(digest)].find(digest);
}

void AccessTable::Content::put(const AccessEntry& entry) {
  if (shards[shard_of(entry.digest)].put(entry)) ++count;
  if (entry.kind != EntryKind::kKey || has_key(entry.key)) return;
  shards[shard_of(entry.key)].keys.push_back(entry.key);
}

void AccessTable::Content::erase(const Digest& digest) {
  const Entry* const known = find(digest);
  if (known == nullptr) return;
  if (known->kind == EntryKind::kKey) std::erase(shards[shard_of(known->key)].keys, known->key);
  shards[shard_of(digest)].erase(digest);
  --count;
}

bool AccessTable::Content::has_key(KeyId key) const {
  if (shards.empty()) return false;
  const auto& keys = shards[shard_of(key)].keys;
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// ---- the table ----

bool AccessTable::apply(const SnapshotBegin& begin) {
  if (begin.version <= version_ || begin.count > kMostEntries) return false;
  retire(std::exchange(arriving_, {}));
  arriving_.shards.resize(kShards);
  arriving_version_ = begin.version;
  return true;
}

bool AccessTable::apply(const SnapshotEntries& entries) {
  if (arriving_version_ == 0) return false;
  for (const AccessEntry& entry : entries.entries) arriving_.put(entry);
  // More memory is freed than arrives, so snapshots in a row do not fill the memory.
  free_some(entries.entries.size());
  return arriving_.count <= kMostEntries;
}

bool AccessTable::apply(const SnapshotEnd& end) {
  if (arriving_version_ == 0 || end.version != arriving_version_ || end.count != arriving_.count) return false;
  retire(std::exchange(content_, std::exchange(arriving_, {})));
  version_ = std::exchange(arriving_version_, 0);
  return true;
}

bool AccessTable::apply(const Changes& changes) {
  if (arriving_version_ != 0 || version_ == 0 || changes.version != version_ + 1) return false;
  for (const Digest& digest : changes.removed) content_.erase(digest);
  for (const AccessEntry& entry : changes.added) content_.put(entry);
  version_ = changes.version;
  return content_.count <= kMostEntries;
}

const AccessTable::Entry* AccessTable::find(const Digest& digest) const {
  // Content::find() changes nothing. It returns an entry that is_first_use() may change.
  return const_cast<Content&>(content_).find(digest);
}

bool AccessTable::is_first_use(const Digest& digest, std::uint32_t round) {
  Entry* const known = content_.find(digest);
  return known != nullptr && std::exchange(known->used_in, round) != round;
}

void AccessTable::take_over(AccessTable&& next) {
  retire(std::exchange(content_, std::exchange(next.content_, {})));
  version_ = next.version_;
  retire(std::exchange(arriving_, {}));
  arriving_version_ = 0;
  discard(std::move(next));
}

void AccessTable::discard(AccessTable&& other) {
  retire(std::exchange(other.content_, {}));
  retire(std::exchange(other.arriving_, {}));
  retire({std::exchange(other.retired_, {})});
}

void AccessTable::retire(Content&& content) {
  retired_.insert(retired_.end(), std::make_move_iterator(content.shards.begin()),
                  std::make_move_iterator(content.shards.end()));
}

void AccessTable::free_some(std::size_t shards) {
  retired_.resize(retired_.size() - std::min(shards, retired_.size()));
}

bool AccessTable::tidy() {
  constexpr std::size_t kAtOnce = 64;
  free_some(kAtOnce);
  return !retired_.empty();
}

}  // namespace yolod::app::accounts::protocol
