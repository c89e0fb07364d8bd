#include "app/accounts/protocol/access_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace yolod::app::accounts::protocol {
namespace {

// DigestHash uses the first bytes.
std::size_t shard_of(const Digest& digest) {
  constexpr std::size_t kByte = 256;
  return (digest[kDigestBytes - 2] * kByte + digest[kDigestBytes - 1]) % AccessTable::kShards;
}
std::size_t shard_of(KeyId key) { return static_cast<std::size_t>(key) % AccessTable::kShards; }

}  // namespace

void AccessTable::Content::begin(std::size_t expected) {
  shards.resize(kShards);
  // A shard seldom gets twice its share, so it does not grow while the entries come.
  expected_in_shard = 2 * expected / kShards + 1;
}

void AccessTable::Content::put(const AccessEntry& entry) {
  Shard& shard = shards[shard_of(entry.digest)];
  if (shard.entries.empty()) shard.entries.reserve(expected_in_shard);
  const bool is_new = shard.entries.insert_or_assign(entry.digest, Known{entry, 0}).second;
  if (is_new) ++count;
  if (entry.kind == EntryKind::kKey) shards[shard_of(entry.key)].keys.insert(entry.key);
}

void AccessTable::Content::erase(const Digest& digest) {
  if (shards.empty()) return;
  Shard& shard = shards[shard_of(digest)];
  const auto found = shard.entries.find(digest);
  if (found == shard.entries.end()) return;
  const AccessEntry& entry = found->second.entry;
  if (entry.kind == EntryKind::kKey) shards[shard_of(entry.key)].keys.erase(entry.key);
  shard.entries.erase(found);
  --count;
}

bool AccessTable::apply(const SnapshotBegin& begin) {
  if (begin.version <= version_ || begin.count > kMostEntries) return false;
  retire(std::exchange(arriving_, {}));
  arriving_.begin(static_cast<std::size_t>(begin.count));
  arriving_version_ = begin.version;
  return true;
}

bool AccessTable::apply(const SnapshotEntries& entries) {
  if (arriving_version_ == 0) return false;
  for (const AccessEntry& entry : entries.entries) arriving_.put(entry);
  // More entries are freed than arrive, so snapshots in a row do not fill the memory.
  free_some(2 * entries.entries.size());
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

const AccessEntry* AccessTable::find(const Digest& digest) const {
  if (content_.shards.empty()) return nullptr;
  const auto& entries = content_.shards[shard_of(digest)].entries;
  const auto found = entries.find(digest);
  return found == entries.end() ? nullptr : &found->second.entry;
}

bool AccessTable::is_first_use(const Digest& digest, std::uint32_t round) {
  if (content_.shards.empty()) return false;
  auto& entries = content_.shards[shard_of(digest)].entries;
  const auto found = entries.find(digest);
  return found != entries.end() && std::exchange(found->second.used_in, round) != round;
}

bool AccessTable::has_key(KeyId key) const {
  return !content_.shards.empty() && content_.shards[shard_of(key)].keys.contains(key);
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

void AccessTable::free_some(std::size_t most) {
  while (most != 0 && !retired_.empty()) {
    Shard& shard = retired_.back();
    if (!shard.entries.empty()) {
      shard.entries.erase(shard.entries.begin());
    } else if (!shard.keys.empty()) {
      shard.keys.erase(shard.keys.begin());
    } else {
      retired_.pop_back();
    }
    --most;
  }
}

bool AccessTable::tidy() {
  constexpr std::size_t kAtOnce = 2'000;
  free_some(kAtOnce);
  return !retired_.empty();
}

}  // namespace yolod::app::accounts::protocol
