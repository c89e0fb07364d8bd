#include "app/accounts/protocol/access_table.hpp"

#include <algorithm>
#include <utility>

namespace yolod::app::accounts::protocol {

void AccessTable::Content::put(const AccessEntry& entry) {
  entries.insert_or_assign(entry.digest, entry);
  if (entry.kind == EntryKind::kKey) keys.insert_or_assign(entry.key, entry.digest);
}

void AccessTable::Content::erase(const Digest& digest) {
  const auto found = entries.find(digest);
  if (found == entries.end()) return;
  if (found->second.kind == EntryKind::kKey) keys.erase(found->second.key);
  entries.erase(found);
}

bool AccessTable::apply(const SnapshotBegin& begin) {
  if (begin.version <= version_ || begin.count > kMostEntries) return false;
  arriving_ = {};
  // Reserve room for as many again, because growing a table of many entries holds the event loop.
  constexpr std::size_t kLeast = 64;
  const std::size_t room = 2 * std::max(kLeast, static_cast<std::size_t>(begin.count));
  arriving_.entries.reserve(room);
  arriving_.keys.reserve(room);
  arriving_version_ = begin.version;
  return true;
}

bool AccessTable::apply(const SnapshotEntries& entries) {
  if (arriving_version_ == 0) return false;
  for (const AccessEntry& entry : entries.entries) arriving_.put(entry);
  return arriving_.entries.size() <= kMostEntries;
}

bool AccessTable::apply(const SnapshotEnd& end) {
  if (arriving_version_ == 0 || end.version != arriving_version_ || end.count != arriving_.entries.size()) return false;
  while (tidy()) {
  }
  retired_ = std::exchange(content_, std::exchange(arriving_, {}));
  version_ = std::exchange(arriving_version_, 0);
  return true;
}

bool AccessTable::apply(const Changes& changes) {
  if (arriving_version_ != 0 || version_ == 0 || changes.version != version_ + 1) return false;
  for (const Digest& digest : changes.removed) content_.erase(digest);
  for (const AccessEntry& entry : changes.added) content_.put(entry);
  version_ = changes.version;
  return content_.entries.size() <= kMostEntries;
}

const AccessEntry* AccessTable::find(const Digest& digest) const {
  const auto found = content_.entries.find(digest);
  return found == content_.entries.end() ? nullptr : &found->second;
}

void AccessTable::take_over(AccessTable&& next) {
  while (tidy()) {
  }
  retired_ = std::exchange(content_, std::exchange(next.content_, {}));
  version_ = next.version_;
  arriving_ = {};
  arriving_version_ = 0;
}

bool AccessTable::tidy() {
  constexpr int kAtOnce = 1000;
  for (int i = 0; i < kAtOnce && !retired_.entries.empty(); ++i) retired_.entries.erase(retired_.entries.begin());
  for (int i = 0; i < kAtOnce && !retired_.keys.empty(); ++i) retired_.keys.erase(retired_.keys.begin());
  return !retired_.entries.empty() || !retired_.keys.empty();
}

}  // namespace yolod::app::accounts::protocol
